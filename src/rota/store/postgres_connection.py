"""A connection to PostgreSQL: how it is made, what it is told about the store, and the rows that come over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import psycopg

from rota.errors import BadHome
from rota.store.address import Address

_CONNECT = {
    "connect_timeout": 3,
    "tcp_user_timeout": 6_000,
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "application_name": "rota",
    "client_encoding": "UTF8",
}
"""What libpq is told unless the URL says otherwise: a server that is gone is noticed."""
_STATEMENTS_TAKE = 60.0
_IDLE = 5.0
"""Whoever is stopped, or cut off, in the middle of a transaction holds up all other hosts for no longer than this."""
_USES = 5
_OLDEST = 140_000


class Row:
    """A row: values by column name or position."""

    __slots__ = ("_index", "_values")

    def __init__(self, index: Mapping[str, int], values: Sequence[Any]) -> None:
        self._index = index
        self._values = values

    def __getitem__(self, key: int | str, /) -> Any:
        return self._values[self._index[key] if isinstance(key, str) else key]


def _row_factory(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    index = {column.name: number for number, column in enumerate(cursor.description or ())}
    return lambda values: Row(index, values)


def connect(address: Address, patience: float) -> psycopg.Connection[Row]:
    """Connect, and refuse a server that cannot hold a store."""
    known = psycopg.conninfo.conninfo_to_dict(address.libpq)
    usual: dict[str, Any] = {key: value for key, value in _CONNECT.items() if key not in known}
    connection = psycopg.connect(
        address.libpq,
        autocommit=True,
        prepare_threshold=None,
        row_factory=cast("Any", _row_factory),
        **usual,
    )
    try:
        _refuse_unfit(connection, address)
        if not address.pooled:
            connection.execute(settings(address, patience, "SESSION"))
            connection.prepare_threshold = _prepared_after(connection, address)
    except BaseException:
        connection.close()
        raise
    return cast("psycopg.Connection[Row]", connection)


def _prepared_after(connection: psycopg.Connection[Any], address: Address) -> int | None:
    """Return after how many uses the server keeps a statement ready; half of what a short one costs it is planning.

    A statement can be kept only on a connection that nobody else is given. A proxy that shares connections has promised
    a number of its own at the beginning, because it had no server's process to name yet.
    """
    if address.prepare is not None:
        return address.prepare
    found = connection.execute("SELECT pg_backend_pid()").fetchone()
    return _USES if found is not None and found[0] == connection.info.backend_pid else None


def _refuse_unfit(connection: psycopg.Connection[Any], address: Address) -> None:
    """Refuse a server that is too old, and a database that cannot hold every text."""
    version, encoding = connection.info.server_version, connection.info.parameter_status("server_encoding")
    if version < _OLDEST:
        raise BadHome(f"{address.shown} is PostgreSQL {version // 10_000}; rota needs {_OLDEST // 10_000} or newer")
    if encoding != "UTF8":
        raise BadHome(
            f"{address.shown} is a database in {encoding}; make one in UTF8: createdb -T template0 -E UTF8 NAME"
        )


def settings(address: Address, patience: float, scope: Literal["SESSION", "LOCAL"]) -> str:
    """Return what a connection, or a transaction, is told about the store.

    A commit has to be on the disk before anything is started on its word, even where the server's other users think
    otherwise; a stricter setting stays. Questions are small ones, which a compiler would only hold up.
    """
    return (
        f"SET {scope} search_path TO {address.schema}, pg_temp; "
        f"SET {scope} lock_timeout TO {max(1, int(patience * 1000))}; "
        f"SET {scope} statement_timeout TO {int(_STATEMENTS_TAKE * 1000)}; "
        f"SET {scope} idle_in_transaction_session_timeout TO {int(_IDLE * 1000)}; "
        f"SET {scope} jit TO off; "
        f"SELECT set_config('synchronous_commit', 'on', {str(scope == 'LOCAL').lower()}) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )

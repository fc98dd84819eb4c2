"""A store on PostgreSQL, as it is copied from or to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg.rows import tuple_row

from rota.store.copying import TABLES, Kind, quoted
from rota.store.postgres_errors import translated

_A_BATCH = 500
_KINDS: Mapping[str, Kind] = {"bigint": "number", "integer": "number", "text": "text", "bytea": "bytes"}
_BY_HOST = "(SELECT hour, state, sum(runs)::bigint AS runs, sum(busy)::bigint AS busy FROM hour_total GROUP BY 1, 2)"
"""Rows of an hour are kept for each host, so that hosts do not wait for each other; elsewhere they are one."""
_COUNTED = ("job", "definition", "output", "skip", "audit")


class PostgresSide:
    """See copying.Side."""

    many_a_slot = True

    def __init__(self, connection: psycopg.Connection[Any], shown: str, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self.shown = shown

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Look at one state of it."""
        with self._transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield

    @contextmanager
    def loading(self, newest: Mapping[str, int]) -> Iterator[None]:
        """Fill it as one. What is checked at the end is checked before triggers are on again, for that must be so."""
        with self._transaction("ISOLATION LEVEL READ COMMITTED"):
            for table in TABLES:
                self._execute(f"ALTER TABLE {quoted(table)} DISABLE TRIGGER USER")
            yield
            self._execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in TABLES:
                self._execute(f"ALTER TABLE {quoted(table)} ENABLE TRIGGER USER")
            self._go_on_after(newest)
            self._execute("DELETE FROM output_kept")
            self._execute(
                "INSERT INTO output_kept (bytes) SELECT coalesce(sum(length(head) + length(tail)), 0) FROM output"
            )
            self._execute("UPDATE change SET count = count + 1 WHERE place = 0")

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._execute(f"BEGIN {kind}")
        try:
            self._execute(f"SET LOCAL search_path TO {self._schema}, pg_temp")
            self._execute("SET LOCAL statement_timeout TO 0")
            self._execute("SET LOCAL idle_in_transaction_session_timeout TO 0")
            yield
            self._execute("COMMIT")
        except BaseException as error:
            if not self._connection.closed:
                self._execute("ROLLBACK")
            if isinstance(error, psycopg.Error):
                raise translated(error, self.shown, lost=self._connection.closed) from error
            raise

    def _go_on_after(self, newest: Mapping[str, int]) -> None:
        for table in _COUNTED:
            sequence, least = f"pg_get_serial_sequence('{table}', 'id')", newest.get(table, 0)
            last = f"greatest({least}, max(id))"
            self._execute(f"SELECT setval({sequence}, greatest({last}, 1), coalesce({last}, 0) > 0) FROM {table}")
        number = newest.get("event", 0)
        self._execute(f"SELECT setval('event_number', greatest({number}, 1), {number} > 0)")

    def newest(self) -> Mapping[str, int]:
        """Return the greatest numbers that were ever given."""
        sequence = self.row("SELECT pg_get_serial_sequence('audit', 'id')")[0]
        given = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM"
        return {"event": int(self.row(f"{given} event_number")[0]), "audit": int(self.row(f"{given} {sequence}")[0])}

    def columns(self, table: str) -> Mapping[str, Kind]:
        """Return a table's columns."""
        found = self._execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            f"WHERE table_schema = '{self._schema}' AND table_name = '{table}' ORDER BY ordinal_position"
        ).fetchall()
        return {name: _KINDS[kind] for name, kind in found if (table, name) != ("hour_total", "host")}

    def row(self, text: str) -> Sequence[Any]:
        """Return the only row of a question."""
        found = self._execute(text.replace('FROM "hour_total"', f"FROM {_BY_HOST} AS hours")).fetchone()
        assert found is not None, "whoever asks counts or sums, which always has a row"
        return cast("Sequence[Any]", found)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Sequence[Any]]]:
        """Yield a table's rows, some at a time, however many there are."""
        source = f"{_BY_HOST} AS hours" if table == "hour_total" else quoted(table)
        names = ", ".join(map(quoted, columns))
        with self._connection.cursor(f"copy_{table}", row_factory=tuple_row) as cursor:
            cursor.execute(cast("Any", f"SELECT {names} FROM {source}"))
            while batch := cursor.fetchmany(_A_BATCH):
                yield cast("list[Sequence[Any]]", batch)

    def add(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        names = ", ".join(map(quoted, columns))
        with (
            self._connection.cursor() as cursor,
            cursor.copy(cast("Any", f"COPY {quoted(table)} ({names}) FROM STDIN")) as copy,
        ):
            for row in rows:
                copy.write_row(row)

    def empty(self, table: str) -> None:
        """Drop a table's rows."""
        self._execute(f"DELETE FROM {quoted(table)}")

    def _execute(self, text: str) -> psycopg.Cursor[Any]:
        return self._connection.cursor(row_factory=tuple_row).execute(cast("Any", text))

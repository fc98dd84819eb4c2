"""Which store a home uses, and how it is opened: a file in the home, or PostgreSQL.

A home remembers the store that its engine served, so that a verb without `--store` looks at the same one, and never at
an empty file beside it. What it remembers holds no password: that comes from the environment, from a file, or from
where libpq looks (`~/.pgpass`).
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from rota.config.home import STORE_RECORD, write_private
from rota.errors import RotaError, StoreUnavailable
from rota.process.lock import engine_pid
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from rota.ports import Clock
    from rota.store.address import Address
    from rota.store.database import Database

STORE = "ROTA_STORE"
IN_HOME = "sqlite"
"""What names the file in the home, for a home that used another store before."""
INSTALL = "pip install 'rota[postgres]'"
ENGINE_PATIENCE, COMMAND_PATIENCE = 0.05, 30.0
_LOOK, _TELL_EVERY = 1.0, 30.0
_ENGINE_PATIENCE_FOR_MANY = 0.25
"""On PostgreSQL others hold locks as a matter of course; less than its own patience with deadlocks, so we give way."""


_named: dict[str, str] = {}
"""Stores that this program has named itself, by home."""


def store_path(home: str) -> str:
    """Return where a home's own store is."""
    return os.path.join(home, "rota.db")


def address_of(home: str) -> Address | None:
    """Return where the store of a home is on PostgreSQL; None for the file in the home."""
    named = _named.get(os.path.realpath(home), "")
    if not named and (os.environ.get(STORE) or os.environ.get(f"{STORE}_FILE")):
        from rota.config.secrets import secret_setting

        named = secret_setting(STORE) or ""
    named = named or _recorded(home)
    if not named or named == IN_HOME:
        return None
    from rota.store.address import parse_address

    return parse_address(named)


def name_store(home: str, url: str) -> None:
    """Let a home of this process use a store, whatever the environment says: one program may have several homes."""
    from rota.store.address import parse_address

    parse_address(url)  # what is no URL of a store is refused here
    _named[os.path.realpath(home)] = url


def store_shown(home: str) -> str:
    """Return where the store of a home is, for people."""
    address = address_of(home)
    return store_path(home) if address is None else address.shown


def anchor_of(home: str) -> str:
    """Return the file that goes when a home goes: its store, or what it remembers of it."""
    return store_path(home) if address_of(home) is None else os.path.join(home, STORE_RECORD)


def open_at(home: str, *, engine: bool, patience: float | None = None) -> TableStore:
    """Open the store that a home uses."""
    address = address_of(home)
    if address is None:
        if engine:
            forget_store(home)
        usual = ENGINE_PATIENCE if engine else COMMAND_PATIENCE
        served_by = tuple if engine else partial(_served_by, home)
        path, patience = store_path(home), patience or usual
        return TableStore(SqliteDatabase(path, patience=patience, checkpoints=engine, served_by=served_by))
    usual = _ENGINE_PATIENCE_FOR_MANY if engine else COMMAND_PATIENCE
    store = TableStore(postgres_at(address, patience=patience or usual))
    if engine or not os.path.exists(store_path(home)):
        _remember(home, address)
    return store


def wait_for_store(home: str, tell: Callable[[str], None], clock: Clock) -> None:
    """Return when the store of a home can be opened, and tell now and then that it cannot.

    A machine may be up before its database is. A file is there or is not; waiting does not mend it.
    """
    told = float("-inf")
    address = address_of(home)
    while address is not None:
        try:
            postgres_at(address, patience=COMMAND_PATIENCE).close()
        except StoreUnavailable as error:
            if clock.monotonic() - told >= _TELL_EVERY:
                told = clock.monotonic()
                tell(f"{error}. Waiting for it, and trying again each second")
            clock.sleep(_LOOK)
        else:
            return


def postgres_at(address: Address, *, patience: float) -> Database:
    """Open a database on PostgreSQL."""
    try:
        from rota.store.postgres import PostgresDatabase
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "psycopg":
            raise
        raise RotaError(f"the store {address.shown} is on PostgreSQL, which needs psycopg: {INSTALL}") from error
    return PostgresDatabase(address, patience=patience)


def _served_by(home: str) -> list[str]:
    """Return the engine that serves a home, for whoever would change its store."""
    pid = engine_pid(home)
    return [] if pid is None else [f"the engine of {home} (pid {pid})"]


def _recorded(home: str) -> str:
    try:
        with open(os.path.join(home, STORE_RECORD), encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""  # a home that may not be read is told of by whoever looks for its store next


def _remember(home: str, address: Address) -> None:
    if _recorded(home) != address.shown:
        write_private(os.path.join(home, STORE_RECORD), address.shown + "\n")


def forget_store(home: str) -> None:
    """Let a home use the file that is in it again."""
    if _recorded(home):
        os.unlink(os.path.join(home, STORE_RECORD))

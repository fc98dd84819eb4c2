"""What `rota store copy` does: a whole store moves to another database, while no engine works on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from rota.config.home import prepare_home
from rota.errors import BadHome, UsageError
from rota.process.lock import EngineLock
from rota.store.address import is_address, parse_address
from rota.store.copying import copy_store
from rota.store.database import Database
from rota.store.schema import refuse_in_part
from rota.store.sqlite import SqliteDatabase
from rota.wiring.host_record import carry_identity
from rota.wiring.stores import COMMAND_PATIENCE, postgres_at, store_path


class StorePlace:
    """A store by its name on the command line: a URL, a home, or a file."""

    def __init__(self, named: str) -> None:
        self.address = parse_address(named) if is_address(named) else None
        path = os.path.realpath(os.path.expanduser(named))
        self.path = store_path(path) if os.path.isdir(path) else path
        self.shown = self.path if self.address is None else self.address.shown

    @property
    def home(self) -> str | None:
        """The home whose own store this is; None for a store anywhere else."""
        directory, name = os.path.split(self.path)
        return directory if self.address is None and name == os.path.basename(store_path("")) else None

    @contextmanager
    def opened(self, *, make: bool) -> Iterator[Database]:
        """Open it, and keep engines away from its home meanwhile."""
        with ExitStack() as stack:
            if self.address is None and not make and not os.path.exists(self.path):
                raise BadHome(f"there is no store at {self.path}; name a home, a store's file, or a URL")
            if self.home is not None:
                prepare_home(self.home)
                lock = EngineLock(self.home)
                lock.take()
                stack.callback(lock.release)
            is_new = self.address is None and not os.path.exists(self.path)
            database = self._database()
            stack.callback(database.close)
            try:
                yield database
            except BaseException:
                if is_new:  # half of a store, or an empty one, would be taken for a store
                    stack.callback(_remove, self.path)
                    database.close()
                raise

    def _database(self) -> Database:
        if self.address is None:
            return SqliteDatabase(self.path, patience=COMMAND_PATIENCE, checkpoints=True)
        return postgres_at(self.address, patience=COMMAND_PATIENCE)


def _remove(path: str) -> None:
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(FileNotFoundError):
            os.unlink(name)


def copy_between(source: StorePlace, target: StorePlace, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Copy a store, check the copy, and return how many rows of each table there are."""
    if (source.address.key if source.address else source.path) == (
        target.address.key if target.address else target.path
    ):
        raise UsageError(f"{target.shown} is the store itself; name another one to copy it to")
    with source.opened(make=False) as from_database, target.opened(make=True) as to_database:
        for database in (from_database, to_database):
            refuse_in_part(database.path, database.schema(), database.knows)
        counts = copy_store(from_database.side(), to_database.side(), progress)
        if target.home is not None:
            carry_identity(to_database, target.home)
    return counts

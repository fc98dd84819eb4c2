"""How far a log of everything has come: facts of its path, which its writer keeps and the engine drops."""

from __future__ import annotations

import os
from contextlib import suppress

from rota.errors import StoreUnavailable
from rota.ports import Log, Store


def cursor_key(path: str) -> str:
    """Return the name under which the store has how far events and output were told in a log."""
    return f"told:{path}"


def lines_key(path: str) -> str:
    """Return the name under which the store has how far the engine's own lines were told in a log."""
    return f"lines:{path}"


class PeoplesLog:
    """The log of everything that an engine's files ask for."""

    def __init__(self, home: str, store: Store, files: str, log: Log) -> None:
        self._home = home
        self._store = store
        self._key = f"log:{files}"
        self._log = log
        self._refused = ""

    def wanted(self, path: str) -> str:
        """Return the log to write, or nothing; and drop how far the one has come that was wanted before.

        Whoever takes a log out of the files wants no more of it, and not all of it later: put back, it begins anew. An
        empty fact is as none. A store that cannot be written now is asked again when the files are taken up again.
        """
        path = "" if self._is_refused(path) else path
        with suppress(StoreUnavailable):
            before = self._store.upkeep.fact(self._key) or ""
            if before != path:
                with self._store.transaction():
                    for key in (cursor_key(before), lines_key(before)) if before else ():
                        self._store.upkeep.put_fact(key, "")
                    self._store.upkeep.put_fact(self._key, path)
        return path

    def _is_refused(self, path: str) -> bool:
        """Tell whether a log would lie among rota's own files; said once."""
        home = os.path.realpath(self._home)
        if not path or os.path.commonpath([home, os.path.realpath(path)]) != home:
            self._refused = ""
            return False
        if path != self._refused:
            self._refused = path
            self._log.warning(
                f"no log is written to {path}: that is in rota's home {self._home}, whose files are rota's own; "
                "name a `log_file` outside of it"
            )
        return True

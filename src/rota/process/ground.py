"""What an engine stands on: the files of its lock and its store, which somebody may take away while it serves.

An engine whose files are gone would serve a store that nobody else can see, beside another engine perhaps. It looks
once a second, and stops. What it has started goes on.
"""

from __future__ import annotations

import os

from rota.process.lock import EngineLock


class Ground:
    """Remembers which files they are; made when both are open."""

    def __init__(self, lock: EngineLock, store: str) -> None:
        self._lock = lock
        self._store = store
        self._inode = _inode(store)

    def problem(self) -> str:
        """Say what is missing; nothing while all is as it was."""
        home = os.path.dirname(self._store)
        if _inode(self._store) != self._inode:
            what = f"{self._store} is gone, or is another file now"
        elif not self._lock.is_in_place():
            what = f"the engine's lock in {home} is gone, or is another file now"
        else:
            return ""
        return (
            f"{what}, while this engine served it. The engine stops, so that it does not serve what nobody else sees; "
            f"running jobs go on. Put the home back as it was, or begin anew, then: rota serve --home {home}"
        )


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None

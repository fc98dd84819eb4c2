"""Taking turns: of several processes that would do the same thing, one does it, and the others wait for its end."""

from __future__ import annotations

import fcntl
import os


class Turn:
    """A lock on a file that is only there for that. It goes with the process, however that ends."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1

    def take(self) -> bool:
        """Take the turn; False while somebody else has it."""
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let somebody else have it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

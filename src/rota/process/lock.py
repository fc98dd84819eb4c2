"""One engine per home: a lock on a file, held as long as the engine lives, and gone with it however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os

from rota.clock import SystemClock
from rota.errors import EngineRunning

_TRIES, _PAUSE = 50, 0.02
"""A command that only asks holds the lock for microseconds; an engine does not give up because of that."""


class EngineLock:
    """A home's lock file. It is close-on-exec: a child of a dead engine holds it only until it has become a job."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, "engine.lock")
        self._fd = -1

    def take(self) -> None:
        """Take the lock; raises EngineRunning, which names the engine that has it.

        The file may be deleted between opening and locking it, and then the next engine locks another one: it counts
        only if it is still in its place afterwards.
        """
        for _ in range(_TRIES):
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self._try() and self.is_in_place():
                break
            pid = _read_pid(self._fd)
            os.close(self._fd)
            self._fd = -1
            SystemClock().sleep(_PAUSE)
        else:
            raise EngineRunning(
                f"an engine is running already for {os.path.dirname(self._path)} (pid {pid}); "
                "stop it first, or choose another home with --home"
            )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_in_place(self) -> bool:
        """Tell whether the file that is locked is the one that the next engine would find."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(self._path))
        except OSError:
            return False

    def release(self) -> None:
        """Let the lock go."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def engine_pid(home: str) -> int | None:
    """Return the pid of the engine that runs on a home, or None when none does."""
    try:
        fd = os.open(os.path.join(home, "engine.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(fd) or None
    finally:
        os.close(fd)
    return None


def _read_pid(fd: int) -> int:
    text = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else 0

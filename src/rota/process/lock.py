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
        """Take the lock; raises EngineRunning, which names the engine that has it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        for _ in range(_TRIES):
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                SystemClock().sleep(_PAUSE)
        else:
            pid = _read_pid(fd)
            os.close(fd)
            raise EngineRunning(
                f"an engine is running already for {os.path.dirname(self._path)} (pid {pid}); "
                "stop it first, or choose another home with --home"
            )
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

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

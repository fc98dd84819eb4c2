"""One engine per home: a lock on a file, held as long as the engine lives, and gone with it however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os

import msgspec

from rota.clock import SystemClock
from rota.errors import EngineRunning

TRIES, FEW_TRIES, _PAUSE = 50, 3, 0.02
"""A command that only asks holds the lock for microseconds; an engine does not give up because of that."""
SERVE, IN_PROGRAM = "serve", "program"
"""Whose engine it is: `rota serve`, or some program's own."""


class Holder(msgspec.Struct, frozen=True):
    """Who has a home's lock."""

    pid: int
    kind: str


class EngineLock:
    """A home's lock file. It is close-on-exec: a child of a dead engine holds it only until it has become a job."""

    def __init__(self, home: str) -> None:
        self._path = os.path.join(home, "engine.lock")
        self._fd = -1

    def take(self, kind: str = SERVE, tries: int = TRIES) -> None:
        """Take the lock; raises EngineRunning, which names the engine that has it.

        The file may be deleted between opening and locking it, and then the next engine locks another one: it counts
        only if it is still in its place afterwards.
        """
        for _ in range(tries):
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if self._try() and self.is_in_place():
                break
            pid = _read(self._fd).pid
            os.close(self._fd)
            self._fd = -1
            SystemClock().sleep(_PAUSE)
        else:
            raise EngineRunning(
                f"an engine is running already for {os.path.dirname(self._path)} (pid {pid}); "
                "stop it first, or choose another home with --home"
            )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()} {kind}\n".encode(), 0)

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

    def abandon(self) -> None:
        """In a fork: close the descriptor without letting the lock go, which is the parent's."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def engine_pid(home: str) -> int | None:
    """Return the pid of the engine that runs on a home, or None when none does."""
    holder = holder_of(home)
    return None if holder is None else holder.pid or None


def holder_of(home: str) -> Holder | None:
    """Return who runs an engine on a home; None when nobody does."""
    try:
        fd = os.open(os.path.join(home, "engine.lock"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(fd)
    finally:
        os.close(fd)
    return None


def _read(fd: int) -> Holder:
    pid, _, kind = os.pread(fd, 64, 0).decode("ascii", "replace").strip().partition(" ")
    return Holder(int(pid) if pid.isdigit() else 0, kind or SERVE)

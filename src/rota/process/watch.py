"""Waiting: one place where the engine sleeps until a time, a process's end, or a byte on a descriptor.

Two watchers do the same. With pidfds (Linux) the kernel wakes the wait for the end of any process, our child or not.
Without them (macOS) SIGCHLD wakes it for children, and adopted processes, which are nobody's children here, are looked
at a few times a second.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import Protocol

_LOOK_AGAIN = 0.2


class Watcher(Protocol):
    """What both watchers do. A pid is watched under a key of the caller's."""

    hears_children: bool
    """Whether it learns of children's ends by itself; else SIGCHLD must end its wait."""

    def watch_fd(self, fd: int) -> None: ...
    def watch_pid(self, key: str, pid: int, *, ours: bool) -> bool: ...
    def forget(self, key: str) -> None: ...
    def wait(self, seconds: float) -> None: ...
    def take_ended(self) -> list[tuple[str, int | None]]: ...
    def reap_strangers(self) -> None: ...
    def close(self) -> None: ...


class PidfdWatcher:
    """Waits on epoll, with a pidfd for every process."""

    hears_children = True

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._pidfds: dict[int, tuple[str, int, bool]] = {}
        self._by_key: dict[str, int] = {}
        self._blind = _Polled()
        self._ended: list[tuple[str, int | None]] = []

    def watch_fd(self, fd: int) -> None:
        """Let input on a descriptor end the wait."""
        self._epoll.register(fd, select.EPOLLIN)

    def watch_pid(self, key: str, pid: int, *, ours: bool) -> bool:
        """Watch a process; False when it is gone already. With no descriptor left it is looked at now and then."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        except OSError:
            return self._blind.add(key, pid, ours=ours)
        try:
            self._epoll.register(fd, select.EPOLLIN)
        except OSError:
            os.close(fd)
            return self._blind.add(key, pid, ours=ours)
        self._pidfds[fd] = (key, pid, ours)
        self._by_key[key] = fd
        return True

    def forget(self, key: str) -> None:
        """Stop watching."""
        self._blind.forget(key)
        fd = self._by_key.pop(key, None)
        if fd is not None:
            del self._pidfds[fd]
            os.close(fd)  # closing takes it out of the epoll set

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or the time is over."""
        if self._blind:
            seconds = min(seconds, _LOOK_AGAIN)
        with contextlib.suppress(InterruptedError):
            # epoll itself waits in whole milliseconds, rounded up; every slot would be late by that.
            select.select((self._epoll,), (), (), max(0.0, seconds))
            for fd, _ in self._epoll.poll(0):
                if fd in self._pidfds:
                    self._note_end(fd)
        if self._blind:
            self._ended += self._blind.look()

    def take_ended(self) -> list[tuple[str, int | None]]:
        """Return what ended since the last time: key, and the exit status of our own children (negative: a signal)."""
        ended, self._ended = self._ended, []
        return ended

    def reap_strangers(self) -> None:
        """As process 1: collect orphans that were given to us, without taking our own children's ends."""
        own = {pid: fd for fd, (_, pid, ours) in self._pidfds.items() if ours}
        while True:
            pid = _next_zombie()
            if pid is None:
                return
            if pid in own:
                self._note_end(own.pop(pid))
            elif self._blind.is_own(pid):
                self._ended += self._blind.look()
            else:
                _collect(pid)

    def close(self) -> None:
        """Close every descriptor; the processes go on."""
        for fd in self._pidfds:
            os.close(fd)
        self._epoll.close()

    def _note_end(self, fd: int) -> None:
        key, pid, ours = self._pidfds[fd]
        status = _collect(pid) if ours else None
        self._ended.append((key, status))
        self.forget(key)


class SigchldWatcher:
    """Waits on poll; SIGCHLD, which writes into a descriptor that is watched, ends the wait for children."""

    hears_children = False

    def __init__(self) -> None:
        self._poll = select.poll()
        self._processes = _Polled()
        self._ended: list[tuple[str, int | None]] = []

    def watch_fd(self, fd: int) -> None:
        """Let input on a descriptor end the wait."""
        self._poll.register(fd, select.POLLIN)

    def watch_pid(self, key: str, pid: int, *, ours: bool) -> bool:
        """Watch a process; False when it is gone already."""
        return self._processes.add(key, pid, ours=ours)

    def forget(self, key: str) -> None:
        """Stop watching."""
        self._processes.forget(key)

    def wait(self, seconds: float) -> None:
        """Wait until something happens, or the time is over."""
        if self._processes.has_strangers():
            seconds = min(seconds, _LOOK_AGAIN)
        self._ended += self._processes.look()
        if not self._ended:
            with contextlib.suppress(InterruptedError):
                self._poll.poll(max(0.0, seconds) * 1000)
            self._ended += self._processes.look()

    def take_ended(self) -> list[tuple[str, int | None]]:
        """Return what ended since the last time, as the other watcher does."""
        ended, self._ended = self._ended, []
        return ended

    def reap_strangers(self) -> None:
        """As process 1: collect orphans that were given to us, without taking our own children's ends."""
        self._ended += self._processes.look()
        while (pid := _next_zombie()) is not None:
            if self._processes.is_own(pid):
                self._ended += self._processes.look()
            else:
                _collect(pid)

    def close(self) -> None:
        """Forget everything; the processes go on."""
        self._processes = _Polled()


class _Polled:
    """Processes that are watched by looking at them."""

    def __init__(self) -> None:
        self._processes: dict[str, tuple[int, bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._processes)

    def add(self, key: str, pid: int, *, ours: bool) -> bool:
        """Look at a process from now on; False when it is gone already."""
        if not ours and not _exists(pid):
            return False
        self._processes[key] = (pid, ours)
        return True

    def forget(self, key: str) -> None:
        """Look at it no more."""
        self._processes.pop(key, None)

    def is_own(self, pid: int) -> bool:
        """Tell whether it is a child of ours that is looked at."""
        return any(pid == own for own, ours in self._processes.values() if ours)

    def has_strangers(self) -> bool:
        """Tell whether one of them is nobody's child here: no signal tells of its end."""
        return any(not ours for _, ours in self._processes.values())

    def look(self) -> list[tuple[str, int | None]]:
        """Return those that have ended, and look at them no more."""
        ended: list[tuple[str, int | None]] = []
        for key, (pid, ours) in list(self._processes.items()):
            if ours:
                done, status = os.waitpid(pid, os.WNOHANG)
                if not done:
                    continue
                ended.append((key, os.waitstatus_to_exitcode(status)))
            elif _exists(pid):
                continue
            else:
                ended.append((key, None))
            self.forget(key)
        return ended


def new_watcher() -> Watcher:
    """Return the watcher for this platform."""
    return PidfdWatcher() if hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal") else SigchldWatcher()


def _collect(pid: int) -> int | None:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None


def _next_zombie() -> int | None:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

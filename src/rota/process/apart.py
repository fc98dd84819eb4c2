"""A function's call in a process of its own, for a program that waits for its answer.

The function goes there by value, and its answer comes back by value, through one descriptor that has no name. The
process has a session of its own and a mark in its environment: whatever it starts, a daemon too, is found and ended.
Where the caller is itself in such a tree, that one's mark stays beside the new one: to end the outer tree ends both.

1. `wait` for the process to end, for Ctrl-C, for somebody who interrupts, or for the time to be over.
2. Unless the process has ended by itself: `end` its whole tree. SIGTERM, a grace, SIGKILL, until nothing is left.
3. Read the answer: what was returned or raised there is returned or raised here.

Failure modes: a caller that is killed cannot end anything; then the process finds that its leash has ended, or that it
has another parent, and ends its tree by itself (see answering.py). Code that never lets go of the interpreter's lock
delays that. A process that waits in the kernel for a disk cannot be ended by anybody: after a while it is left, dying.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
from types import TracebackType
from typing import Any

from rota.clock import SystemClock
from rota.errors import TaskTimeout
from rota.process import tree
from rota.process.answering import ANSWER, LEASH, read_answer
from rota.process.identity import MARK, mark_of, marked_within
from rota.process.nameless import open_nameless

_ABOVE = 10
"""Descriptors of ours are moved up here first: one that is in another's place would be lost on its way."""
_LONGEST_WAIT = 3600.0
_LOOK = 0.02
_DYING = 10.0
_RESET = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


class Apart:
    """One call: begun when this is made, over when this is closed."""

    def __init__(self, payload: bytes, name: str) -> None:
        self._name = name
        self._clock = SystemClock()
        self._mark = mark_of("apart", os.urandom(8).hex(), 1)
        self._status: int | None = None
        self._is_collected = self._is_interrupted = False
        with contextlib.ExitStack() as undo:
            self._answer = undo.enter_context(open_nameless())
            self._answer.write(payload)
            self._answer.flush()
            self._answer.seek(0)
            reader, leash = os.pipe()
            undo.callback(os.close, leash)
            try:
                self._pid = self._spawn(reader)
            finally:
                os.close(reader)
            self._awake, self._alarm = os.pipe()
            undo.callback(os.close, self._awake)
            undo.callback(os.close, self._alarm)
            self._pidfd = self._open_pidfd(undo)
            self._undo = undo.pop_all()

    def _spawn(self, leash: int) -> int:
        argv = [sys.executable, "-P", "-m", "rota.process.answering", str(os.getpid()), self._name]
        with _moved_up(self._answer.fileno()) as answer, _moved_up(leash) as reader:
            return os.posix_spawn(
                argv[0],
                argv,
                {**os.environ, MARK: marked_within(os.environ, self._mark)},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, answer, ANSWER),
                    (os.POSIX_SPAWN_DUP2, reader, LEASH),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_RESET,
            )

    def _open_pidfd(self, undo: contextlib.ExitStack) -> int | None:
        """Open what tells of the process's end; where there is no such thing, it is looked for now and then."""
        if not hasattr(os, "pidfd_open"):
            return None
        try:
            found = os.pidfd_open(self._pid)
        except OSError:
            return None
        undo.callback(os.close, found)
        return found

    # -- waiting ------------------------------------------------------------------------------------------------------

    def result(self, timeout: float, kill_after: float) -> Any:
        """Wait, and return or raise what the function has returned or raised; at the timeout, end it and everything."""
        try:
            in_time = self._wait(timeout)
        except BaseException:  # Ctrl-C, or whatever else ends a wait: then nobody waits for the answer any more
            self._end(kill_after)
            raise
        if not in_time:
            self._end(kill_after)
            what = "was interrupted" if self._is_interrupted else f"took longer than {timeout:g}s"
            raise TaskTimeout(f"{self._name} {what}, and was ended with everything that it had started")
        self._collect()
        self._answer.seek(0)
        return read_answer(self._answer.read(), self._name, self._status)

    def interrupt(self) -> None:
        """Let `result` end the call now; from any thread."""
        self._is_interrupted = True
        os.write(self._alarm, b"!")

    def _wait(self, seconds: float) -> bool:
        """Wait until the process has ended; False when the time is over first, or somebody interrupts."""
        poll = select.poll()
        for fd in (self._awake, self._pidfd):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        deadline = self._clock.monotonic() + seconds
        while not self._has_ended():
            left = deadline - self._clock.monotonic()
            if left <= 0 or self._is_interrupted:
                return False
            poll.poll(min(left, _LOOK if self._pidfd is None else _LONGEST_WAIT) * 1000)
        return True

    def _has_ended(self) -> bool:
        if self._is_collected:
            return True
        if self._pidfd is None:
            return self._collect(os.WNOHANG)
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def _collect(self, flags: int = 0) -> bool:
        """Learn how the process ended; False while it has not. Where others collect all children, nobody knows."""
        if self._is_collected:
            return True
        try:
            pid, status = os.waitpid(self._pid, flags)
        except ChildProcessError:
            self._is_collected = True
            return True
        if pid:
            self._status, self._is_collected = os.waitstatus_to_exitcode(status), True
        return self._is_collected

    # -- ending -------------------------------------------------------------------------------------------------------

    @property
    def _session(self) -> int | None:
        """The process's number, as long as it can be nobody else's."""
        return None if self._is_collected else self._pid

    def _end(self, kill_after: float) -> None:
        """End the whole tree: ask, wait, kill, and look until nothing of it is left. A second Ctrl-C waits no more."""
        try:
            tree.signal_tree(self._mark, self._session, signal.SIGTERM, spare=False)
            self._wait_until_gone(kill_after)
        finally:
            deadline = self._clock.monotonic() + _DYING
            while self._is_anything_left() and self._clock.monotonic() < deadline:
                tree.kill_tree(self._mark, self._session, spare=False)

    def _wait_until_gone(self, seconds: float) -> None:
        deadline = self._clock.monotonic() + seconds
        while self._is_anything_left() and self._clock.monotonic() < deadline:
            self._clock.sleep(_LOOK)

    def _is_anything_left(self) -> bool:
        """Look twice before nothing is believed: for an instant during exec a process shows no environment."""
        return any(tree.members(self._mark, self._session, spare=False) for _ in range(2))

    def close(self) -> None:
        """Let go of it; one that nobody has waited for is ended. What nobody could end reads the end of its leash."""
        try:
            if not self._has_ended():
                self._end(0.0)
        finally:
            self._undo.close()
            self._collect(os.WNOHANG)

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def _moved_up(fd: int) -> Any:
    """Give a copy of a descriptor with a high number."""
    copy = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    try:
        yield copy
    finally:
        os.close(copy)

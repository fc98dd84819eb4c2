"""When a process of rota's own that goes on for long is to end: its engine has gone, or somebody asks it to.

The engine holds the other end of such a process's standard input (see beside.py). Standard input that is no pipe (a
terminal, /dev/null) says nothing about anybody, and then only a signal ends the process.
"""

from __future__ import annotations

import os
import select
import signal
import stat
from types import FrameType, TracebackType

_STANDARD_INPUT = 0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Leash:
    """Waits, and knows when it is time to end. One for each process: it takes the signals over."""

    def __init__(self) -> None:
        self._pulled = False
        self._poll = select.poll()

    def __enter__(self) -> Leash:
        self._awake, self._alarm = os.pipe()
        for fd in (self._awake, self._alarm):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._alarm, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._asked) for number in _SIGNALS}
        self._poll.register(self._awake, select.POLLIN)
        mode = os.fstat(_STANDARD_INPUT).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._poll.register(_STANDARD_INPUT, select.POLLIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._awake)
        os.close(self._alarm)

    def wait(self, seconds: float) -> bool:
        """Wait, at most so long; tell whether it is time to end."""
        for fd, _ in self._poll.poll(0 if self._pulled else seconds * 1000):
            if not os.read(fd, 4096) and fd == _STANDARD_INPUT:
                self._pulled = True
                self._poll.unregister(fd)
        return self._pulled

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._pulled = True

"""Threads that call one function after another; there are as many as there are calls at once.

Python's own pool waits for its threads when the program ends. These do not hold up anybody: a function that never comes
to its end would.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

Work = Callable[[], None]
_NAME = "rota worker"
_IDLE = 60.0
"""A thread that had nothing to do for so many seconds ends."""


class Workers:
    """Gives work to a thread that has none, or to a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle = 0
        """Threads that wait for work, and have not been given any yet."""
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._closed = False

    def start(self, work: Work) -> None:
        """Have work done, now; raises RuntimeError when the system gives no more threads."""
        with self._lock:
            is_free = self._idle > 0
            self._idle -= is_free
        if is_free:
            self._work.put(work)
        else:
            threading.Thread(target=self._do, args=(work,), name=_NAME, daemon=True).start()

    def _do(self, work: Work | None) -> None:
        while work is not None:
            work()
            work = self._next()

    def _next(self) -> Work | None:
        threading.current_thread().name = _NAME
        with self._lock:
            if self._closed:
                return None
            self._idle += 1
        while True:
            try:
                return self._work.get(timeout=_IDLE)
            except Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return None
                # Somebody has just given it work.

    def close(self) -> None:
        """Let the threads that wait end; the others go on to the end of their work."""
        with self._lock:
            idle, self._idle, self._closed = self._idle, 0, True
        for _ in range(idle):
            self._work.put(None)

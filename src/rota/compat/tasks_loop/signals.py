"""SIGTERM and Ctrl-C while a scheduler runs: the first asks it to stop, a second one ends what is running."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_to_stop(stop: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first signal and `end` at later ones; in another thread than the main one at none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    answers = [stop]

    def answer(_number: int, _frame: FrameType | None) -> None:
        # In a thread: the one that was interrupted may hold the very locks that stopping needs.
        threading.Thread(target=answers.pop() if answers else end, name="stop", daemon=True).start()

    before = [(number, signal.signal(number, answer)) for number in _ASKING]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)

"""A real engine takes its own time: tests wait for a condition, and never longer than a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .sites import DEADLINE

_T = TypeVar("_T")
_PAUSE = 0.02


def wait_for(condition: Callable[[], _T]) -> _T:
    """Return what the condition gives as soon as it is true; fail when it does not become true in time."""
    deadline = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {DEADLINE} s it is still not so"
        time.sleep(_PAUSE)
    return found

"""Real processes take their own time: tests wait for a condition, and never longer than a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
_PAUSE = 0.01


def wait_for(condition: Callable[[], _T], seconds: float = 20.0) -> _T:
    """Return what the condition gives as soon as it is true; fail when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {seconds:g} s it is still not so"
        time.sleep(_PAUSE)
    return found

"""Mistakes of ours while a request is served, for the log: one line each, with the innermost places.

The engine passes on a few lines of what a process beside it says; a traceback's first ones would say nothing.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

_PLACES = 4


class Mistakes(logging.Handler):
    """Says what the server logs, with the places of an exception in one line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._say(record.getMessage())
            return
        frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
        places = " < ".join(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        self._say(f"a mistake of rota's own: {type(error).__name__}: {error} ({places})")


def _short(path: str) -> str:
    """Return a path from the package on, if it is in one."""
    return path.rpartition("/src/")[2] if "/src/" in path else path.rpartition("/site-packages/")[2]

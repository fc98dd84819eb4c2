"""What functions return is kept with their runs, up to a size."""

from __future__ import annotations

LONGEST_RESULT = 256 * 1024


def bounded(result: str) -> str:
    """Return what a function left, or that it is too long to be kept."""
    if len(result) <= LONGEST_RESULT:
        return result
    return f'{{"note": "the result is longer than {LONGEST_RESULT} characters and was not kept"}}'

"""What the text of any schedule must be before somebody reads it as one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rota.errors import BadSchedule, did_you_mean

LONGEST = 1_000
"""Nobody writes a longer schedule by hand, and a reader must not be kept busy by one."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WORD = re.compile(r"[^ \t]+")


def checked(text: str) -> str:
    """Return the text without the white space behind it, or refuse what no schedule can look like.

    The white space before it stays, so that a column still counts from where the person began.
    """
    if len(text) > LONGEST:
        raise BadSchedule(
            text[:40] + "…", 0, f"it has {len(text):,} characters; at most {LONGEST:,} are read", "shorten it"
        )
    text = text.rstrip()
    if not text.strip():
        raise BadSchedule(text, 0, "it is empty", "write when the job is due")
    if bad := _CONTROL.search(text):
        raise BadSchedule(
            text, bad.start() + 1, f"control character {bad.group()!r}", "write one schedule in plain text on one line"
        )
    return text


def words(text: str) -> Iterator[tuple[str, int]]:
    """Yield each word of the text with its column, counted from 1."""
    for found in _WORD.finditer(text):
        yield found.group(), found.start() + 1


def items(word: str, column: int) -> Iterator[tuple[str, int]]:
    """Yield each item of a comma-separated word with its column."""
    for item in word.split(","):
        yield item, column
        column += len(item) + 1


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return the hint for an unknown word: the nearest known one, if any, and what else may be written."""
    return f"{did_you_mean(word, known).removeprefix('; ')} {otherwise}".strip()

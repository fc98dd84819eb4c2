"""Durations as people write them: 90s, 1h30m, 1.5h, 2w, 500ms, 5 minutes."""

from __future__ import annotations

import re
from datetime import timedelta

from rota.errors import BadSchedule
from rota.schedule.text import checked, nearest

_MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}
_UNITS = {
    "us": "us µs microsecond microseconds",
    "ms": "ms msec millisecond milliseconds",
    "s": "s sec secs second seconds",
    "m": "m min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
    "w": "w week weeks",
}
_UNIT = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings.split()}
_WORD = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond", "us": "microsecond"}
_NEXT = {"w": "d", "d": "h", "h": "m", "m": "s", "s": "ms", "ms": "us"}
_NO_LENGTH = re.compile(r"mos?|months?|y|yrs?|years?|quarters?", re.IGNORECASE)
_PART = re.compile(r"[ \t]*(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)[ \t]*(?P<unit>[^\W\d_]*)[ \t]*")
_EXAMPLES = "write a number and a unit, such as 90s, 1h30m, 1.5h, 1d or '5 minutes'"
_LONGEST = timedelta(days=3_652_500)


def parse_duration(text: str | int | float) -> timedelta:
    """Return the duration that a text means; a number alone is seconds.

    Each unit may be written once: '5m 5m' is more likely a slip than ten minutes.
    """
    if isinstance(text, int | float):
        return _from_number(text)
    text = checked(text)
    total, at, seen, unit = 0, 0, set[str](), ""
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise _no_number(text, at)
        alone = at == 0 and part.end() == len(text)
        unit = _unit(text, part, unit, alone=alone)
        if unit in seen:
            raise BadSchedule(text, part.start("unit") + 1, f"{_WORD.get(unit, 'week')}s are given twice", _EXAMPLES)
        seen.add(unit)
        whole, _, parts = part["number"].partition(".")
        scale = 10 ** len(parts)
        total += (2 * int(whole + parts) * _MICROSECONDS[unit] + scale) // (2 * scale)
        at = part.end()
    return _limited(text, total)


def format_duration(duration: timedelta) -> str:
    """Return the shortest text that parse_duration reads as this duration, such as 1h30m; '-' leads a negative one."""
    parts = _parts(abs(duration))
    sign = "-" if duration < timedelta(0) else ""
    return sign + "".join(f"{number}{unit}" for number, unit in parts) if parts else "0s"


def words(duration: timedelta) -> str:
    """Return the duration in words, such as '1 hour 30 minutes'."""
    parts = _parts(abs(duration))
    sign = "minus " if duration < timedelta(0) else ""
    spoken = [f"{number} {_WORD[unit]}{'' if number == 1 else 's'}" for number, unit in parts]
    return sign + " ".join(spoken) if spoken else "0 seconds"


def _parts(duration: timedelta) -> list[tuple[int, str]]:
    """Split a duration into its units from days down, leaving out those that are zero."""
    left = duration // timedelta(microseconds=1)
    parts = []
    for unit in _WORD:
        number, left = divmod(left, _MICROSECONDS[unit])
        if number:
            parts.append((number, unit))
    return parts


def _from_number(number: float) -> timedelta:
    if isinstance(number, bool) or number != number:
        raise BadSchedule(str(number), 0, "it is no duration", _EXAMPLES)
    too_long = _LONGEST // timedelta(seconds=1) + 1
    number = min(max(number, -too_long), too_long)  # so that no number is too big to be shown
    if number < 0:
        raise BadSchedule(str(number), 1, "a duration cannot be negative", _EXAMPLES)
    return _limited(str(number), round(number * _MICROSECONDS["s"]))


def _limited(text: str, microseconds: int) -> timedelta:
    if microseconds > _LONGEST // timedelta(microseconds=1):
        raise BadSchedule(text, 0, "it is longer than 10,000 years", "write a shorter duration")
    return timedelta(microseconds=microseconds)


def _unit(text: str, part: re.Match[str], before: str, *, alone: bool) -> str:
    """Return the unit of one part, which follows one of the unit `before`, or refuse it with the reason."""
    word, column = part["unit"], part.start("unit") + 1
    if not word:
        if alone:
            return "s"
        problem, hint = f"{part['number']} has no unit", _EXAMPLES
        if before in _NEXT and part.end() == len(text):
            hint = f"did you mean '{text.strip()}{_NEXT[before]}'? {_EXAMPLES}"
        raise BadSchedule(text, part.start("number") + 1, problem, hint)
    if word == "M" or _NO_LENGTH.fullmatch(word):
        problem = f"{word!r} has no fixed length"
        hint = "'m' is minutes; for months and years use cron or calendar, which know the date"
        raise BadSchedule(text, column, problem, hint)
    unit = _UNIT.get(word.lower())
    if unit is None:
        raise BadSchedule(text, column, f"unknown unit {word!r}", nearest(word.lower(), _UNIT, _EXAMPLES))
    return unit


def _no_number(text: str, at: int) -> BadSchedule:
    rest = text[at:].lstrip()
    column = len(text) - len(rest) + 1
    if rest.startswith("-"):
        return BadSchedule(text, column, "a duration cannot be negative", _EXAMPLES)
    return BadSchedule(text, column, f"a number is missing before {rest[:20]!r}", _EXAMPLES)

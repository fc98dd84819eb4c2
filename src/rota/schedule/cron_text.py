"""Reading a cron expression: every field is checked here, so that a complaint knows its column.

What comes out is in cronsim's dialect. On the way the differences between what people write and what cronsim reads
are removed: `@daily` and friends, `friL`, names and Sunday at the end of a range, and `4-4/2`, which is one value
(cronsim goes on from 4 to the end). `15W` is unknown to cronsim, and set aside in `nearest_days`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rota.errors import BadSchedule
from rota.schedule.text import checked, items, nearest, words


class Field(NamedTuple):
    """One field of a cron expression."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


class CronText(NamedTuple):
    """A cron expression that was found to be well formed."""

    text: str
    fields: tuple[str, ...]
    """Second, minute, hour, day-of-month, month, day-of-week, as cronsim reads them."""
    nearest_days: frozenset[int]
    """The days n of nW: the weekday nearest to day n of the month."""
    only_nearest: bool
    """Whether the day-of-month field is made of nW alone; it is given to cronsim as plain n then."""
    day_column: int
    """Where the days begin: the column of a complaint that no day ever matches."""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day-of-month", 1, 31),
    Field("month", 1, 12, _MONTHS),
    Field("day-of-week", 0, 7, _WEEKDAYS),
)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIVE = "write five fields (minute, hour, day-of-month, month, day-of-week), or six with seconds first"
_SUCH_AS = "such as 5, 1-5, */5 or 1,3,5"
_BEYOND = {
    ("second", 60): "write 0 for the full minute",
    ("minute", 60): "write 0 for the full hour",
    ("hour", 24): "write 0 for midnight",
}
_NUMBER = re.compile(r"[0-9]+")
_NEAREST = re.compile(r"([0-9]+)w", re.IGNORECASE)
_SUNDAY, _SEVEN = "sun", 7


def read(text: str) -> CronText:
    """Read an expression, or refuse it with the column."""
    text = checked(text)
    found = list(words(text))
    first, column = found[0]
    if first.startswith("@"):
        return _macro(text, found)
    if len(found) == 5:
        found.insert(0, ("0", column))
    if len(found) != 6:
        many = "field was" if len(found) == 1 else "fields were"
        more = "; a year is not among cron's fields" if len(found) == 7 else ""
        where = found[len(_FIELDS)][1] if len(found) > len(_FIELDS) else len(text) + 1
        raise BadSchedule(text, where, f"{len(found)} {many} found{more}", _FIVE)
    fields, nearest_days = [], set[int]()
    for field, (word, at) in zip(_FIELDS, found, strict=True):
        reader = _Reader(text, field, nearest_days)
        read_items = [reader.item(item, where) for item, where in items(word, at)]
        fields.append(",".join(filter(None, read_items)))
    only_nearest = not fields[3]
    if only_nearest:
        fields[3] = ",".join(map(str, sorted(nearest_days)))
    return CronText(text, tuple(fields), frozenset(nearest_days), only_nearest, found[3][1])


def _macro(text: str, found: list[tuple[str, int]]) -> CronText:
    word, column = found[0]
    if word.lower() == "@reboot":
        hint = "use the schedule 'at' with the word boot (at: boot in a file, --at boot on the command line)"
        raise BadSchedule(text, column, "'@reboot' is no time", hint)
    if word.lower() == "@every":
        raise BadSchedule(text, column, "'@every' is not cron's", "use the schedule 'every' with a text such as 5m")
    if word.lower() not in _MACROS:
        hint = nearest(word.lower(), _MACROS, f"the names are {', '.join(_MACROS)}")
        raise BadSchedule(text, column, f"unknown name {word!r}", hint)
    if len(found) > 1:
        raise BadSchedule(text, found[1][1], f"{word} stands alone, but {found[1][0]!r} follows", "remove the rest")
    return CronText(text, ("0", *_MACROS[word.lower()].split()), frozenset(), only_nearest=False, day_column=column)


class _Reader:
    """Reads the items of one field; the days of nW are added to `nearest_days`."""

    def __init__(self, text: str, field: Field, nearest_days: set[int]) -> None:
        self.text, self.field, self.nearest_days = text, field, nearest_days

    def item(self, item: str, column: int) -> str:
        """Return one item as cronsim reads it, or nothing when it was set aside."""
        if not item:
            raise self.refused(column, f"{self.field.name} has an empty place", "remove the comma or write a value")
        if self.field.name == "day-of-month" and (found := _NEAREST.fullmatch(item)):
            self.nearest_days.add(self._value(found[1], column))
            return ""
        special = self._special(item, column)
        if special:
            return special
        body, slash, step = item.partition("/")
        if slash:
            self._check_step(step, column + len(body) + 1)
        low, dash, high = body.partition("-")
        if body == "*":
            return item
        if not dash:
            return f"{self._value(body, column)}{slash}{step}"
        start, end = self._value(low, column), self._value(high, column + len(low) + 1)
        if end == 0 < start and high.lower() == _SUNDAY:
            end = _SEVEN
        if end < start:
            sunday = "; Sunday at the end is 7" if high == "0" and self.field.high == _SEVEN else ""
            problem = f"the range {body} is reversed"
            raise self.refused(column, problem, f"write the lower end first, or two ranges with a comma{sunday}")
        return f"{start}-{end}{slash}{step}" if start < end else str(start)

    def refused(self, column: int, problem: str, hint: str = "") -> BadSchedule:
        """Return the complaint about a column."""
        return BadSchedule(self.text, column, problem, hint)

    def _special(self, item: str, column: int) -> str:
        """Return an L, W or # item as cronsim reads it, or nothing when it is no such item."""
        lower = item.lower()
        if self.field.name == "day-of-month":
            return self._special_day(lower, column)
        if self.field.name != "day-of-week":
            return ""
        if lower == "l":
            raise self.refused(column, "'L' alone is no day of the week", "write friL or 5L for the last Friday")
        if "#" in item:
            day, _, nth = item.partition("#")
            if nth not in ("1", "2", "3", "4", "5"):
                raise self.refused(column + len(day) + 1, "the number after '#' must be 1 to 5", "such as mon#1")
            return f"{self._value(day, column)}#{nth}"
        if lower.endswith("l"):
            return f"{self._value(item[:-1], column)}L"
        return ""

    def _special_day(self, lower: str, column: int) -> str:
        if lower in ("l", "lw", "wl"):
            return "L" if lower == "l" else "LW"
        if lower.startswith("l"):
            hint = "'L' is the last day and 'LW' the last weekday; for the days before it use calendar: *-*~3"
            raise self.refused(column, f"{lower.upper()!r} is not a day of the month", hint)
        return ""

    def _check_step(self, step: str, column: int) -> None:
        if not _NUMBER.fullmatch(step) or not int(step):
            shown = f"not {step!r}" if step else "but nothing follows '/'"
            raise self.refused(column, f"a step must be a whole number from 1 on, {shown}", "such as */5")

    def _value(self, word: str, column: int) -> int:
        """Return the number of a value, or of a name."""
        field = self.field
        if _NUMBER.fullmatch(word):
            if field.low <= int(word) <= field.high:
                return int(word)
            such_as = "such as 5, 1-5, */5, 1,3,5, or L for the last day" if field.name == "day-of-month" else _SUCH_AS
            hint = _BEYOND.get((field.name, int(word)), such_as)
            raise self.refused(column, f"{field.name} must be {field.low} to {field.high}, not {word}", hint)
        if word.lower() in field.names:
            return field.names.index(word.lower()) + field.low
        limits = f"{field.name} must be {field.low} to {field.high}"
        if word == "?":
            raise self.refused(column, "'?' is not cron's", "write * for any value")
        if not word or not word[0].isalpha():
            shown = f", not {word!r}" if word else ", but a value is missing"
            raise self.refused(column, limits + shown, _SUCH_AS)
        known = f" or a name ({', '.join(field.names)})" if field.names else ""
        raise self.refused(column, f"unknown name {word!r}", nearest(word.lower(), field.names, limits + known))

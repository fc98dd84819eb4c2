"""Reading an OnCalendar expression: its parts are found and checked here, so that a complaint knows its column.

An expression is `[weekdays] [date] [time] [zone]`, or one word such as `daily` and perhaps a zone. What comes out is
in oncalendar's dialect, with the zone taken off and `4..4/2` written as the one value that it is (oncalendar goes
on from 4 to the end).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from oncalendar import SPECIALS, SYMBOLIC_DAYS, SYMBOLIC_DAYS_SHORT, Field, OnCalendarError

from rota.errors import BadSchedule
from rota.schedule.text import checked, items, nearest, words


class CalendarText(NamedTuple):
    """An OnCalendar expression that was found to be well formed."""

    text: str
    expression: str
    """As oncalendar reads it."""
    zone: str | None
    zone_column: int
    every_hour_or_minute: bool
    """Whether the hour or the minute is a star or counts on from zero: a schedule that follows real time."""
    day_column: int


class _Spoken(NamedTuple):
    name: str
    limits: str
    example: str


_FIELDS = {
    Field.DOW: _Spoken("weekday", "Mon to Sun", "Mon..Fri or Sat,Sun"),
    Field.YEAR: _Spoken("year", "1970 to 2199", "2026 or *"),
    Field.MONTH: _Spoken("month", "1 to 12", "01, 1..6 or *"),
    Field.DAY: _Spoken("day", "1 to 31 (1 to 28 after '~')", "01, 1..7, 1/2, ~1 or *"),
    Field.HOUR: _Spoken("hour", "0 to 23", "09, 9..17, 0/2 or *"),
    Field.MINUTE: _Spoken("minute", "0 to 59", "30, 0/15 or *"),
    Field.SECOND: _Spoken("second", "0 to 59", "00, 0/10 or *"),
}
_DATE = re.compile(r"(?:(?P<year>[^-~]*)-)?(?P<month>[^-~]*)(?P<from>[-~])(?P<day>[^-~]*)")
_SAME_ENDS = re.compile(r"0*([0-9]+)\.\.0*\1(?:/0*[1-9][0-9]*)?")
_NUMBER = re.compile(r"[0-9]+")
_STEP = re.compile(r"0*[1-9][0-9]*")
_COUNTS_ON = re.compile(r"\*|0+/")
_GRAMMAR = "write [weekdays] [date] [time], such as 'Mon..Fri 09:00' or '*-*-01 03:00:00'"


def read(text: str) -> CalendarText:
    """Read an expression, or refuse it with the column.

    1. A last word that is no date, time or weekday is the zone.
    2. A name such as daily stands alone.
    3. Otherwise time, date and weekdays, from the end.
    """
    text = checked(text)
    found = list(words(text))
    zone, zone_column = None, 0
    if len(found) > 1 and _may_be_zone(found[-1][0]):
        zone, zone_column = found.pop()
    first, column = found[0]
    if first.lower() in SPECIALS:
        if len(found) > 1:
            hint = f"{_GRAMMAR}; {first.lower()} is short for '{SPECIALS[first.lower()]}'"
            raise BadSchedule(text, found[1][1], f"{first!r} stands alone, but {found[1][0]!r} follows", hint)
        expression = SPECIALS[first.lower()]
        return CalendarText(text, expression, zone, zone_column, " *:" in expression, column)
    return _Parts(text, found).read(zone, zone_column)


class _Parts:
    """Reads weekdays, date and time."""

    def __init__(self, text: str, found: list[tuple[str, int]]) -> None:
        self.text, self.left = text, found
        self.day_column = found[0][1]

    def read(self, zone: str | None, zone_column: int) -> CalendarText:
        """Read the parts from the last to the first."""
        hour = minute = second = "0"
        if ":" in self.left[-1][0]:
            hour, minute, second = self._time(*self.left.pop())
        date = weekdays = ""
        if self.left and self.left[-1][0][0] in "0123456789*~" and re.search("[-~]", self.left[-1][0]):
            self.day_column = self.left[-1][1]
            date = self._date(*self.left.pop())
        if self.left:
            weekdays = self._weekdays(*self.left.pop())
        if self.left:
            word, column = self.left[0]
            hint = "write the list without a space after the comma" if word.endswith(",") else _GRAMMAR
            raise BadSchedule(self.text, column, f"{word!r} is one part too many", hint)
        counts_on = bool(_COUNTS_ON.match(hour) or _COUNTS_ON.match(minute))
        expression = " ".join(part for part in (weekdays, date, f"{hour}:{minute}:{second}") if part)
        return CalendarText(self.text, expression, zone, zone_column, counts_on, self.day_column)

    def _time(self, word: str, column: int) -> tuple[str, str, str]:
        parts = word.split(":")
        if len(parts) > 3:
            raise BadSchedule(self.text, column, f"{word!r} has {len(parts)} parts", "a time is hour:minute:second")
        read = []
        for field, part in zip((Field.HOUR, Field.MINUTE, Field.SECOND), parts, strict=False):
            read.append(self._field(field, part, column))
            column += len(part) + 1
        return read[0], read[1], read[2] if len(read) > 2 else "0"

    def _date(self, word: str, column: int) -> str:
        found = _DATE.fullmatch(word)
        if found is None:
            raise BadSchedule(self.text, column, f"{word!r} is no date", "a date is year-month-day, such as *-*-01")
        year = "*"
        if found["year"] is not None:
            year = self._field(Field.YEAR, found["year"], column)
        month = self._field(Field.MONTH, found["month"], column + found.start("month"))
        last = "~" if found["from"] == "~" else ""
        day = self._field(Field.DAY, found["day"], column + found.start("day"), last)
        return f"{year}-{month}{last or '-'}{day}"

    def _weekdays(self, word: str, column: int) -> str:
        if not word[0].isalpha():
            raise BadSchedule(self.text, column, f"{word!r} is no weekday, date or time", _GRAMMAR)
        return self._field(Field.DOW, word.removesuffix(","), column)

    def _field(self, field: Field, part: str, column: int, prefix: str = "") -> str:
        """Return a field as oncalendar reads it, or say which of its items is wrong and why."""
        if part == "*" and field is not Field.DOW:
            return part
        read = []
        for item, where in items(part, column):
            same = _SAME_ENDS.fullmatch(item)
            plain = same[1] if same else item
            try:
                field.parse(prefix + plain)
            except OnCalendarError:
                raise self._refused(field, item, where) from None
            if "*" in plain:
                raise self._refused(field, item, where)
            read.append(plain)
        return ",".join(read)

    def _refused(self, field: Field, item: str, column: int) -> BadSchedule:
        if field is Field.DOW:
            return self._refused_weekday(item, column)
        name, limits, example = _FIELDS[field]
        problem = f"{name} must be {limits}, not {item!r}" if item else f"the {name} is missing"
        start, dots, end = item.partition("..")
        body, slash, step = item.partition("/")
        if slash and not _STEP.fullmatch(step):
            column += len(body) + 1
            problem = f"a step must be a whole number from 1 on, not {step!r}"
        elif "*" in item:
            problem = f"{item!r} mixes '*' with something else; '*' stands alone in a field"
            example = f"{'1' if field in (Field.MONTH, Field.DAY) else '0'}/{step}" if body == "*" and step else example
        elif field is Field.SECOND and "." in item and not dots:
            problem = f"fractions of a second are not kept, as in {item!r}"
        elif _NUMBER.fullmatch(start) and _NUMBER.fullmatch(end) and int(start) > int(end):
            problem = f"the range {item} is reversed"
        return BadSchedule(self.text, column, problem, f"such as {example}")

    def _refused_weekday(self, item: str, column: int) -> BadSchedule:
        known = [day.capitalize() for day in (*SYMBOLIC_DAYS_SHORT, *SYMBOLIC_DAYS)]
        for word in re.split(r"\.\.|-", item):
            if word.capitalize() not in known:
                problem = f"unknown weekday {word!r}" if word else "the weekday is missing"
                known += SPECIALS
                hint = nearest(word.capitalize(), known, f"such as {_FIELDS[Field.DOW].example}")
                return BadSchedule(self.text, column + item.index(word), problem, hint)
        problem = f"the range {item} is reversed; a week begins with Mon"
        return BadSchedule(self.text, column, problem, "write two ranges with a comma, such as Fri..Sun,Mon")


def _may_be_zone(word: str) -> bool:
    """Return whether a last word can only be a zone: zones begin with a letter, and weekdays never come last."""
    return word[0].isalpha() and ":" not in word

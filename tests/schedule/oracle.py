"""An independent model of cron in a zone: it walks through real time step by step and looks at the wall clock.

It shares no code with rota.schedule: fields are read here, walls come from zoneinfo, nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


class Model:
    """A cron expression of plain fields: stars, numbers, ranges, steps, lists."""

    def __init__(self, expression: str) -> None:
        words = expression.split()
        self.step = MINUTE if len(words) == 5 else SECOND
        if len(words) == 5:
            words.insert(0, "0")
        self.sets = [_values(word, *ends) for word, ends in zip(words, _RANGES, strict=True)]
        self.wildcard = words[1][0] == "*" or words[2][0] == "*"
        self.both = words[3][0] == "*" or words[5][0] == "*"

    def matches(self, wall: datetime) -> bool:
        seconds, minutes, hours, days, months, weekdays = self.sets
        if wall.minute not in minutes or wall.hour not in hours or wall.second not in seconds:
            return False
        on_day = wall.day in days
        on_weekday = wall.isoweekday() in weekdays or wall.isoweekday() % 7 in weekdays
        return wall.month in months and ((on_day and on_weekday) if self.both else (on_day or on_weekday))

    def slots(self, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
        """Return the slots in (after, until]; `after` must not lie in the second pass of a repeated hour."""
        found = []
        top = _wall(after, zone)
        instant = after + self.step
        while instant <= until:
            wall = _wall(instant, zone)
            if self.wildcard:
                fires = self.matches(wall)
            else:
                fires = any(self.matches(each) for each in _steps(top, wall, self.step))
            if fires:
                found.append(instant)
            top = max(top, wall)
            instant += self.step
        return found


def _values(word: str, low: int, high: int) -> set[int]:
    values: set[int] = set()
    for item in word.split(","):
        body, _, step = item.partition("/")
        if body == "*":
            first, last = low, high
        elif "-" in body:
            first, last = map(int, body.split("-"))
        else:
            first = int(body)
            last = high if step else first
        values.update(range(first, last + 1, int(step or 1)))
    return values


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _steps(after: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    while after < until:
        after += step
        yield after


Jump = tuple[datetime, timedelta, timedelta]
"""An instant at which a zone's offset changes, the offset before it and the one after it."""


def jumps(zone: ZoneInfo, first: date, last: date) -> list[Jump]:
    """Return every change of the zone's offset between two dates."""
    found = []
    instant = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC)
    offset = offset_at(zone, instant)
    while instant < end:
        following = instant + timedelta(days=1)
        new = offset_at(zone, following)
        if new != offset:
            low, high = instant, following
            while high - low > SECOND:
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset_at(zone, middle) == offset else (low, middle)
            found.append((high.replace(microsecond=0), offset, new))
        instant, offset = following, new
    return found


def offset_at(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


@cache
def zones_by_jumps() -> dict[tuple[Jump, ...], list[str]]:
    """Return the jumps of every IANA zone that has one in 2026 to 2028, with the zones that share them."""
    found: dict[tuple[Jump, ...], list[str]] = {}
    for name in sorted(available_timezones()):
        its_jumps = tuple(jumps(ZoneInfo(name), date(2026, 1, 1), date(2029, 1, 1)))
        if its_jumps:
            found.setdefault(its_jumps, []).append(name)
    return found


@cache
def every_jump() -> dict[Jump, str]:
    """Return each different jump of 2026 to 2028 with one zone that makes it."""
    return {jump: names[0] for its_jumps, names in zones_by_jumps().items() for jump in its_jumps}

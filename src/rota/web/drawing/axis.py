"""Where a picture of time has its marks: on the round times of somebody's wall clock, whatever its zone does.

A mark is a time that the wall clock really shows. On the day that the clock goes forward an hour has none, on the day
that it goes back an hour has two, and in a zone half an hour off they stand where its own hours begin.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STEPS = (
    *(_MINUTE * number for number in (1, 5, 10, 15, 30)),
    *(_HOUR * number for number in (1, 2, 3, 6, 12)),
    *(_DAY * number for number in (1, 2, 7, 14, 28)),
)


class Mark(msgspec.Struct, frozen=True):
    """A mark on an axis."""

    at: datetime
    """In UTC."""
    text: str
    is_day: bool
    """A day begins here."""


class Scale(msgspec.Struct, frozen=True):
    """From instants to places on a line: 0 where a span begins, 100 where it ends."""

    since: datetime
    until: datetime

    def place(self, instant: datetime) -> float:
        """Return where an instant is; what lies outside is on the edge."""
        share = (instant - self.since) / (self.until - self.since)
        return round(100 * min(1.0, max(0.0, share)), 3)


def marks(since: datetime, until: datetime, zone: tzinfo, most: int) -> list[Mark]:
    """Return the round times of a span, in order, about as many as there is room for."""
    step = next((step for step in STEPS if (until - since) / step <= most), STEPS[-1])
    found = {at for wall in _round_times(since, until, zone, step) for at in _instants(wall, zone)}
    return [_mark(at, zone) for at in sorted(found) if since <= at < until]


def _round_times(since: datetime, until: datetime, zone: tzinfo, step: timedelta) -> Iterator[datetime]:
    """Yield the round times of a wall clock, without their zone, about a span."""
    first = since.astimezone(zone).replace(tzinfo=None) - _DAY
    last = until.astimezone(zone).replace(tzinfo=None) + _DAY
    if step >= _DAY:
        every = step // _DAY
        days = range(-(-first.toordinal() // every) * every, last.toordinal(), every)
        yield from (datetime.combine(date.fromordinal(day), time()) for day in days)
        return
    midnight = datetime.combine(first.date(), time())
    wall = midnight + -((midnight - first) // step) * step
    while wall < last:
        yield wall
        wall += step


def _instants(wall: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Yield when a wall clock shows a time: mostly once."""
    for fold in (0, 1):
        at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
            yield at


def _mark(at: datetime, zone: tzinfo) -> Mark:
    wall = at.astimezone(zone)
    is_day = wall.time() == time()
    return Mark(at, f"{wall:%a} {wall.day}" if is_day else f"{wall:%H:%M}", is_day)

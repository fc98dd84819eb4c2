"""Which span of time a timeline shows, and the ways from it: earlier, later, nearer, further, and back to now.

A span is two thirds what was and one third what comes. Its edges are on whole steps, each less than what can be seen;
so a picture that is made again a second later is the same, unless something has happened.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import quote

import msgspec

from rota.control.times import exact
from rota.errors import UsageError, did_you_mean

SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
USUAL = "6h"
_BEHIND = 2 / 3
_STEPS = 720
_FARTHEST = timedelta(days=366)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Way(msgspec.Struct, frozen=True):
    """A link to another span."""

    word: str
    href: str
    is_here: bool = False


class Window(msgspec.Struct, frozen=True):
    """A span of time that is looked at."""

    name: str
    """How long it is: one of SPANS."""
    at: datetime | None
    """The instant that it is about; None for now, whenever that is."""
    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it is."""
        return SPANS[self.name]

    @property
    def spans(self) -> list[Way]:
        """Return the ways nearer and further."""
        return [Way(name, _href(name, self.at), name == self.name) for name in SPANS]

    @property
    def earlier(self) -> str:
        """Return the way back in time."""
        return _href(self.name, self._middle - self.length / 2)

    @property
    def later(self) -> str:
        """Return the way on."""
        return _href(self.name, self._middle + self.length / 2)

    @property
    def to_now(self) -> str:
        """Return the way to what goes on now."""
        return _href(self.name, None)

    @property
    def _middle(self) -> datetime:
        return self.since + self.length * _BEHIND


def window(name: str, at: datetime | None, now: datetime) -> Window:
    """Return the span of a name about an instant, or about now."""
    if name not in SPANS:
        near = did_you_mean(name, SPANS)
        raise UsageError(f"a timeline cannot show {name!r}{near or '; it shows ' + ', '.join(SPANS)}")
    if at is not None and abs(at - now) > _FARTHEST:
        raise UsageError("a timeline shows at most a year back and a year ahead")
    length = SPANS[name]
    middle = at or now
    step = length / _STEPS
    middle -= (middle - _EPOCH) % step  # steps are whole seconds
    since = middle - length * _BEHIND
    return Window(name, at, since, since + length)


def span_text(seen: Window, zone: tzinfo) -> str:
    """Say from when to when, on a wall clock."""
    since, until = seen.since.astimezone(zone), seen.until.astimezone(zone)
    end = f"{until:%H:%M}" if since.date() == until.date() else _day_and_time(until)
    return f"{_day_and_time(since)} to {end}"


def _day_and_time(wall: datetime) -> str:
    return f"{wall:%a} {wall.day} {wall:%b %H:%M}"


def _href(name: str, at: datetime | None) -> str:
    when = "" if at is None else f"&at={quote(exact(at))}"
    return f"/?span={name}{when}"

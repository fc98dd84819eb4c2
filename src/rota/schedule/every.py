"""A fixed interval of real time, whatever wall clocks do; a day is 24 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rota.errors import BadSchedule
from rota.schedule.duration import format_duration, parse_duration, words
from rota.schedule.wallclock import EPOCH

_SHORTEST = timedelta(milliseconds=1)
_LONGEST = timedelta(days=36_525)
_ZERO = timedelta(0)


class Every:
    """The slots anchor + k × interval, for k from 1 on: the anchor itself is not a slot."""

    def __init__(self, interval: timedelta, anchor: datetime = EPOCH) -> None:
        if anchor.tzinfo is None:
            raise ValueError(f"the anchor {anchor} has no zone")
        self.interval, self.anchor = interval, anchor.astimezone(UTC)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after the instant; none beyond the year 9999."""
        try:
            return self.anchor + (self._passed(instant) + 1) * self.interval
        except OverflowError:
            return None

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot at or before the instant; none up to the anchor."""
        passed = self._passed(instant)
        return self.anchor + passed * self.interval if passed else None

    def count(self, after: datetime, until: datetime) -> int:
        """Return the number of slots in (after, until]."""
        return max(0, self._passed(until) - self._passed(after))

    def explain(self) -> str:
        """Say how often this fires: 'every 5 minutes', 'every hour'."""
        spoken = words(self.interval)
        one_of_one = spoken.startswith("1 ") and spoken.count(" ") == 1
        return f"every {spoken[2:] if one_of_one else spoken}"

    def _passed(self, instant: datetime) -> int:
        """Return how many slots are at or before the instant."""
        since = instant - self.anchor
        return since // self.interval if since > _ZERO else 0


def every(text: str, anchor: datetime | None) -> Every:
    """Read an interval such as '5m', '1h30m' or '90' (seconds)."""
    interval = parse_duration(text)
    column = len(text) - len(text.lstrip()) + 1
    if interval < _SHORTEST:
        problem = f"every {format_duration(interval)} is too often; the shortest interval is 1ms"
        raise BadSchedule(text, column, problem, "write a longer one, such as 10s")
    if interval > _LONGEST:
        problem = f"every {words(interval)} is longer than a century"
        raise BadSchedule(text, column, problem, "for one firing use at")
    return Every(interval, EPOCH if anchor is None else anchor)

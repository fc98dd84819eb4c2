"""A pattern of wall times in a zone: what cron and calendar schedules are.

What the wall clock does around a jump is decided by one choice, the rule:

- FIRE (fixed times): a slot is the first instant at which the wall clock shows the time *or is beyond it*. So a
  skipped time fires at the end of its gap, all skipped times of one gap are one slot, and a repeated time fires once.
- FOLLOW (wildcard times): a slot is every instant at which the wall clock shows the time. So the repeated hour
  has its slots in both passes, and a skipped hour has none: `*/5` stays five minutes of real time.
- SKIP (systemd's way, on request): as FIRE, but a skipped time has no slot.

In terms of stretches the rules differ only in the first wall time that a stretch answers for; see `_begin`.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from rota.schedule.pattern import Pattern
from rota.schedule.wallclock import DAY, FIRST_DAY, LAST_DAY, Stretch, to_instant, to_second, wall_clock

_NEAR = 3 * DAY
"""More than any jump of a wall clock: nothing further away than this can be shown again."""


class Rule(Enum):
    """What happens to wall times that a zone skips or repeats."""

    FIRE = "fire"
    FOLLOW = "follow"
    SKIP = "skip"


class WallSchedule:
    """The slots of a pattern in a zone, under a rule."""

    def __init__(self, pattern: Pattern, zone: ZoneInfo, rule: Rule, english: str) -> None:
        self.pattern, self.zone, self.rule = pattern, zone, rule
        self._clock = wall_clock(zone)
        self._english = english

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after the instant.

        1. In the instant's own stretch, take the first wall time that is later and that the stretch answers for.
        2. When it lies beyond the stretch, go to the next one, and look again if the wall clock jumped in between.
        3. Once the start is far behind, jump straight to where the wall time must be.
        """
        second = max(to_second(instant), FIRST_DAY * DAY - 1)
        stretch = self._clock.stretch_at(second + 1)
        if stretch is None:
            return None
        wall = self.pattern.first_from(max(second + 1 + stretch.offset, self._begin(stretch)))
        while wall is not None:
            end = self._end(stretch)
            if wall < end:
                return to_instant(max(wall - stretch.offset, stretch.start))
            after = stretch.end
            if after - second > _NEAR:
                after = max(after, wall - stretch.offset - _NEAR)
            stretch = self._clock.stretch_at(after)
            if stretch is None:
                return None
            begin = self._begin(stretch)
            if begin != end:
                wall = self.pattern.first_from(begin)
        return None

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot at or before the instant: `next_after`, seen in a mirror."""
        second = min(to_second(instant), (LAST_DAY + 1) * DAY - 1)
        stretch = self._clock.stretch_at(second)
        if stretch is None:
            return None
        begin = self._begin(stretch)
        wall = self.pattern.last_until(max(second + stretch.offset, begin - 1))
        while wall is not None:
            if wall >= begin:
                return to_instant(max(wall - stretch.offset, stretch.start))
            before = stretch.start - 1
            if second - before > _NEAR:
                before = min(before, wall - stretch.offset + _NEAR)
            stretch = self._clock.stretch_at(before)
            if stretch is None:
                return None
            end = self._end(stretch)
            if end != begin:
                wall = self.pattern.last_until(end - 1)
            begin = self._begin(stretch)
        return None

    def count(self, after: datetime, until: datetime) -> int:
        """Return the number of slots in (after, until]: for each stretch, the pattern's own count."""
        second = max(to_second(after), FIRST_DAY * DAY - 1) + 1
        end = min(to_second(until), (LAST_DAY + 1) * DAY - 1) + 1
        count = 0
        while second < end and (stretch := self._clock.stretch_at(second)):
            count += self._count_within(stretch, second, min(end, stretch.end))
            second = stretch.end
        return count

    def explain(self) -> str:
        """Say when this fires, and in which zone."""
        return f"{self._english} ({self.zone.key})"

    def _count_within(self, stretch: Stretch, start: int, end: int) -> int:
        """Return the number of slots in [start, end), which lies in the stretch.

        At the stretch's own start, all the wall times of a gap and the first one after it are one slot.
        """
        first = start + stretch.offset
        last = end + stretch.offset
        begin = self._begin(stretch)
        if start > stretch.start or begin >= first:
            return self.pattern.count(max(first, begin), last)
        at_the_end_of_the_gap = 1 if self.pattern.count(begin, first + 1) else 0
        return at_the_end_of_the_gap + self.pattern.count(first + 1, last)

    def _begin(self, stretch: Stretch) -> int:
        """Return the first wall time that the stretch answers for."""
        match self.rule:
            case Rule.FIRE:
                return stretch.passed
            case Rule.FOLLOW:
                return stretch.start + stretch.offset
            case Rule.SKIP:
                return max(stretch.passed, stretch.start + stretch.offset)

    def _end(self, stretch: Stretch) -> int:
        """Return the first wall time that the stretch does not answer for any more."""
        end = stretch.end + stretch.offset
        return end if self.rule is Rule.FOLLOW else max(stretch.passed, end)

"""The union of a job's schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge

from rota.schedule.base import Schedule

_TICK = timedelta(microseconds=1)


class Timetable:
    """All slots of some schedules from `not_before` to `not_after`, both included; equal instants are one slot."""

    def __init__(
        self, schedules: Sequence[Schedule], not_before: datetime | None = None, not_after: datetime | None = None
    ) -> None:
        self.schedules = tuple(schedules)
        self.not_before, self.not_after = not_before, not_after

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot of any schedule strictly after the instant."""
        if self.not_before is not None and instant < self.not_before:
            instant = self.not_before - _TICK
        found = min((slot for each in self.schedules if (slot := each.next_after(instant))), default=None)
        return found if found is None or self.not_after is None or found <= self.not_after else None

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot of any schedule at or before the instant."""
        if self.not_after is not None:
            instant = min(instant, self.not_after)
        found = max((slot for each in self.schedules if (slot := each.latest_until(instant))), default=None)
        return found if found is None or self.not_before is None or found >= self.not_before else None

    def count(self, after: datetime, until: datetime) -> int:
        """Return the exact number of slots in (after, until].

        One schedule counts for itself. Of several, the one with the most slots does, and only the slots of the
        others are walked through: each adds one unless the first has it too. So a rare schedule beside a busy one
        costs little, and only two busy ones cost their number.
        """
        after, until = self._within(after, until)
        if after >= until or not self.schedules:
            return 0
        ranked = sorted(self.schedules, key=lambda each: each.count(after, until))
        busiest = ranked.pop()
        others = _merged(ranked, after, until)
        return busiest.count(after, until) + sum(busiest.latest_until(slot) != slot for slot in others)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the slots in (after, until], ascending, each when it is asked for."""
        after, until = self._within(after, until)
        return _merged(self.schedules, after, until)

    def explain(self) -> str:
        """Say when each schedule fires, and between which dates."""
        spoken = "; and ".join(dict.fromkeys(each.explain() for each in self.schedules)) or "never by itself"
        if self.not_before is not None:
            spoken += f", not before {_spoken(self.not_before)}"
        if self.not_after is not None:
            spoken += f", not after {_spoken(self.not_after)}"
        return spoken

    def _within(self, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        if self.not_before is not None and after < self.not_before:
            after = self.not_before - _TICK
        return after, until if self.not_after is None else min(until, self.not_after)


def _merged(schedules: Sequence[Schedule], after: datetime, until: datetime) -> Iterator[datetime]:
    last = None
    for slot in merge(*(_slots(each, after, until) for each in schedules)):
        if slot != last:
            yield slot
        last = slot


def _slots(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    slot = schedule.next_after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = schedule.next_after(slot)


def _spoken(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"

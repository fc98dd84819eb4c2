"""How a zone's wall clock runs against UTC.

A zone is cut into stretches: spans of real time in which its offset from UTC does not change. Inside a stretch
wall time and UTC differ by a constant, so everything about schedules is arithmetic on whole seconds; only at the
borders between stretches does the wall clock jump. It jumps forward (a gap: wall times that never happen), or
back (a fold: wall times that happen twice). Summer time, a country that moves across the date line and a
permanent change of offset are the same thing here.

Each stretch also knows which wall times have *passed* before it begins. That one number decides both cases:

- after a gap, the skipped wall times are not passed yet, though the wall clock is beyond them already;
- after a fold, the repeated wall times are passed, though the wall clock shows them again.

`zoneinfo` tells offsets but no borders, so they are found by looking every three days and halving. The shortest
stretch in the IANA database lasts just under four days (Freetown in 1939, seen in 2025b); if a government ever makes
one that is shorter than three, both of its borders could be missed, and slots in those days would be off by the
jump. The stretches are found a year at a time, when somebody asks for it, and kept: about 0.3 ms and 1.3 kB for a
year of a zone. New Year cuts a stretch in two of the same offset, which changes no answer.

Instants and wall times are whole seconds as numbers, counted from the day before 0001-01-01, so that `// 86400` of
either is a date's ordinal.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86_400
FIRST_DAY, LAST_DAY = date.min.toordinal() + 3, date.max.toordinal() - 3
"""The days that schedules know: three short of what a datetime can hold, so that no offset can overflow."""

_LOOK_EVERY = 3 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECOND = EPOCH.toordinal() * DAY


def to_second(instant: datetime) -> int:
    """Return the whole second that an aware instant lies in."""
    since = instant - EPOCH
    return _EPOCH_SECOND + since.days * DAY + since.seconds


def to_instant(second: int) -> datetime:
    """Return the aware UTC instant at which a second begins."""
    return EPOCH + timedelta(seconds=second - _EPOCH_SECOND)


class Stretch(NamedTuple):
    """A span of UTC seconds [start, end) with one offset; wall times below `passed` had their turn before it."""

    start: int
    end: int
    offset: int
    passed: int


class WallClock:
    """The stretches of one zone, found when they are asked for."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._years: dict[int, tuple[Stretch, ...]] = {}

    def stretch_at(self, second: int) -> Stretch | None:
        """Return the stretch that a UTC second lies in, or None beyond the days that schedules know."""
        ordinal = second // DAY
        if not FIRST_DAY <= ordinal <= LAST_DAY:
            return None
        year = date.fromordinal(ordinal).year
        for stretch in self._years.get(year) or self._find(year):
            if second < stretch.end:
                return stretch
        raise AssertionError(f"the stretches of {year} in {self.zone.key} leave a hole")

    def first_second(self, wall: int) -> int | None:
        """Return the first UTC second at which the wall clock shows this wall time or is beyond it."""
        if wall < FIRST_DAY * DAY:
            return None
        second = max(wall - DAY - _LOOK_EVERY, FIRST_DAY * DAY)
        while stretch := self.stretch_at(second):
            if wall < max(stretch.passed, stretch.end + stretch.offset):
                return max(wall - stretch.offset, stretch.start)
            second = stretch.end
        return None

    def _find(self, year: int) -> tuple[Stretch, ...]:
        """Find and keep the stretches of a year.

        1. Start early enough for a fold shortly before New Year to be known in it.
        2. At each jump, what the wall clock has shown so far is passed.
        3. Drop what lies before the year, and let its first stretch begin with it.
        """
        first, end = _new_year(year), _new_year(year + 1)
        start = first - 2 * _LOOK_EVERY
        offset = self._offset(start)
        passed = start + offset
        stretches = []
        for jump, new_offset in self._jumps(start, end):
            stretches.append(Stretch(start, jump, offset, passed))
            passed = max(passed, jump + offset)
            start, offset = jump, new_offset
        stretches.append(Stretch(start, end, offset, passed))
        found = tuple(_cut(stretch, first) for stretch in stretches if stretch.end > first)
        self._years[year] = found
        return found

    def _jumps(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return each second in (start, end) at which the offset changes, with the new offset."""
        jumps = []
        before, seen = start, self._offset(start)
        while before < end - 1:
            after = min(before + _LOOK_EVERY, end - 1)
            offset = self._offset(after)
            if offset != seen:
                jumps.append((self._halve(before, after, seen), offset))
            before, seen = after, offset
        return jumps

    def _halve(self, before: int, after: int, old_offset: int) -> int:
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == old_offset:
                before = middle
            else:
                after = middle
        return after

    def _offset(self, second: int) -> int:
        second = min(max(second, (FIRST_DAY - 1) * DAY), (LAST_DAY + 1) * DAY)
        instant = to_instant(second)
        ahead = instant.astimezone(self.zone).replace(tzinfo=UTC) - instant
        return ahead.days * DAY + ahead.seconds


@lru_cache(maxsize=1024)
def wall_clock(zone: ZoneInfo) -> WallClock:
    """Return the one wall clock of a zone, so that all schedules of the zone share what was found."""
    return WallClock(zone)


def _new_year(year: int) -> int:
    return date(year, 1, 1).toordinal() * DAY if year <= date.max.year else (date.max.toordinal() + 1) * DAY


def _cut(stretch: Stretch, first: int) -> Stretch:
    if stretch.start >= first:
        return stretch
    return stretch._replace(start=first, passed=max(stretch.passed, first + stretch.offset))

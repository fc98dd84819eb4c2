"""Wall times as a pattern: the days that match, times the times of a day that match.

Both cron and OnCalendar say which days and, apart from that, which hours, minutes and seconds. So a pattern can be
counted without being walked through: matching days × times in a day, less the ends. Which days of a month match
depends on nothing but the weekday it begins with and its length, so the answer is kept for each of the 28 shapes.

Wall times are whole seconds as in `wallclock`: `// 86400` is the date's ordinal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from rota.schedule.wallclock import DAY, FIRST_DAY, LAST_DAY

_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CYCLE = 400
"""The calendar repeats after 400 years: a pattern without a day in them has none at all."""


class Pattern:
    """A set of wall times; `matches` judges a day's place in its month, months and years are judged here."""

    def __init__(
        self,
        hours: Iterable[int],
        minutes: Iterable[int],
        seconds: Iterable[int],
        matches: Callable[[date], bool],
        months: Iterable[int],
        years: Iterable[int] | None = None,
    ) -> None:
        self.hours = tuple(sorted(hours))
        self.minutes = tuple(sorted(minutes))
        self.seconds = tuple(sorted(seconds))
        self.months = tuple(sorted(months))
        self.years = None if years is None else tuple(sorted(years))
        self.times_a_day = len(self.hours) * len(self.minutes) * len(self.seconds)
        self._matches = matches
        self._shapes: dict[tuple[int, int], tuple[int, ...]] = {}

    def first_from(self, wall: int) -> int | None:
        """Return the first wall time of the pattern that is not before this one."""
        ordinal, time = divmod(wall, DAY)
        if ordinal < FIRST_DAY:
            ordinal, time = FIRST_DAY, 0
        if ordinal > LAST_DAY:
            return None
        day = date.fromordinal(ordinal)
        if day.day in self._days(day.year, day.month):
            rank = self._rank(time)
            if rank < self.times_a_day:
                return ordinal * DAY + self._time(rank)
        later = self._day_after(day)
        return None if later is None or later > LAST_DAY else later * DAY + self._time(0)

    def last_until(self, wall: int) -> int | None:
        """Return the last wall time of the pattern that is not after this one."""
        ordinal, time = divmod(wall, DAY)
        if ordinal > LAST_DAY:
            ordinal, time = LAST_DAY, DAY - 1
        if ordinal < FIRST_DAY:
            return None
        day = date.fromordinal(ordinal)
        if day.day in self._days(day.year, day.month):
            rank = self._rank(time + 1)
            if rank:
                return ordinal * DAY + self._time(rank - 1)
        earlier = self._day_before(day)
        return None if earlier is None or earlier < FIRST_DAY else earlier * DAY + self._time(self.times_a_day - 1)

    def count(self, start: int, end: int) -> int:
        """Return how many wall times of the pattern lie in [start, end)."""
        start, end = max(start, FIRST_DAY * DAY), min(end, (LAST_DAY + 1) * DAY)
        if start >= end:
            return 0
        first, time = divmod(start, DAY)
        last, end_time = divmod(end, DAY)
        count = self._count_days(first, last) * self.times_a_day
        if time and self._has(first):
            count -= self._rank(time)
        if end_time and self._has(last):
            count += self._rank(end_time)
        return count

    def _rank(self, time: int) -> int:
        """Return how many times of a matching day are before this time of day."""
        hour, minute, second = time // 3600, time // 60 % 60, time % 60
        at_hour = bisect_left(self.hours, hour)
        rank = at_hour * len(self.minutes) * len(self.seconds)
        if at_hour < len(self.hours) and self.hours[at_hour] == hour:
            at_minute = bisect_left(self.minutes, minute)
            rank += at_minute * len(self.seconds)
            if at_minute < len(self.minutes) and self.minutes[at_minute] == minute:
                rank += bisect_left(self.seconds, second)
        return rank

    def _time(self, rank: int) -> int:
        """Return the time of day that has this many others before it."""
        rank, second = divmod(rank, len(self.seconds))
        hour, minute = divmod(rank, len(self.minutes))
        return self.hours[hour] * 3600 + self.minutes[minute] * 60 + self.seconds[second]

    def _has(self, ordinal: int) -> bool:
        day = date.fromordinal(ordinal)
        return day.day in self._days(day.year, day.month)

    def _days(self, year: int, month: int) -> tuple[int, ...]:
        """Return the matching days of a month, ascending."""
        if month not in self.months or (self.years is not None and year not in self.years):
            return ()
        leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        length = _LENGTHS[month] + leap
        shape = (date(year, month, 1).weekday(), length)
        days = self._shapes.get(shape)
        if days is None:
            days = tuple(day for day in range(1, length + 1) if self._matches(date(year, month, day)))
            self._shapes[shape] = days
        return days

    def _day_after(self, day: date) -> int | None:
        days = self._days(day.year, day.month)
        at = bisect_right(days, day.day)
        if at < len(days):
            return day.toordinal() + days[at] - day.day
        for year, month in self._months_after(day.year, day.month):
            if days := self._days(year, month):
                return date(year, month, days[0]).toordinal()
        return None

    def _day_before(self, day: date) -> int | None:
        days = self._days(day.year, day.month)
        at = bisect_left(days, day.day)
        if at:
            return day.toordinal() - day.day + days[at - 1]
        for year, month in self._months_before(day.year, day.month):
            if days := self._days(year, month):
                return date(year, month, days[-1]).toordinal()
        return None

    def _count_days(self, start: int, end: int) -> int:
        """Return how many matching days lie in [start, end), by ordinal."""
        first, last = date.fromordinal(start), date.fromordinal(end)
        count = bisect_left(self._days(last.year, last.month), last.day)
        count -= bisect_left(self._days(first.year, first.month), first.day)
        year, month = first.year, first.month
        while (year, month) != (last.year, last.month):
            count += len(self._days(year, month))
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return count

    def _months_after(self, year: int, month: int) -> Iterator[tuple[int, int]]:
        years = range(year, min(year + _CYCLE, date.max.year) + 1) if self.years is None else self.years
        for each in years[bisect_left(years, year) :]:
            for its_month in self.months:
                if each > year or its_month > month:
                    yield each, its_month

    def _months_before(self, year: int, month: int) -> Iterator[tuple[int, int]]:
        years = range(max(year - _CYCLE, date.min.year), year + 1) if self.years is None else self.years
        for each in reversed(years[: bisect_right(years, year)]):
            for its_month in reversed(self.months):
                if each < year or its_month < month:
                    yield each, its_month

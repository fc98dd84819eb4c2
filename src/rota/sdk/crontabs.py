"""Schedules for other schedulers: as a line of cron's fields, and as the numbers that cron's fields stand for."""

from __future__ import annotations

from typing import NamedTuple

from rota.config.writers.crontab_schedules import AT_BOOT, cron_lines
from rota.errors import BadSchedule
from rota.schedule.cron_text import read
from rota.schedule.zones import zone as find_zone
from rota.sdk.schedules import Cron, Every

_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class CronNumbers(NamedTuple):
    """When a cron expression is due: all numbers of each field, ascending; Sunday is 0."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @property
    def any_day(self) -> bool:
        """Tell whether every day of the month is meant."""
        return len(self.days) == 31

    @property
    def any_weekday(self) -> bool:
        """Tell whether every day of the week is meant."""
        return len(self.weekdays) == 7

    @property
    def any_month(self) -> bool:
        """Tell whether every month is meant."""
        return len(self.months) == 12


def cron_fields(schedule: Cron | Every) -> str:
    """Return a schedule as five fields that every cron reads alike; BadSchedule says why there are none."""
    spec = schedule.spec()
    found = cron_lines(spec)
    if found.refusal or found.fields[0] == AT_BOOT:
        raise BadSchedule(spec.text, 0, found.refusal or "it is no time")
    return found.fields[0]


def cron_numbers(schedule: Cron | Every) -> CronNumbers:
    """Return what five fields stand for."""
    numbers = [
        _numbers(field, low, high)
        for field, (low, high) in zip(read(cron_fields(schedule)).fields[1:], _LIMITS, strict=True)
    ]
    weekdays = tuple(sorted({day % 7 for day in numbers[4]}))
    return CronNumbers(numbers[0], numbers[1], numbers[2], numbers[3], weekdays)


def _numbers(field: str, low: int, high: int) -> tuple[int, ...]:
    found: set[int] = set()
    for item in field.split(","):
        body, _, step = item.partition("/")
        start, dash, end = body.partition("-")
        first = low if body == "*" else int(start)
        last = high if body == "*" else int(end) if dash else high if step else first
        found |= set(range(first, last + 1, int(step or 1)))
    return tuple(sorted(found))


def is_host_zone(name: str | None) -> bool:
    """Tell whether a zone is the one in which the system's own schedulers read their times."""
    return name is None or find_zone(name) == find_zone(None)

"""A schedule as lines of cron, where every cron reads them alike; else the reason why there are none.

What comes out is numbers, lists, ranges and steps: no names, no L, W or #, no range that begins with Sunday's 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from rota.model.job import ScheduleSpec
from rota.schedule.calendar import fields as calendar_fields
from rota.schedule.cron_text import read as read_cron
from rota.schedule.duration import format_duration, parse_duration

_HIGHEST = {"minute": 59, "hour": 23, "day": 31, "month": 12, "weekday": 7}
_LOWEST = {"minute": 0, "hour": 0, "day": 1, "month": 1, "weekday": 0}
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


AT_BOOT = "@reboot"


class Lines(NamedTuple):
    """Five fields each, or the one word for the start of the machine, and what is not quite the same."""

    fields: tuple[str, ...] = ()
    remark: str = ""
    refusal: str = ""
    """Why there are none."""
    zone: str | None = None
    """A zone that stands in the expression itself."""


def cron_lines(spec: ScheduleSpec, offset: timedelta = timedelta(0)) -> Lines:
    """Return a schedule as fields of cron; `offset` is the wall clock's from UTC, for the phase of an interval."""
    match spec.kind:
        case "cron":
            return _cron(spec.text)
        case "calendar":
            return _calendar(spec.text)
        case "every":
            return _every(spec, offset)
        case "at" if spec.at_boot:
            return Lines((AT_BOOT,))
        case "custom":
            return Lines(refusal="cron has no schedules of plug-ins")
    return Lines(refusal="cron has no single date: it would fire every year")


def _cron(text: str) -> Lines:
    found = read_cron(text)
    if found.fields[0] != "0":
        return Lines(refusal="cron has no seconds")
    if found.nearest_days or any("L" in field or "#" in field for field in found.fields):
        return Lines(refusal="cron has no L, W or #")
    names = ("minute", "hour", "day", "month", "weekday")
    return Lines((" ".join(_portable(name, field) for name, field in zip(names, found.fields[1:], strict=True)),))


def _portable(name: str, field: str) -> str:
    """Write `5/15` out as the range that it is; some crons take it for 5 alone."""
    items = []
    for item in field.split(","):
        body, slash, step = item.partition("/")
        if slash and body != "*" and "-" not in body:
            items.append(f"{body}-{_HIGHEST[name]}/{step}")
        else:
            items.append(item)
    return ",".join(items)


def _calendar(text: str) -> Lines:
    found = calendar_fields(text)
    if found.years is not None:
        return Lines(refusal="cron has no years")
    if found.seconds != (0,):
        return Lines(refusal="cron has no seconds")
    if min(found.days) < 0:
        return Lines(refusal="cron has no days that count from the month's end")
    every_day, every_weekday = len(found.days) == 31, len(found.weekdays) == 7
    if not every_day and not every_weekday:
        return Lines(refusal="cron takes day of month or weekday, and this wants both")
    weekdays = sorted(day + 1 for day in found.weekdays)  # Monday is 1, and Sunday 7
    fields = (
        _compact("minute", found.minutes),
        _compact("hour", found.hours),
        _compact("day", found.days),
        _compact("month", found.months),
        "*" if every_weekday else _runs(weekdays),
    )
    return Lines((" ".join(fields),), zone=found.zone)


def _every(spec: ScheduleSpec, offset: timedelta) -> Lines:
    """Return an interval that divides an hour or a day evenly; its phase is the anchor's on the wall clock."""
    interval = parse_duration(spec.text)
    if spec.from_end:
        return Lines(refusal="cron cannot count from the end of a run")
    minutes, hours = not interval % _MINUTE and not _HOUR % interval, not interval % _HOUR and not _DAY % interval
    if not minutes and not hours:
        spoken = format_duration(interval)
        return Lines(refusal=f"cron has no interval of {spoken}: it divides neither the hour nor the day into minutes")
    anchor = (spec.anchor or datetime(1970, 1, 1, tzinfo=UTC)) + offset
    phase = timedelta(hours=anchor.hour, minutes=anchor.minute) % interval
    remark = "" if not (anchor.second or anchor.microsecond) else "it starts at the full minute"
    first = int(phase / _MINUTE)
    if interval <= _HOUR:
        return Lines((f"{_stepped(first, int(interval / _MINUTE), 59)} * * * *",), remark)
    hour, minute = divmod(first, 60)
    stays = "its phase moves where the clocks change"
    stepped = _stepped(hour, int(interval / _HOUR), 23)
    return Lines((f"{minute} {stepped} * * *",), f"{remark}; {stays}" if remark else stays)


def _stepped(first: int, step: int, last: int) -> str:
    if step > last:
        return str(first)
    if step == 1:
        return "*"
    return f"*/{step}" if not first else f"{first}-{last}/{step}"


def _compact(name: str, values: Iterable[int]) -> str:
    """Return numbers as a star, steps from the lowest, or runs."""
    low, high = _LOWEST[name], _HIGHEST[name]
    found = sorted(values)
    if found == list(range(low, high + 1)):
        return "*"
    step = found[1] - found[0] if len(found) > 2 else 0
    if step > 1 and found == list(range(found[0], high + 1, step)):
        return f"*/{step}" if found[0] == low else f"{found[0]}-{high}/{step}"
    return _runs(found)


def _runs(values: Iterable[int]) -> str:
    """Return numbers as a list in which three or more in a row are a range."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)

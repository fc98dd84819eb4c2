"""Instants as people write them: 2026-01-31 10:00, RFC 3339, and relative to now where there is a now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rota.errors import BadSchedule
from rota.schedule.duration import parse_duration
from rota.schedule.text import checked
from rota.schedule.wallclock import DAY, to_instant, wall_clock
from rota.schedule.zones import zone as find_zone

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
_OFFSET = r"(?P<offset>[Zz]|(?P<sign>[+-])(?P<offset_hour>[0-9]{2}):?(?P<offset_minute>[0-9]{2})?)"
_ABSOLUTE = re.compile(rf"{_DATE}(?:(?:[Tt]|[ \t]+){_TIME}(?:[ \t]*{_OFFSET})?)?")
_RELATIVE_DAY = re.compile(rf"(?P<word>yesterday|today|tomorrow)(?:[ \t]+(?:at[ \t]+)?{_TIME})?", re.IGNORECASE)
_TIME_ONLY = re.compile(_TIME)
_SHIFT = re.compile(r"(?:(?P<later>in[ \t]+|\+)|(?P<earlier>-))(?P<length>.*)|(?P<ago>.+)[ \t]ago", re.IGNORECASE)
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_EXAMPLES = "write a date and time such as '2026-01-31 10:00' or '2026-01-31T10:00:00+01:00'"
_LIMITS = {
    "year": (1, 9999),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "offset_hour": (0, 23),
    "offset_minute": (0, 59),
}


def parse_instant(text: str, zone: ZoneInfo | str | None, now: datetime | None = None) -> datetime:
    """Return the instant that a text means, in UTC; without an offset it is wall time in the zone.

    A wall time in a gap is the instant right after the gap; a repeated one is its first occurrence.
    Given now, also 'now', 'in 5m', '-1h', '1h ago', 'tomorrow 09:00' and '10:30' (its next occurrence).
    """
    text = checked(text)
    lead = len(text) - len(text.lstrip())
    if found := _ABSOLUTE.fullmatch(text, lead):
        return _absolute(text, found, zone)
    return _relative(text, lead, zone, now)


def _absolute(text: str, found: re.Match[str], zone: ZoneInfo | str | None) -> datetime:
    _check_numbers(text, found)
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        problem = f"{found['year']}-{found['month']} has no day {int(found['day'])}"
        raise BadSchedule(text, found.start("day") + 1, problem, _EXAMPLES) from None
    clock_time = _time(found) if found["hour"] else time()
    if not found["offset"]:
        return _on_the_wall(text, day, clock_time, zone)
    ahead = timedelta(hours=int(found["offset_hour"] or 0), minutes=int(found["offset_minute"] or 0))
    if found["sign"] == "-":
        ahead = -ahead
    try:
        return datetime.combine(day, clock_time, UTC) - ahead
    except OverflowError:
        raise _out_of_range(text) from None


def _relative(text: str, lead: int, zone: ZoneInfo | str | None, now: datetime | None) -> datetime:
    """Read a text that only means something at a given moment."""
    shift = _SHIFT.fullmatch(text, lead)
    is_now = text[lead:].lower() == "now"
    if now is None:
        relative = is_now or shift or _RELATIVE_DAY.fullmatch(text, lead) or _TIME_ONLY.fullmatch(text, lead)
        problem = f"{text[lead:]!r} is relative, and nothing says to when" if relative else "it is no date and time"
        raise BadSchedule(text, lead + 1, problem, _EXAMPLES)
    if is_now:
        return now.astimezone(UTC)
    if shift:
        return _shifted(text, shift, now)
    found = find_zone(zone) if not isinstance(zone, ZoneInfo) else zone
    try:
        return _near(text, lead, found, now)
    except OverflowError:
        raise _out_of_range(text) from None


def _near(text: str, lead: int, zone: ZoneInfo, now: datetime) -> datetime:
    """Read a time of day, today unless a word says otherwise; alone it is the next time the wall clock shows it."""
    today, one_day = now.astimezone(zone).date(), timedelta(days=1)
    if found := _RELATIVE_DAY.fullmatch(text, lead):
        _check_numbers(text, found)
        day = today + _DAYS[found["word"].lower()] * one_day
        return _on_the_wall(text, day, _time(found) if found["hour"] else time(), zone)
    found = _TIME_ONLY.fullmatch(text, lead)
    if found is None:
        raise BadSchedule(text, lead + 1, "it is no date and time", _EXAMPLES)
    _check_numbers(text, found)
    instant = _on_the_wall(text, today, _time(found), zone)
    return instant if instant > now else _on_the_wall(text, today + one_day, _time(found), zone)


def _shifted(text: str, shift: re.Match[str], now: datetime) -> datetime:
    group = "ago" if shift["ago"] else "length"
    try:
        length = parse_duration(shift[group])
    except BadSchedule as error:
        column = shift.start(group) + max(error.column, 1)
        raise BadSchedule(text, column, error.problem, error.hint) from None
    try:
        return (now + length if shift["later"] else now - length).astimezone(UTC)
    except OverflowError:
        raise _out_of_range(text) from None


def _check_numbers(text: str, found: re.Match[str]) -> None:
    """Refuse the first number that is out of its range, with its column."""
    for name, number in found.groupdict().items():
        if number is None or name not in _LIMITS:
            continue
        low, high = _LIMITS[name]
        if not low <= int(number) <= high:
            spoken = name.replace("_", "'s ")
            raise BadSchedule(text, found.start(name) + 1, f"{spoken} must be {low} to {high}, not {number}", _EXAMPLES)


def _time(found: re.Match[str]) -> time:
    microsecond = int((found["fraction"] or "0").ljust(6, "0")[:6])
    return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), microsecond)


def _on_the_wall(text: str, day: date, at: time, zone: ZoneInfo | str | None) -> datetime:
    """Return the first instant at which the zone's wall clock shows this time, or is beyond it."""
    found = zone if isinstance(zone, ZoneInfo) else find_zone(zone)
    wall = day.toordinal() * DAY + at.hour * 3600 + at.minute * 60 + at.second
    clock = wall_clock(found)
    second = clock.first_second(wall)
    if second is None:
        raise _out_of_range(text)
    in_a_gap = second == clock.first_second(wall + 1)
    try:
        return to_instant(second) + timedelta(microseconds=0 if in_a_gap else at.microsecond)
    except OverflowError:
        raise _out_of_range(text) from None


def _out_of_range(text: str) -> BadSchedule:
    return BadSchedule(text, 0, "it is outside the years 1 to 9999 in UTC", _EXAMPLES)

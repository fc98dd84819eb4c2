"""systemd's calendar events (OnCalendar), read by oncalendar, in a zone.

Where systemd loses runs around a jump of the wall clock, rota does not: a skipped time fires right after the gap.
`skip` asks for systemd's own rule. Expressions whose hour or minute is a star, or counts on from zero (`0/15`),
follow real time instead (see `walltime`).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from oncalendar import RANGES, BaseIterator, Field

from rota.errors import BadSchedule
from rota.schedule.calendar_text import CalendarText, read
from rota.schedule.english import MONTHS, WEEKDAYS, listed, numbered, ordinal, runs, sentence
from rota.schedule.pattern import Pattern
from rota.schedule.wallclock import DAY, EPOCH, FIRST_DAY
from rota.schedule.walltime import Rule, WallSchedule
from rota.schedule.zones import zone as find_zone


def calendar(text: str, zone: str | None, *, skip: bool = False) -> WallSchedule:
    """Read an OnCalendar expression; a zone within it goes before the given one."""
    pattern, follows, english, own_zone = _read(text)
    rule = Rule.FOLLOW if follows else Rule.SKIP if skip else Rule.FIRE
    return WallSchedule(pattern, find_zone(own_zone or zone), rule, english)


@lru_cache(maxsize=512)
def _read(text: str) -> tuple[Pattern, bool, str, str | None]:
    """Return pattern, whether it follows real time, its English and its own zone, if any."""
    expression = read(text)
    if expression.zone is not None:
        _check_zone(expression.zone, expression)
    rules = BaseIterator(expression.expression, EPOCH)  # only its fields and day rules are used, never its walk

    def matches(day: date) -> bool:
        return rules.match_dow(day) and rules.match_dom(day)

    years = None if len(rules.years) == len(RANGES[Field.YEAR]) else rules.years
    pattern = Pattern(rules.hours, rules.minutes, rules.seconds, matches, rules.months, years)
    if pattern.first_from(FIRST_DAY * DAY) is None:
        problem = "it never fires: no such day exists"
        hint = "write a day that the month has, or ~1 for its last day, as in *-02~1"
        raise BadSchedule(expression.text, expression.day_column, problem, hint)
    english = sentence(pattern.hours, pattern.minutes, pattern.seconds, _spoken_days(rules, years))
    return pattern, expression.every_hour_or_minute, english, expression.zone


def _check_zone(name: str, expression: CalendarText) -> None:
    try:
        find_zone(name)
    except BadSchedule as error:
        raise BadSchedule(expression.text, expression.zone_column, error.problem, error.hint) from None


def _spoken_days(rules: BaseIterator, years: set[int] | None) -> str:
    """Say which days: 'on Monday to Friday', 'on day 1 of the month', '… of June 2026'; nothing for every day."""
    every_weekday = len(rules.weekdays) == len(WEEKDAYS)
    every_day = rules.days == set(RANGES[Field.DAY])
    month = "" if len(rules.months) == len(MONTHS) else runs(rules.months, ("", *MONTHS))
    within = " ".join(part for part in (month, "" if years is None else runs(years)) if part)
    if every_day:
        spoken = f"on {runs(rules.weekdays, WEEKDAYS)}" if not every_weekday else "every day" if within else ""
        return f"{spoken} in {within}" if within else spoken
    of_month = "of the month" if not month else "of"
    spoken = f"on {_spoken_dom(rules.days)} {of_month}" + (f"{'' if month else ' in'} {within}" if within else "")
    return spoken if every_weekday else f"{spoken}, if it is {runs(rules.weekdays, WEEKDAYS, 'or')}"


def _spoken_dom(days: set[int]) -> str:
    """Say the days of the month; the negative ones count from its end."""
    plain = [day for day in days if day > 0]
    spoken = [numbered("day", plain)] if plain else []
    from_end = sorted(-day for day in days if day < 0)
    if len(from_end) > 1 and from_end[-1] == len(from_end):
        spoken.append(f"the last {len(from_end)} days")
    else:
        spoken += ["the last day" if day == 1 else f"the {ordinal(day)} last day" for day in from_end]
    return listed(spoken)


class CalendarFields(NamedTuple):
    """What each part of an expression allows: numbers, ascending; days below zero count from the month's end."""

    weekdays: tuple[int, ...]
    """Monday is 0."""
    years: tuple[int, ...] | None
    months: tuple[int, ...]
    days: tuple[int, ...]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    zone: str | None


def fields(text: str) -> CalendarFields:
    """Return the fields of an expression, for those who write it in another way."""
    pattern, _, _, zone = _read(text)
    rules = BaseIterator(read(text).expression, EPOCH)
    return CalendarFields(
        tuple(sorted(rules.weekdays)),
        pattern.years,
        pattern.months,
        tuple(sorted(rules.days)),
        pattern.hours,
        pattern.minutes,
        pattern.seconds,
        zone,
    )

"""Cron expressions: cronsim's rules about fields and days, in a zone.

cronsim decides which days match, by Debian cron's rule: day-of-month OR day-of-week when both are restricted, AND
when either begins with a star. It is driven on naive dates only. What its own walk does with aware times is left
aside: it is off in zones that jump by half an hour, and drops its rule for jumps when there is a seconds field.

A schedule whose minute or hour begins with a star follows real time through a jump of the wall clock, as Debian
cron's wildcard jobs do; all others fire once (see `walltime`).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from rota.errors import BadSchedule
from rota.schedule.cron_text import CronText, read
from rota.schedule.english import MONTHS, WEEKDAYS, listed, numbered, ordinal, runs, sentence
from rota.schedule.pattern import Pattern
from rota.schedule.wallclock import DAY, EPOCH, FIRST_DAY
from rota.schedule.walltime import Rule, WallSchedule

_SATURDAY, _SUNDAY = 5, 6


def cron(text: str, zone: ZoneInfo) -> WallSchedule:
    """Read a cron expression of five fields, of six with seconds first, or a name such as @daily."""
    pattern, rule, english = _read(text)
    return WallSchedule(pattern, zone, rule, english)


@lru_cache(maxsize=512)
def _read(text: str) -> tuple[Pattern, Rule, str]:
    """Return what an expression means, in any zone; kept, since many jobs share few expressions."""
    expression = read(text)
    try:
        rules = _Rules(expression)
    except CronSimError:
        raise _never(expression) from None
    months = rules.months
    pattern = Pattern(rules.hours, rules.minutes, rules.seconds, rules.match_day, months)
    if pattern.first_from(FIRST_DAY * DAY) is None:
        raise _never(expression)
    follows = expression.fields[1].startswith("*") or expression.fields[2].startswith("*")
    english = sentence(pattern.hours, pattern.minutes, pattern.seconds, _spoken_days(rules, expression))
    return pattern, Rule.FOLLOW if follows else Rule.FIRE, english


class _Rules(CronSim):
    """cronsim's fields and day rules, with the nearest weekday added."""

    def __init__(self, expression: CronText) -> None:
        super().__init__(" ".join(expression.fields), EPOCH)  # only fields and day rules are used, never its walk
        self.nearest_days = expression.nearest_days
        if expression.only_nearest:
            self.days = set()

    def match_dom(self, d: date) -> bool:
        """Return whether the day of the month matches."""
        return super().match_dom(d) or any(d.day == _nearest_weekday(d, day) for day in self.nearest_days)


def _nearest_weekday(month: date, day: int) -> int | None:
    """Return the weekday nearest to a day without leaving its month; None in a month without that day."""
    length = monthrange(month.year, month.month)[1]
    if day > length:
        return None
    weekday = month.replace(day=day).weekday()
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _never(expression: CronText) -> BadSchedule:
    """Return the complaint that no day matches: the months lack the day, or it is never that weekday."""
    _, _, _, day, month, weekday = expression.fields
    problem = f"it never fires: day {day} does not occur in month {month}"
    hint = "write a day that the month has, or L for its last day"
    if weekday != "*":
        problem += f" on weekday {weekday}"
        hint = "beside a star both day-of-month and day-of-week must match; write * in one of them"
    return BadSchedule(expression.text, expression.day_column, problem, hint)


def _spoken_days(rules: _Rules, expression: CronText) -> str:
    """Say which days: 'on day 1 of the month', 'on Monday to Friday', '… in June'; nothing for every day."""
    day_word, weekday_word = expression.fields[3], expression.fields[5]
    month = "" if len(rules.months) == len(MONTHS) else runs(rules.months, ("", *MONTHS))
    of_month = f"of {month}" if month else "of the month"
    of_days = "" if day_word == "*" else _spoken_dom(rules, of_month)
    weekdays = _spoken_dow(rules, "or" if of_days and rules.day_and else "and")
    if of_days and weekdays:
        both = f"{of_days}, if it is {weekdays}" if rules.day_and else f"{of_days}, and on {weekdays}"
        return f"{both}{f' in {month}' if month and not rules.day_and else ''}"
    if of_days:
        return of_days
    if weekdays and weekday_word != "*":
        return f"on {weekdays}{f' in {month}' if month else ''}"
    return f"every day in {month}" if month else ""


def _spoken_dom(rules: _Rules, of_month: str) -> str:
    """Say the days of the month."""
    spoken = []
    if plain := [day for day in rules.days if day > 0]:
        spoken.append(numbered("day", plain))
    if CronSim.LAST in rules.days:
        spoken.append("the last day")
    if CronSim.LAST_WEEKDAY in rules.days:
        spoken.append("the last weekday")
    spoken += [f"the weekday nearest day {day}" for day in sorted(rules.nearest_days)]
    return f"on {listed(spoken)} {of_month}"


def _spoken_dow(rules: _Rules, last: str) -> str:
    """Say the days of the week, Monday first; nothing for all of them."""
    plain = {(item - 1) % 7 for item in rules.weekdays if isinstance(item, int)}
    if len(plain) == len(WEEKDAYS):
        return ""
    spoken = [runs(plain, WEEKDAYS, last)] if plain else []
    for day, nth in sorted(item for item in rules.weekdays if not isinstance(item, int)):
        which = "last" if nth == CronSim.LAST else ordinal(nth)
        spoken.append(f"the {which} {WEEKDAYS[(day - 1) % 7]} of the month")
    return listed(spoken, last)

"""Wall-time patterns in plain English, for cron and calendar alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import product

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MOST_TIMES = 6
"""More times of day than this are not listed one by one."""

_HOURS, _SIXTY = range(24), range(60)


def listed(things: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does: 'a', 'a and b', 'a, b and c'."""
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {last} {things[-1]}"


def runs(numbers: Collection[int], names: Sequence[str] | None = None, last: str = "and") -> str:
    """List numbers, or what they stand for, with three or more in a row as 'x to y'."""
    spoken: list[str] = []
    row: list[int] = []
    ordered = sorted(numbers)
    step = ordered[1] - ordered[0] if len(ordered) > 4 else 1
    if step > 1 and ordered == list(range(ordered[0], ordered[-1] + 1, step)):
        ends = [str(each) if names is None else names[each] for each in (ordered[0], ordered[-1])]
        return f"{ends[0]} to {ends[1]} in steps of {step}"
    for number, following in zip(ordered, [*ordered[1:], None], strict=True):
        row.append(number)
        if following != number + 1:
            ends = [str(each) if names is None else names[each] for each in row]
            spoken += ends if len(ends) < 3 else [f"{ends[0]} to {ends[-1]}"]
            row = []
    return listed(spoken, last)


def ordinal(number: int) -> str:
    """Return '1st', '2nd', '3rd', '4th' …"""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def numbered(noun: str, numbers: Collection[int]) -> str:
    """Return 'minute 5', or 'minutes 5, 7 and 10 to 20'."""
    return f"{noun}{'' if len(numbers) == 1 else 's'} {runs(numbers)}"


def sentence(hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int], days: str) -> str:
    """Say at which times on which days; `days` is '' for all of them."""
    fixed = _fixed_times(hours, minutes, seconds)
    if fixed:
        return f"{fixed} {days or 'every day'}"
    return f"{_repeating(hours, minutes, seconds)} {days}".rstrip()


def _fixed_times(hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> str:
    """Return 'at 09:00 and 17:00' when that is short enough, else nothing."""
    if len(hours) * len(minutes) * len(seconds) > _MOST_TIMES:
        return ""
    plain = tuple(seconds) == (0,)
    times = [
        f"{hour:02}:{minute:02}" + ("" if plain else f":{second:02}")
        for hour, minute, second in product(hours, minutes, seconds)
    ]
    return f"at {listed(times)}"


def _repeating(hours: Sequence[int], minutes: Sequence[int], seconds: Sequence[int]) -> str:
    """Say the smallest unit that repeats first, then what it is limited to.

    An evenly spaced field says 'every n units'; then every wider field that is full need not be said.
    """
    every_second, every_minute, every_hour = (
        _evenly("second", seconds, _SIXTY),
        _evenly("minute", minutes, _SIXTY),
        _evenly("hour", hours, _HOURS),
    )
    limits = []
    if every_second:
        head = every_second
        limits += _limit("minute", minutes, _SIXTY) + _limit("hour", hours, _HOURS)
    elif every_minute:
        head = every_minute + _unless_zero("second", seconds)
        limits += _limit("hour", hours, _HOURS)
    elif len(minutes) == len(seconds) == 1 and _in_a_row(hours):
        clock = f":{minutes[0]:02}" + (f":{seconds[0]:02}" if seconds[0] else "")
        head = f"every hour from {hours[0]:02}{clock} to {hours[-1]:02}{clock}"
    elif every_hour:
        head = every_hour + _unless_zero("minute", minutes) + _unless_zero("second", seconds)
    else:
        head = f"at {numbered('minute', minutes)}" + _unless_zero("second", seconds)
        limits += _limit("hour", hours, _HOURS)
    return " ".join([head, *limits])


def _evenly(noun: str, numbers: Sequence[int], whole: range) -> str:
    """Return 'every 5 minutes' when the numbers are all the multiples of five, else nothing."""
    step = len(whole) // len(numbers)
    if step == len(whole) or tuple(numbers) != tuple(whole[::step]) or len(whole) % step:
        return ""
    return f"every {noun}" if step == 1 else f"every {step} {noun}s"


def _in_a_row(hours: Sequence[int]) -> bool:
    return len(hours) < len(_HOURS) and hours[-1] - hours[0] == len(hours) - 1


def _unless_zero(noun: str, numbers: Sequence[int]) -> str:
    return "" if tuple(numbers) == (0,) else f" at {numbered(noun, numbers)}"


def _limit(noun: str, numbers: Sequence[int], whole: range) -> list[str]:
    return [] if len(numbers) == len(whole) else [f"in {numbered(noun, numbers)}"]

"""Times of day on some days, as a form has them and as cron does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

WEEKDAYS = (
    *(("1", "Mon"), ("2", "Tue"), ("3", "Wed"), ("4", "Thu"), ("5", "Fri")),
    *(("6", "Sat"), ("0", "Sun")),
)
"""As cron numbers them, in the order of the week."""
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_BETWEEN = re.compile(r"[,;\s]+")
_OURS = re.compile(r"([0-9]+) ([0-9]+(?:,[0-9]+)*) (\S+) \* ([0-6,\-*]+)")


def cron_of(times: str, days: str, weekdays: Sequence[str], month_days: str) -> list[str]:
    """Return the lines of cron for these times: one for each minute, with all of its hours.

    What is no time is passed over; `wrong_time` tells of it.
    """
    on_month, on_week = "*", "*"
    if days == "week":
        on_week = _ranges(sorted({int(day) for day in weekdays if day in dict(WEEKDAYS)}))
    elif days == "month":
        on_month = re.sub(r"\blast\b", "L", _BETWEEN.sub(",", month_days.strip(" ,;")), flags=re.IGNORECASE) or "*"
    read = sorted({(int(found[2]), int(found[1])) for text in _split(times) if (found := _TIME.fullmatch(text))})
    return [
        f"{minute} {','.join(str(hour) for _, hour in group)} {on_month} * {on_week}"
        for minute, group in groupby(read, key=lambda time: time[0])
    ]


def days_of(lines: Sequence[str]) -> dict[str, Any] | None:
    """Return the fields of the form for lines of cron that it would have made; None for others."""
    found = [_OURS.fullmatch(line) for line in lines]
    read = [each for each in found if each is not None]
    if len(read) != len(lines) or len({(each[3], each[4]) for each in read}) != 1:
        return None
    on_month, on_week = read[0][3], read[0][4]
    times = sorted((int(hour), int(each[1])) for each in read for hour in each[2].split(","))
    shown: dict[str, Any] = {
        "times": ", ".join(f"{hour:02}:{minute:02}" for hour, minute in times),
        "days": "week" if on_week != "*" else "month" if on_month != "*" else "every",
        "weekdays": _days_in(on_week),
        "month_days": "" if on_month == "*" else on_month.replace(",", ", ").replace("L", "last"),
    }
    return shown if cron_of(**shown) == list(lines) else None


def wrong_time(times: str) -> str:
    """Say what is no time of day, or nothing."""
    texts = _split(times)
    if not texts:
        return "no time is given; write one or more, such as 09:00, 17:30"
    odd = next((text for text in texts if not _TIME.fullmatch(text)), None)
    return "" if odd is None else f"{odd[:40]!r} is no time of day; write it such as 09:00"


def _split(times: str) -> list[str]:
    return [text for text in _BETWEEN.split(times) if text]


def _days_in(text: str) -> tuple[str, ...]:
    days: set[str] = set()
    for part in text.split(",") if text != "*" else ():
        low, dash, high = part.partition("-")
        if not low.isdigit() or (dash and not high.isdigit()):
            return ()
        days |= {str(day) for day in range(int(low), int(high or low) + 1)}
    return tuple(day for day, _ in WEEKDAYS if day in days)


def _ranges(numbers: Sequence[int]) -> str:
    """Return days as cron has them: 1-5, or 0,6; all of them, or none, are a star."""
    if len(numbers) in (0, 7):
        return "*"
    parts = []
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        row = [number for _, number in group]
        parts += [f"{row[0]}-{row[-1]}"] if len(row) > 2 else [str(number) for number in row]
    return ",".join(parts)

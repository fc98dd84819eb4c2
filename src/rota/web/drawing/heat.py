"""How busy each hour of the week is, as shades: a table of seven days by twenty-four hours."""

from __future__ import annotations

from calendar import day_name
from collections.abc import Sequence
from datetime import datetime, tzinfo
from math import ceil, sqrt

import msgspec

from rota.control.overview import Cell
from rota.control.times import brief

LEVELS = 5


class Hour(msgspec.Struct, frozen=True):
    """One cell: its shade from 0 to 5, whether something failed, and both in words."""

    level: int
    has_failed: bool
    is_now: bool
    words: str
    title: str


class Heat(msgspec.Struct, frozen=True):
    """The picture: each day with its hours, and a sentence about the whole."""

    days: list[tuple[str, list[Hour]]]
    is_empty: bool
    sentence: str


def heat(week: Sequence[Sequence[Cell]], now: datetime, zone: tzinfo, weeks: int) -> Heat:
    """Draw some weeks, laid over each other."""
    wall = now.astimezone(zone)
    most = max(cell.runs for day in week for cell in day)
    days = []
    for weekday, cells in enumerate(week):
        hours = [
            _hour(cell, most, weekday, hour, weeks, is_now=(weekday, hour) == (wall.weekday(), wall.hour))
            for hour, cell in enumerate(cells)
        ]
        days.append((day_name[weekday], hours))
    return Heat(days, most == 0, _sentence(week, most))


def level(runs: int, most: int) -> int:
    """Return the shade of a number of runs: by its root, so that a quiet hour beside a very busy one is seen too."""
    return ceil(LEVELS * sqrt(runs / most)) if most else 0


def _hour(cell: Cell, most: int, weekday: int, hour: int, weeks: int, *, is_now: bool) -> Hour:
    words = _count(cell.runs, "run") if cell.runs else "none"
    if cell.failed:
        words += f", {cell.failed:,} went wrong"
    over = "this week" if weeks == 1 else f"in {weeks} weeks"
    busy = f"; they took {brief(cell.busy)}" if cell.runs else ""
    title = f"{day_name[weekday]} {hour:02}:00 to {(hour + 1) % 24:02}:00: {words} {over}{busy}"
    return Hour(level(cell.runs, most), cell.failed > 0, is_now, words, title)


def _sentence(week: Sequence[Sequence[Cell]], most: int) -> str:
    if not most:
        return "Nothing has run yet."
    weekday, hour = next((d, h) for d, day in enumerate(week) for h, cell in enumerate(day) if cell.runs == most)
    return f"The busiest hour begins on {day_name[weekday]} at {hour:02}:00, with {_count(most, 'run')}."


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"

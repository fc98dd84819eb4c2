"""When a line of a crontab is due, as cron takes it.

What cron refuses is an error. What cron takes and never runs is none, because one such line must not keep the others of
its crontab from running: it is told, and its job runs by hand only. There are two: a day that its month does not have
(`0 0 31 2 *`), and a range that begins above its end (`22-2`), of which cron's loop from 22 up to 2 takes nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rota.config.formats.crontab_lines import JobLine
from rota.errors import BadSchedule
from rota.model.job import ScheduleSpec
from rota.schedule.boot import BOOT
from rota.schedule.cron_text import read as read_cron
from rota.schedule.parse import parse

_REBOOT = "@reboot"
_MACRO_TEXTS = {"@every_minute": "* * * * *"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGE = re.compile(r"([a-z0-9]+)-([a-z0-9]+)(?:/[0-9]+)?", re.IGNORECASE)
_DAY, _WEEKDAY = 2, 4
_UP_TO_SUNDAY = re.compile(r"(?!sun|0)\w+-sun(?:/\d+)?", re.IGNORECASE)


class Times(NamedTuple):
    """When a line is due, and what people should know of that."""

    specs: tuple[ScheduleSpec, ...]
    """Empty: never."""
    lost: tuple[str, ...] = ()
    """What was written and means nothing to cron."""
    remark: str = ""
    """What cron would do otherwise."""


class BadTimes(Exception):
    """What cron refuses, or what cannot be kept: the column in the line, the problem, and what to write instead."""

    def __init__(self, column: int, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.column, self.problem, self.hint = column, problem, hint


def times_of(line: JobLine, zone: str | None) -> Times:
    """Return when a line is due; raises BadTimes."""
    text = " ".join(line.schedule.split())
    text = _MACRO_TEXTS.get(text.lower(), text)
    if text.lower() == _REBOOT:
        return Times((ScheduleSpec("at", BOOT),))
    if text[1:].isdigit() and text.startswith("@"):
        raise BadTimes(line.column, f"{text} is FreeBSD's interval", f"in rota.yaml write every: {text[1:]}s")
    if "~" in text:
        hint = "write a plain value, and jitter in rota.yaml, which is always the same for one job"
        column = line.column + line.schedule.index("~")
        raise BadTimes(column, f"{text!r} has a random range '~', which cannot be kept", hint)
    kept, readable, lost = _without_empty_ranges(text)
    try:
        read_cron(readable)
    except BadSchedule as error:
        raise BadTimes(_column(line, text, error.column), f"cron {text!r}: {error.problem}", error.hint) from None
    kept = _with_either_day(kept)
    if "" in kept:
        return Times((), (f"{_never(text)}: {lost[0]}", *lost[1:]))
    text = " ".join(kept)
    try:
        parse("cron", text, zone=zone)
    except BadSchedule as error:
        return Times((), (f"{_never(text)}: {error.problem.removeprefix('it never fires: ')}",))
    return Times((ScheduleSpec("cron", text),), tuple(lost), _sundays(text))


def _never(text: str) -> str:
    return f"cron {text!r} never fires, so the job runs by hand only"


def _without_empty_ranges(text: str) -> tuple[list[str], str, list[str]]:
    """Take out the ranges of which cron takes nothing.

    Returns the fields that are left, the text in which such a range is a list of its ends, so that they can be checked
    at their columns, and a word on each of them.
    """
    kept, readable, lost = [], [], []
    for field in text.split(" "):
        items = field.split(",")
        empty = [item for item in items if _is_empty(item)]
        lost += [f"{item} is reversed, and cron takes nothing of it; write two ranges with a comma" for item in empty]
        kept.append(",".join(item for item in items if item not in empty))
        readable.append(",".join(item.replace("-", ",") if item in empty else item for item in items))
    return kept, " ".join(readable), lost


def _with_either_day(fields: list[str]) -> list[str]:
    """Return the fields with a star for a day of which nothing is left, if the other day alone makes the job due."""
    for empty, other in ((_DAY, _WEEKDAY), (_WEEKDAY, _DAY)):
        if len(fields) > _WEEKDAY and not fields[empty] and fields[other] and not fields[other].startswith("*"):
            return [*fields[:empty], "*", *fields[empty + 1 :]]
    return fields


def _is_empty(item: str) -> bool:
    found = _RANGE.fullmatch(item)
    if found is None:
        return False
    low, high = (_number(word) for word in found.groups())
    if found[2].lower() == "sun":
        return False
    return low is not None and high is not None and low > high


def _number(word: str) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word)
    names = next((names for names in (_MONTHS, _WEEKDAYS) if word.lower() in names), None)
    return None if names is None else names.index(word.lower())


def _column(line: JobLine, text: str, column: int) -> int:
    """Return the column in the file of a column in the schedule, whose words may stand further apart in the file."""
    if column < 1:
        return line.column
    word = text[: column - 1].count(" ")
    starts = [found.start() for found in re.finditer(r"[^ \t]+", line.schedule)]
    if word >= len(starts):
        return line.column
    return line.column + starts[word] + column - 1 - (text[: column - 1].rfind(" ") + 1)


def _sundays(text: str) -> str:
    """Name the ranges up to Sunday: for Debian's cron Sunday is 0, and such a range empty."""
    found = [item for item in text.rpartition(" ")[2].split(",") if _UP_TO_SUNDAY.fullmatch(item)]
    if not found:
        return ""
    return f"Debian's cron takes nothing of {', '.join(found)}, because its Sunday is 0; rota goes on to Sunday"

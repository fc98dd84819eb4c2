"""The lines of a crontab, as cron reads them: settings, jobs and comments, each with its place.

A job's command goes to the end of its line. Its first '%' that no backslash protects ends the command; what follows is
its standard input, with a line break for each further '%'. `\\%` is a plain '%'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@reboot", "@every_minute")
_SETTING = re.compile(
    r"""[ \t]*(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<name>[^\s"'=#@*]+))[ \t]*=[ \t]*(?P<value>.*?)[ \t]*"""
)
_NOTHING = "cron runs nothing for such a line, and neither does rota"
_WORD = re.compile(r"[^ \t]+")
_NAMES = r"(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_PART = re.compile(rf"(?:[*?0-9L]|{_NAMES})(?:[-,/~#LW*?0-9]|{_NAMES})*", re.IGNORECASE)
_MACRO = re.compile(r"@[a-z0-9_]+", re.IGNORECASE)


class Setting(NamedTuple):
    """`NAME = value`: for the lines below it."""

    line: int
    column: int
    name: str
    value: str


class Comment(NamedTuple):
    """A line of comment without its sign, or an empty line."""

    line: int
    text: str | None
    """None: the line is empty."""


class JobLine(NamedTuple):
    """A line with a schedule and a command."""

    line: int
    column: int
    schedule: str
    """Five fields, or a name such as @daily, as they were written."""
    user: str
    user_column: int
    command: str
    """What the shell gets."""
    command_column: int
    input: str | None
    """What its standard input gets; None: nothing."""


class OddLine(NamedTuple):
    """A line that is none of these."""

    line: int
    column: int
    problem: str
    hint: str
    is_harmless: bool = False
    """cron takes it, and runs nothing for it."""


Line = Setting | Comment | JobLine | OddLine


def read_lines(text: str, *, users: bool) -> Iterator[Line]:
    """Yield every line; with `users` the word after the schedule is the user."""
    for number, written in enumerate(text.split("\n"), 1):
        line = written.removesuffix("\r")
        start = len(line) - len(line.lstrip(" \t"))
        if start == len(line):
            yield Comment(number, None)
        elif line[start] == "#":
            yield Comment(number, line[start:].lstrip("#").strip())
        else:
            yield _line(number, start, line, users=users)


def split_command(text: str) -> tuple[str, str | None]:
    """Split what is behind the schedule into the command and its standard input.

    In the command two backslashes are one, as in the crons of Debian, BSD and macOS; cronie leaves them as they are.
    """
    parts: list[str] = []
    part, escaped = "", False
    for letter in text:
        if escaped:
            part = part[:-1] + letter if letter == "%" or (letter == "\\" and not parts) else part + letter
        elif letter == "%":
            parts.append(part)
            part = ""
        else:
            part += letter
        escaped = letter == "\\" and not escaped
    parts.append(part)
    return parts[0], "\n".join(parts[1:]) if len(parts) > 1 else None


def looks_like_crontab(text: str) -> bool:
    """Tell a crontab by its lines: nothing but settings, comments and jobs, and at least one job."""
    jobs = 0
    for line in read_lines(text, users=False):
        if isinstance(line, OddLine):
            return False
        jobs += isinstance(line, JobLine)
    return jobs > 0


def _line(number: int, start: int, line: str, *, users: bool) -> Line:
    setting = _SETTING.fullmatch(line)
    if setting is not None:
        name = setting["double"] or setting["single"] or setting["name"]
        return Setting(number, start + 1, name, _unquoted(setting["value"]))
    begin = start + 1 if line[start] == "-" else start  # cronie's sign for 'do not log', which rota always does
    words = list(_WORD.finditer(line, begin))
    many = 1 if words and words[0][0].startswith("@") else 5
    for word in words[:many]:
        if not (_MACRO if many == 1 else _PART).fullmatch(word[0]):
            hint = "a line is a schedule and a command, NAME=value, or a comment with '#'"
            return OddLine(number, word.start() + 1, f"{_short(word[0])} is no part of a schedule", hint)
    if len(words) < many:
        fields = f"{len(words)} of the five fields"
        return OddLine(number, start + 1, f"the line ends after {fields}", "write five fields and a command")
    schedule = line[words[0].start() : words[many - 1].end()]
    rest = words[many:]
    user, user_column = "", 0
    if users and rest:
        user, user_column = rest[0][0], rest[0].start() + 1
        rest = rest[1:]
    if not rest:
        return _lacking(number, line, user if users else None)
    at = rest[0].start()
    command, given = split_command(line[at:])
    if not command.strip():
        hint = f"write \\% for a plain %; {_NOTHING}"
        return OddLine(number, at + 1, "there is no command before the '%'", hint, is_harmless=True)
    return JobLine(number, words[0].start() + 1, schedule, user, user_column, command.strip(), at + 1, given)


def _lacking(number: int, line: str, user: str | None) -> OddLine:
    """Return a line that ends too early; cron takes one without a command, but not in a crontab with users."""
    column = len(line.rstrip()) + 1
    if user is not None:
        what = "a command" if user else "a user and a command"
        return OddLine(number, column, f"the line has a schedule, but lacks {what}", "write what to run")
    what = "the line has a schedule, but lacks a command"
    return OddLine(number, column, what, f"write what to run; {_NOTHING}", is_harmless=True)


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")

"""What the words of a service mean, for who says them in Python: the same as in a file of Taskflows."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rota.config.formats.systemd_command import BadCommand, read_command, with_specifiers
from rota.config.formats.taskflows import FOR_EVER, LATER, restart_fault, restart_retries
from rota.config.formats.taskflows_schedule import as_calendar
from rota.config.home import find_home
from rota.errors import UsageError
from rota.model.action import Command, Shell
from rota.sdk.functions import target_of
from rota.sdk.schedules import Calendar, Retry

__all__ = ["FOR_EVER", "LATER", "calendar_of", "can_be_imported", "command_of", "home_here", "path_of", "retry_of"]


class BadWords(UsageError):
    """A service says what cannot be done here; the text says what to write."""


def command_of(line: str) -> str | list[str]:
    """Return a command line as systemd reads it: words, or with a variable in it a line of shell."""
    try:
        action = read_command(line)
    except BadCommand as error:
        raise BadWords(f"{error.problem}; {error.hint}") from None
    match action:
        case Command(argv=words):
            return list(words)
        case Shell(line=text):
            return text


def path_of(text: str | os.PathLike[str]) -> str:
    """Return a path with systemd's specifiers put in; a relative one counts from the current directory."""
    try:
        return os.path.abspath(os.path.expanduser(with_specifiers(os.fspath(text))))
    except BadCommand as error:
        raise BadWords(f"{error.problem}; {error.hint}") from None


def calendar_of(text: str) -> Calendar:
    """Return a calendar expression; 'daily 03:00' and 'Mon-Fri 09:00' are taken, too."""
    return Calendar(as_calendar(text))


def retry_of(condition: str, count: int | None = None, delay: timedelta | None = None) -> Retry | None:
    """Return what restarting under a condition is here; None for never."""
    if condition != "on-failure":
        fault = restart_fault(condition)
        if fault is not None:
            raise BadWords("; ".join(fault))
        return None
    made = restart_retries(count, delay)
    return Retry(made.count, made.delay, made.backoff, made.max_delay, made.jitter)


def can_be_imported(function: Callable[..., Any]) -> bool:
    """Tell whether another program could import a function, and so call it."""
    return target_of(function) != ""


def home_here() -> str:
    """Return the home that the command line would use here: ROTA_HOME, the nearest `.rota`, or the user's own."""
    return find_home(None, os.environ, os.getcwd())

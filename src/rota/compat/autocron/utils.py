"""AutoCron's module of this name: intervals, cron expressions, names and the platform."""

from __future__ import annotations

import math
import platform
import re
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from rota import Cron, RotaError
from rota.compat.autocron.errors import TimeParseError
from rota.sdk.schedules import span
from rota.sdk.times import next_slot, now, zone_named

SECOND, MINUTE, HOUR, DAY, WEEK = 1, 60, 3_600, 86_400, 604_800
LONGEST_DELAY = HOUR
"""A pause between attempts does not grow beyond this."""
_BARE_NUMBER = re.compile(r"[\d.]+")
_EVERY = "every "
_NOT_IN_NAMES = re.compile(r"[^\w-]")
_LOCAL = "local"


def parse_interval(interval: str) -> float:
    """Return the seconds of an interval such as '30s', '5m', '2h', '1d' or '1h30m'; whole seconds are an int."""
    text = interval.strip().lower() if isinstance(interval, str) else ""
    text = text.removeprefix(_EVERY)
    if _BARE_NUMBER.fullmatch(text):
        raise TimeParseError(f"the interval {interval!r} has no unit; write {text}s, {text}m, {text}h or {text}d")
    try:
        seconds = span(text).total_seconds()
    except RotaError as error:
        raise TimeParseError(f"{interval!r} is no interval: {error}") from error
    if seconds <= 0:
        raise TimeParseError(f"the interval {interval!r} is no time at all; write at least 1s")
    return int(seconds) if seconds == int(seconds) else seconds


class CronExpression:
    """A cron expression that can be asked for the times at which it is due, one after the other."""

    def __init__(self, expression: str, start: datetime | None = None, zone: str | None = None) -> None:
        self.expression = expression
        self._zone = zone
        self._at = now(zone) if start is None else start
        self.next_after(self._at)

    def __repr__(self) -> str:
        return f"CronExpression({self.expression!r})"

    def __iter__(self) -> CronExpression:
        return self

    def __next__(self) -> datetime:
        return self.next_after_this()

    def next_after(self, instant: datetime) -> datetime:
        """Return the first time after an instant; one without a zone is wall time, and so is the answer then."""
        aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone_named(self._zone))
        try:
            found = next_slot(Cron(self.expression), aware, self._zone)
        except RotaError as error:
            raise TimeParseError(f"{self.expression!r} is no cron expression: {error}") from error
        if found is None:
            raise TimeParseError(f"{self.expression!r} is never due after {instant}")
        return found if instant.tzinfo is not None else found.replace(tzinfo=None)

    def next_after_this(self) -> datetime:
        """Return the next time, and go on from there."""
        self._at = self.next_after(self._at)
        return self._at

    def get_next(self, ret_type: type[Any] = float) -> Any:
        """Return the next time, as seconds since 1970 or as a datetime, and go on from there."""
        found = self.next_after_this()
        return found if ret_type is datetime else found.timestamp()


def parse_cron(cron_expr: str) -> CronExpression:
    """Read a cron expression; what is none is a TimeParseError that says why."""
    return CronExpression(cron_expr)


def validate_cron_expression(cron_expr: str) -> bool:
    """Tell whether a text is a cron expression."""
    try:
        parse_cron(cron_expr)
    except (TimeParseError, TypeError, AttributeError):
        return False
    return True


def get_next_run_time(
    cron_expr: str, base_time: datetime | None = None, timezone: str | tzinfo | None = None
) -> datetime:
    """Return when a cron expression is due next after a time, or after now."""
    name = zone_name(timezone)
    return CronExpression(cron_expr, base_time, name).next_after(base_time or now(name))


def calculate_retry_delay(attempt: int, base_delay: float = MINUTE, max_delay: float = LONGEST_DELAY) -> float:
    """Return the pause after an attempt, counted from 0: twice the one before, up to a limit."""
    return max_delay if attempt > 60 else min(base_delay * 2**attempt, max_delay)


def sanitize_task_name(name: str) -> str:
    """Return a name with nothing but letters, digits, '_' and '-' in it; everything else has become '_'."""
    return _NOT_IN_NAMES.sub("_", name)


def format_timedelta(delta: timedelta) -> str:
    """Return a duration such as '1d 2h 30m'."""
    left, parts = math.floor(delta.total_seconds()), []
    for unit, seconds in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        number, left = divmod(left, seconds)
        parts += [f"{number}{unit}"] if number else []
    return " ".join(parts) or "0s"


def zone_name(timezone: str | tzinfo | None) -> str | None:
    """Return the IANA name of a zone, however it was given; None is the host's own."""
    if timezone is None or timezone == _LOCAL:
        return None
    name = timezone if isinstance(timezone, str) else getattr(timezone, "key", None) or str(timezone)
    try:
        zone_named(name)
    except RotaError as error:
        raise ValueError(str(error)) from error
    return name


def timezone_name(timezone: str | tzinfo | None) -> str:
    """Return the name of a zone; 'local' is the host's own."""
    return zone_name(timezone) or _LOCAL


def resolve_timezone(timezone: str | tzinfo | None) -> tzinfo:
    """Return a zone that was given by its name."""
    return zone_named(zone_name(timezone))


def get_autocron_home() -> Path:
    """Return the directory in which tasks are kept when no other is named."""
    return Path.home() / ".autocron"


def get_platform_info() -> dict[str, str]:
    """Return what this machine and this Python are."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "version": platform.version(),
        "machine": platform.machine(),
        "processor": platform.processor(),
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
    }


def is_windows() -> bool:
    """Tell whether this is Windows."""
    return sys.platform == "win32"


def is_linux() -> bool:
    """Tell whether this is Linux."""
    return sys.platform == "linux"


def is_macos() -> bool:
    """Tell whether this is macOS."""
    return sys.platform == "darwin"

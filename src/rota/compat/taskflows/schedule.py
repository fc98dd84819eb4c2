"""When a service is started: at times of the calendar, or periodically."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import rota
from rota.compat.taskflows.exceptions import ValidationError
from rota.sdk.services import calendar_of
from rota.sdk.times import next_slot, now

LOG = logging.getLogger("rota.taskflows")
_STARTS = ("boot", "login", "command")
_ENDS = ("start", "finish")
_SHOWN = "%a %Y-%m-%d %H:%M:%S %Z"


class Schedule:
    """The base of all schedules."""

    def __init__(self, accuracy: str = "1ms", randomized_delay: float | None = None) -> None:
        if not isinstance(accuracy, str) or not accuracy.strip():
            raise ValidationError(f"accuracy is {accuracy!r}; give a duration as text, such as '1ms'")
        if randomized_delay is not None and not randomized_delay >= 0:
            raise ValidationError(f"randomized_delay is {randomized_delay!r}; give seconds, 0 or more")
        self.accuracy, self.randomized_delay = accuracy, randomized_delay

    def rota_schedule(self, *, enabled: bool = False) -> rota.Calendar | rota.Every | None:
        """Return it as rota has it; None for what only starts when it is told to."""
        raise NotImplementedError("a schedule is a Calendar or a Periodic")

    def next_runs(self, n: int = 5, timezone: str | None = None) -> list[str]:
        """Return the next n times that it is due, as a wall clock in the time zone (or here) shows them."""
        schedule, at = self.rota_schedule(enabled=True), now(timezone)
        found: list[str] = []
        while schedule is not None and len(found) < n:
            following = next_slot(schedule, at, timezone)
            if following is None:
                break
            found.append(following.strftime(_SHOWN))
            at = following if isinstance(schedule, rota.Calendar) else at + timedelta(seconds=self._period())
        return found

    def _period(self) -> float:
        raise NotImplementedError("a calendar has no period")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items() if value is not None)
        return f"{type(self).__name__}({said})"


class Calendar(Schedule):
    """Start a service at times of the calendar, such as 'Mon..Fri 09:00', 'daily 03:00' or 'Sun 17:00 Europe/Rome'."""

    def __init__(
        self, schedule: str, persistent: bool = True, accuracy: str = "1ms", randomized_delay: float | None = None
    ) -> None:
        if not isinstance(schedule, str):
            raise ValidationError(f"a calendar's schedule is a text such as 'Mon..Fri 09:00', not {schedule!r}")
        self.schedule, self.persistent = schedule.strip(), persistent
        super().__init__(accuracy, randomized_delay)
        try:
            next_slot(self.rota_schedule(), now())
        except rota.RotaError as error:
            raise ValidationError(str(error)) from None

    @classmethod
    def from_datetime(cls, dt: datetime) -> Calendar:
        """Start a service once, at this instant; one without a zone is a wall clock's here."""
        zone = str(getattr(dt.tzinfo, "key", "") or dt.strftime("%Z"))
        if dt.tzinfo is not None and "/" not in zone and zone != "UTC":  # no name that a calendar could hold
            dt, zone = dt.astimezone(now("UTC").tzinfo), "UTC"
        return cls(f"{dt:%a %Y-%m-%d %H:%M:%S} {zone}".strip())

    def rota_schedule(self, *, enabled: bool = False) -> rota.Calendar:  # noqa: ARG002 -- it is due in either case
        """Return it as rota has it."""
        return calendar_of(self.schedule)


class Periodic(Schedule):
    """Start a service again and again: `Periodic(minutes=30)`, or `Periodic("boot", 1800, "finish")`.

    A period is in seconds. It is counted from one start to the next, or from each `finish`.
    """

    def __init__(
        self,
        start_on: str = "boot",
        period: float | None = None,
        relative_to: str = "start",
        accuracy: str = "1ms",
        randomized_delay: float | None = None,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        for word, given, known in (("start_on", start_on, _STARTS), ("relative_to", relative_to, _ENDS)):
            if given not in known:
                raise ValidationError(f"{word} is {given!r}; it must be one of: {', '.join(known)}")
        units = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        if period is not None and units:
            raise ValidationError(f"period and units ({units:g}s together) are both given; one is enough")
        self.start_on, self.relative_to = start_on, relative_to
        self.period = units if period is None else period
        if not self.period > 0:
            raise ValidationError("period must be greater than 0 seconds; write period=1800, or minutes=30")
        super().__init__(accuracy, randomized_delay)

    def rota_schedule(self, *, enabled: bool = False) -> rota.Every | None:
        """Return it as rota has it; None when it waits to be told, and the service is not enabled."""
        if self.start_on == "command" and not enabled:
            return None
        return rota.Every(timedelta(seconds=self.period), from_end=self.relative_to == "finish")

    def _period(self) -> float:
        return self.period


def schedules_of(given: Any) -> list[Schedule]:
    """Return schedules, whichever way they were given; a text is a calendar's."""
    several = given if isinstance(given, (list, tuple)) else [] if given is None else [given]
    found = [Calendar(each) if isinstance(each, str) else each for each in several]
    for each in found:
        if not isinstance(each, Schedule):
            raise ValidationError(f"{each!r} is no schedule; give a Calendar or a Periodic")
    return found

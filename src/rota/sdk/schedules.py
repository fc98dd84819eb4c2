"""When and how, as typed values: what `cron=`, `every=` and the others also take as text."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from rota.errors import BadJob
from rota.model.job import ScheduleSpec
from rota.model.policy import PRIORITIES, Retries
from rota.schedule.custom import Schedule
from rota.schedule.duration import format_duration
from rota.schedule.parse import parse

_A_SPAN = "a duration such as '1h30m', a number of seconds, or a timedelta"


class _OwnKind(Schedule):
    """What rota's own kinds have in common: they can be written down without a name of a plug-in."""

    def spec(self) -> ScheduleSpec:
        """Return it as a job has it."""
        raise NotImplementedError

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first instant that is due strictly after another, in the host's time zone."""
        spec = self.spec()
        return parse(spec.kind, spec.text, anchor=spec.anchor, dst=spec.dst).next_after(instant)

    def explain(self) -> str:
        """Say in plain English when this is due."""
        spec = self.spec()
        return parse(spec.kind, spec.text, anchor=spec.anchor, dst=spec.dst).explain()


class Cron(msgspec.Struct, _OwnKind, frozen=True):
    """Cron's five fields, or six with seconds first; names, ranges, steps, L, W, # and @daily and friends."""

    text: str
    """Such as `30 2 * * *`."""

    def __post_init__(self) -> None:
        """Refuse what is no text; what it says is judged when a job is added."""
        _refuse_unless("the text of a rota.Cron", self.text, isinstance(self.text, str), "one such as '30 2 * * *'")

    def spec(self) -> ScheduleSpec:
        """Return it as a job has it."""
        return ScheduleSpec("cron", self.text)


class Every(msgspec.Struct, _OwnKind, frozen=True):
    """A fixed interval, counted from its first start (or an anchor), or from the end of each run."""

    interval: timedelta | float | str
    """Such as `5m`; `1d` is 24 hours; a number is seconds."""
    anchor: datetime | None = None
    """The instant that it is counted from; None is the first time that it is added."""
    from_end: bool = False
    """Whether it is counted from the end of each run instead."""

    def __post_init__(self) -> None:
        """Refuse what is no duration; its text is judged when a job is added."""
        _refuse_unless("the interval of a rota.Every", self.interval, _is_span(self.interval), _A_SPAN)
        fits = self.anchor is None or isinstance(self.anchor, datetime)
        _refuse_unless("the anchor of a rota.Every", self.anchor, fits, "a datetime")

    def spec(self) -> ScheduleSpec:
        """Return it as a job has it."""
        text = self.interval if isinstance(self.interval, str) else format_duration(span(self.interval))
        return ScheduleSpec("every", text, self.anchor, self.from_end)


class At(msgspec.Struct, _OwnKind, frozen=True):
    """One instant: aware, or as text such as '2027-01-31 10:00' in the job's time zone."""

    instant: datetime | str
    """Such as `2027-01-31 10:00`, or `boot`: each start of the machine."""

    def __post_init__(self) -> None:
        """Refuse what is no instant; its text is judged when a job is added."""
        fits = isinstance(self.instant, (str, datetime))
        _refuse_unless(
            "the instant of a rota.At", self.instant, fits, "a text such as '2027-01-31 10:00', or a datetime"
        )

    def spec(self) -> ScheduleSpec:
        """Return it as a job has it."""
        text = self.instant if isinstance(self.instant, str) else self.instant.isoformat(sep=" ")
        return ScheduleSpec("at", text)


class Calendar(msgspec.Struct, _OwnKind, frozen=True):
    """A calendar expression of systemd's, such as 'Mon..Fri 09:00'."""

    text: str
    """Such as `Mon..Fri 09:00`."""
    skip_gaps: bool = False
    """Whether a wall-clock time that a daylight saving change skips is passed over, as systemd does."""

    def __post_init__(self) -> None:
        """Refuse what is no text; what it says is judged when a job is added."""
        fits = isinstance(self.text, str)
        _refuse_unless("the text of a rota.Calendar", self.text, fits, "one such as 'Mon..Fri 09:00'")

    def spec(self) -> ScheduleSpec:
        """Return it as a job has it."""
        return ScheduleSpec("calendar", self.text, dst="skip" if self.skip_gaps else "fire")


def spec_of(schedule: Schedule) -> ScheduleSpec:
    """Return a schedule as a job has it: one of rota's own kinds, or the name and the text of a plug-in's."""
    if isinstance(schedule, _OwnKind):
        return schedule.spec()
    if not isinstance(schedule, Schedule):
        raise BadJob(f"{schedule!r} is no schedule; give a rota.Cron, Every, At, Calendar, or a rota.Schedule of yours")
    if not schedule.name:
        raise BadJob(f"the schedule {type(schedule).__name__} has no name, and a job keeps it by its name; give it one")
    return ScheduleSpec("custom", f"{schedule.name} {schedule.text}".strip())


class Priority(IntEnum):
    """Who goes first when places are few; any other number is a priority, too, and the smaller one goes first."""

    URGENT = PRIORITIES["urgent"]
    HIGH = PRIORITIES["high"]
    MEDIUM = PRIORITIES["medium"]
    LOW = PRIORITIES["low"]


class Retry(msgspec.Struct, frozen=True):
    """How often, and after what pauses, a failed attempt is tried again."""

    count: int
    """How often, after the first attempt."""
    delay: timedelta | float | str = timedelta(seconds=10)
    """The pause before the first retry."""
    backoff: float = 2.0
    """Each pause is so many times the one before."""
    max_delay: timedelta | float | str = timedelta(hours=1)
    """The longest pause."""
    jitter: float = 0.1
    """By which part of itself a pause may vary."""
    only_on: tuple[int, ...] = ()
    """Exit codes; empty: every failure."""

    def __post_init__(self) -> None:
        """Refuse what is no number or duration; how large they may be is judged when a job is added."""
        checks = {
            "count": (_is_whole(self.count), "a whole number"),
            "delay": (_is_span(self.delay), _A_SPAN),
            "backoff": (is_seconds(self.backoff), "a number"),
            "max_delay": (_is_span(self.max_delay), _A_SPAN),
            "jitter": (is_seconds(self.jitter), "a number"),
            "only_on": (
                isinstance(self.only_on, (list, tuple)) and all(map(_is_whole, self.only_on)),
                "a tuple of exit codes",
            ),
        }
        for word, (fits, words) in checks.items():
            _refuse_unless(f"{word} of a rota.Retry", getattr(self, word), fits, words)

    def retries(self) -> Retries:
        """Return it as a job has it."""
        return Retries(
            self.count, span(self.delay), self.backoff, span(self.max_delay), self.jitter, tuple(self.only_on)
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_span(value: object) -> bool:
    return isinstance(value, (str, timedelta)) or is_seconds(value)


def is_seconds(value: object) -> bool:
    """Tell whether this is a number of seconds that a duration can have."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        timedelta(seconds=value)
    except (ValueError, OverflowError):  # no number, or more than there is
        return False
    return True


def _refuse_unless(what: str, value: object, fits: bool, words: str) -> None:
    if not fits:
        raise BadJob(f"{what} is {value!r}; give {words}")


def span(given: timedelta | float | str) -> timedelta:
    """Return a duration that was given as one, in seconds, or as text."""
    from rota.schedule.duration import parse_duration

    if isinstance(given, timedelta):
        return given
    return parse_duration(given) if isinstance(given, str) else timedelta(seconds=given)

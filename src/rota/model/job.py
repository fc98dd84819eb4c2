"""What a job is: a definition as its author gave it, and the same with what the store knows of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from rota.errors import BadJob
from rota.model.action import Action, Function, Python, Shell
from rota.model.host import ANYWHERE, RunsOn
from rota.model.policy import OutputMode, Overlap, Policy
from rota.schedule.boot import is_boot

MAX_NAME = 200
_LARGEST = 1_000_000
_LONGEST = timedelta(days=36_525)
SECRET_SOURCES = ("keyring", "file", "env")
"""Where a variable's value may be, when it is not in the definition."""
BY_HAND = "hand"
"""The origin of jobs made on the command line."""


class ScheduleSpec(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One schedule as text; `schedule/` turns it into instants."""

    kind: Literal["cron", "every", "at", "calendar", "custom"]
    text: str
    anchor: datetime | None = None
    """`every` counts from here; set at the first apply."""
    from_end: bool = False
    """`every` counts from the end of the run before."""
    dst: Literal["fire", "skip"] = "fire"

    def describe(self) -> str:
        """Return the schedule as people write it."""
        ending = " after the end" if self.from_end else ""
        ending += " (dst: skip)" if self.dst == "skip" else ""
        return f"{self.kind} {self.text}{ending}"

    @property
    def at_boot(self) -> bool:
        """Tell whether this is the start of the machine, and not an instant."""
        return self.kind == "at" and is_boot(self.text)


class Job(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A job as its author defined it."""

    name: str
    action: Action
    schedules: tuple[ScheduleSpec, ...] = ()
    policy: Policy = Policy()
    timezone: str | None = None
    """None: the host's."""
    description: str = ""
    tags: tuple[str, ...] = ()
    enabled: bool = True
    cwd: str | None = None
    env: dict[str, str] = {}
    secrets: dict[str, str] = {}
    """Variables by where their values are: `keyring:service/name`, `file:/path` or `env:NAME`; never the values."""
    env_files: tuple[str, ...] = ()
    """Files of NAME=VALUE lines, read when an attempt starts."""
    user: str | None = None
    umask: int | None = None
    runs_on: RunsOn = ANYWHERE

    @property
    def at_boot(self) -> bool:
        """Tell whether a start of the machine makes it due."""
        return any(spec.at_boot for spec in self.schedules)

    @property
    def job_limit(self) -> int | None:
        """Return how many of its runs may hold a place at once; None where nothing counts them over all hosts."""
        return None if self.runs_on.all else self.policy.job_limit

    @property
    def output_mode(self) -> OutputMode:
        """Return how output reaches the spool.

        Another user cannot reopen the engine's files, and what has secrets in it is masked on its way: both get a pipe.
        """
        if self.policy.output.mode is not None:
            return self.policy.output.mode
        return OutputMode.PIPE if self.user or self.secrets else OutputMode.FILE

    def check(self) -> None:
        """Refuse what cannot mean anything (schedules are checked by parsing them)."""
        check_name(self.name)
        check_policy(f"job {self.name!r}", self.policy)
        self.runs_on.check(f"job {self.name!r}")
        if self.runs_on.all and self.policy.overlap in (Overlap.QUEUE, Overlap.REPLACE):
            raise BadJob(
                f"job {self.name!r}: overlap is {self.policy.overlap}, which does not go with runs_on: all; "
                "each host decides for itself there, so use skip or allow"
            )
        if any(spec.from_end for spec in self.schedules) and len(self.schedules) > 1:
            raise BadJob(f"job {self.name!r}: a schedule that counts from the end of the run must be the only one")
        words = self.action.target if isinstance(self.action, Python) else self._words()
        if not words:
            raise BadJob(f"job {self.name!r}: there is nothing to run; give a command")
        if "\0" in words:
            raise BadJob(f"job {self.name!r}: a command cannot hold a NUL character")
        _check_environment(self)
        if isinstance(self.action, Python) and not _is_target(self.action.target):
            raise BadJob(f"job {self.name!r}: {words!r} is not pkg.mod:func, for example 'reports.daily:main'")

    def _words(self) -> str:
        if isinstance(self.action, Shell):
            return self.action.line.strip()
        if isinstance(self.action, Function):
            return self.action.name.strip()
        argv = getattr(self.action, "argv", ())
        return "".join(argv) if argv and argv[0] else ""


class StoredJob(msgspec.Struct, frozen=True):
    """A job with what the store knows of it."""

    id: int
    job: Job
    definition_id: int
    origin: str
    revision: int
    paused_at: datetime | None
    removed_at: datetime | None
    planned_to: datetime
    """Every slot up to here has its record."""
    next_slot: datetime | None
    jitter: timedelta
    """How much later than its slot the job wakes here."""
    skip_streak: int
    created_at: datetime

    @property
    def name(self) -> str:
        """Return the job's name."""
        return self.job.name

    @property
    def wants_slots(self) -> bool:
        """Tell whether the clock may make this job due."""
        return self.job.enabled and self.paused_at is None and self.removed_at is None


class JobCounts(msgspec.Struct, frozen=True):
    """How many jobs there are, and how many of them are not due; one that is disabled counts as that alone."""

    jobs: int
    paused: int
    disabled: int

    @property
    def active(self) -> int:
        """Return how many are neither paused nor disabled."""
        return self.jobs - self.paused - self.disabled


def check_name(name: str) -> None:
    """Refuse names that could not be typed or shown."""
    if not name or name != name.strip():
        raise BadJob(f"job name {name!r}: a name is not empty, and neither starts nor ends with a space")
    if len(name) > MAX_NAME:
        raise BadJob(f"job name {name[:40]!r}…: {len(name)} characters; {MAX_NAME} at most")
    if name.startswith("-"):
        raise BadJob(f"job name {name!r}: a leading '-' would read as an option; start with a letter or digit")
    if name in (".", ".."):
        raise BadJob(f"job name {name!r}: it would read as a folder in a path; start with a letter or digit")
    if not name.isprintable():
        raise BadJob(f"job name {name!r}: only printable characters; no tabs, newlines or control characters")


def _check_environment(job: Job) -> None:
    """Refuse variables that no process can have, and secrets that could not be masked."""
    for name, value in {**job.env, **job.secrets}.items():
        if not name or "=" in name or "\0" in name + value:
            raise BadJob(f"job {job.name!r}: no variable can be named {name!r} or hold what it is given; no '=' or NUL")
    if job.secrets and job.policy.output.mode is OutputMode.FILE:
        raise BadJob(f"job {job.name!r}: output: file cannot mask secrets; leave the mode out, or write pipe")


def check_policy(what: str, policy: Policy) -> None:
    """Refuse numbers and durations that no clock, counter or database could hold."""
    retries = policy.retries
    numbers: dict[str, tuple[float, float]] = {
        "max_instances": (policy.max_instances, 1),
        "retries": (retries.count, 0),
        "retries.backoff": (retries.backoff, 0),
        "retries.jitter": (retries.jitter, 0),
        "priority": (policy.priority, -_LARGEST),
    }
    for word, (number, least) in numbers.items():
        if not number >= least:  # so that it refuses what is no number, too
            raise BadJob(f"{what}: {word} is {number:g}; it must be {least:g} or more")
        if number > _LARGEST:
            raise BadJob(f"{what}: {word} is {number:g}; {_LARGEST:,} at most")
    nothing, least_span = timedelta(0), timedelta(microseconds=1)
    spans = {
        "grace": (policy.grace, nothing),
        "retries.delay": (retries.delay, nothing),
        "retries.max_delay": (retries.max_delay, nothing),
        "timeout": (policy.timeout, least_span),
        "kill_after": (policy.kill_after, nothing),
        "start_by": (policy.start_by, least_span),
        "jitter": (policy.jitter, nothing),
    }
    for word, (span, shortest) in spans.items():
        if span is not None and span < shortest:
            wanted = "not be negative" if shortest == nothing else "be longer"
            raise BadJob(f"{what}: {word} is {span.total_seconds():g}s; it must {wanted}")
        if span is not None and span > _LONGEST:
            raise BadJob(f"{what}: {word} is {span.days:,} days; 100 years at most")

    if policy.not_before is not None and policy.not_after is not None and policy.not_before >= policy.not_after:
        raise BadJob(
            f"{what}: not_before ({policy.not_before:%Y-%m-%d %H:%M} UTC) is not earlier than not_after "
            f"({policy.not_after:%Y-%m-%d %H:%M} UTC), so no slot lies between them; exchange them, or leave one out"
        )


def _is_target(target: str) -> bool:
    module, _, function = target.partition(":")
    return bool(function) and all(part.isidentifier() for part in (*module.split("."), *function.split(".")))

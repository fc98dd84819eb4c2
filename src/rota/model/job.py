"""What a job is: a definition as its author gave it, and the same with what the store knows of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from rota.errors import BadJob
from rota.model.action import Action, Python, Shell
from rota.model.policy import OutputMode, Policy

MAX_NAME = 200
BY_HAND = "hand"
"""The origin of jobs made on the command line."""


class ScheduleSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One schedule as text; `schedule/` turns it into instants."""

    kind: Literal["cron", "every", "at", "calendar"]
    text: str
    anchor: datetime | None = None
    """`every` counts from here; set at the first apply."""
    from_end: bool = False
    """`every` counts from the end of the run before."""
    dst: Literal["fire", "skip"] = "fire"

    def describe(self) -> str:
        """Return the schedule as people write it."""
        ending = " after the end" if self.from_end else ""
        return f"{self.kind} {self.text}{ending}"


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
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
    user: str | None = None
    umask: int | None = None

    @property
    def output_mode(self) -> OutputMode:
        """Return how output reaches the spool: another user cannot reopen the engine's files, so it gets a pipe."""
        if self.policy.output.mode is not None:
            return self.policy.output.mode
        return OutputMode.PIPE if self.user else OutputMode.FILE

    def check(self) -> None:
        """Refuse what cannot mean anything (schedules are checked by parsing them)."""
        check_name(self.name)
        policy = self.policy
        if policy.max_instances < 1:
            raise BadJob(f"job {self.name!r}: max_instances is {policy.max_instances}; it must be 1 or more")
        if policy.retries.count < 0:
            raise BadJob(f"job {self.name!r}: retries is {policy.retries.count}; it must be 0 or more")
        if any(spec.from_end for spec in self.schedules) and len(self.schedules) > 1:
            raise BadJob(f"job {self.name!r}: a schedule that counts from the end of the run must be the only one")
        words = self.action.target if isinstance(self.action, Python) else self._words()
        if not words:
            raise BadJob(f"job {self.name!r}: there is nothing to run; give a command")
        if "\0" in words:
            raise BadJob(f"job {self.name!r}: a command cannot hold a NUL character")
        if isinstance(self.action, Python) and not _is_target(self.action.target):
            raise BadJob(f"job {self.name!r}: {words!r} is not pkg.mod:func, for example 'reports.daily:main'")

    def _words(self) -> str:
        return self.action.line.strip() if isinstance(self.action, Shell) else "".join(getattr(self.action, "argv", ()))


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


def check_name(name: str) -> None:
    """Refuse names that could not be typed or shown."""
    if not name or name != name.strip():
        raise BadJob(f"job name {name!r}: a name is not empty, and neither starts nor ends with a space")
    if len(name) > MAX_NAME:
        raise BadJob(f"job name {name[:40]!r}…: {len(name)} characters; {MAX_NAME} at most")
    if name.startswith("-"):
        raise BadJob(f"job name {name!r}: a leading '-' would read as an option; start with a letter or digit")
    if not name.isprintable():
        raise BadJob(f"job name {name!r}: only printable characters; no tabs, newlines or control characters")


def _is_target(target: str) -> bool:
    module, _, function = target.partition(":")
    return bool(function) and all(part.isidentifier() for part in (*module.split("."), *function.split(".")))

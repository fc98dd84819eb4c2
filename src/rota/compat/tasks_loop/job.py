"""A job of tasks_loop: what its file says, and how it went."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TypeVar

from rota.sdk.files import fields_of
from rota.sdk.schedules import Cron
from rota.sdk.times import next_slot, now

_J = TypeVar("_J", bound="Job")
_REQUIRED = ("id", "name", "command", "schedule")
_KNOWN = (*_REQUIRED, "priority", "description", "enabled", "max_retries", "timeout_seconds")


class Priority(Enum):
    """Who goes first; the most urgent is the least, so that sorting puts it in front."""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def __lt__(self, other: object) -> bool:
        return _RANKS[self] < _RANKS[other] if isinstance(other, Priority) else NotImplemented


_RANKS = {priority: rank for rank, priority in enumerate(Priority)}


class JobState(Enum):
    """Where a job stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass
class JobResult:
    """How an execution went; `timestamp` is its end on this machine's wall clock."""

    success: bool
    timestamp: datetime
    message: str = ""
    duration_seconds: float = 0.0


@dataclass
class Job:
    """A command and its schedule; what follows `timeout_seconds` is kept by the scheduler."""

    id: str
    name: str
    command: str
    schedule: str
    priority: Priority = Priority.MEDIUM
    description: str = ""
    enabled: bool = True
    max_retries: int = 0
    timeout_seconds: float | None = None
    """None: the scheduler's default. 0: no limit."""

    state: JobState = field(default=JobState.PENDING, init=False)
    last_run: datetime | None = field(default=None, init=False)
    last_result: JobResult | None = field(default=None, init=False)
    retry_count: int = field(default=0, init=False)
    """How many attempts in a row have failed."""

    def __post_init__(self) -> None:
        """Take the word for a priority as well."""
        self.priority = Priority(self.priority)

    @classmethod
    def from_yaml(cls: type[_J], path: str | os.PathLike[str]) -> _J:
        """Read a job's file; raises ValueError with all that is wrong in it, and where."""
        with fields_of(path, "job", _KNOWN) as fields:
            missing = [key for key in _REQUIRED if not fields.has(key)]
            if missing:
                fields.faults.add(fields.mark, f"Missing required fields: {missing}")
            words = {key: fields.text(key) or "" for key in (*_REQUIRED, "description")}
            given = str(fields.value("priority") or Priority.MEDIUM.value)
            priority = next((each for each in Priority if each.value == given.lower()), None)
            if priority is None:
                valid = ", ".join(each.value for each in Priority)
                fields.faults.add(fields.at("priority"), f"Invalid priority {given!r}; it may be {valid}")
            node = fields.node_of("schedule")
            if node is not None:
                fields.read(node, "schedule", lambda text: next_slot(Cron(text.strip()), now()))
            enabled, max_retries = fields.flag("enabled", True), fields.number("max_retries", 0)
            timeout = fields.amount("timeout_seconds")
        return cls(
            **words,
            priority=priority or Priority.MEDIUM,
            enabled=enabled,
            max_retries=max_retries,
            timeout_seconds=timeout,
        )

    def record_result(self, result: JobResult) -> None:
        """Keep how an execution went."""
        self.last_run, self.last_result = result.timestamp, result
        self.state = JobState.COMPLETED if result.success else JobState.FAILED
        self.retry_count = 0 if result.success else self.retry_count + 1

    def can_retry(self) -> bool:
        """Tell whether it has failed, and less often than it may be tried again."""
        return self.state is JobState.FAILED and self.retry_count < self.max_retries

    def reset_state(self) -> None:
        """Begin anew: nothing has failed yet. When it ran last stays."""
        self.state, self.retry_count = JobState.PENDING, 0

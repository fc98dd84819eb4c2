"""How a job behaves: the policies and their defaults, as frozen values."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

PRIORITIES = {"urgent": 0, "high": 25, "medium": 50, "low": 75}
"""Names for numbers: the smaller number starts first."""


class Overlap(StrEnum):
    """What a due run does while `max_instances` earlier runs of its job are active."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class CatchUp(StrEnum):
    """Which of the slots that were missed run afterwards."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class OutputMode(StrEnum):
    """How the job's output reaches the spool."""

    FILE = "file"
    PIPE = "pipe"


class Retries(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Whether and when a failed attempt is tried again."""

    count: int = 0
    delay: timedelta = timedelta(seconds=10)
    backoff: float = 2.0
    max_delay: timedelta = timedelta(hours=1)
    jitter: float = 0.1
    only_on: tuple[int, ...] = ()


class Output(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much of each stream is kept, and how it gets there."""

    head: int = 256 * 1024
    tail: int = 768 * 1024
    mode: OutputMode | None = None
    """None: a file, or a pipe where the job runs as another user."""


class Policy(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """All of a job's policies."""

    overlap: Overlap = Overlap.SKIP
    max_instances: int = 1
    catch_up: CatchUp = CatchUp.LATEST
    grace: timedelta = timedelta(hours=1)
    retries: Retries = Retries()
    timeout: timedelta | None = None
    kill_after: timedelta = timedelta(seconds=10)
    start_by: timedelta | None = None
    priority: int = PRIORITIES["medium"]
    pool: str = ""
    jitter: timedelta = timedelta(0)
    not_before: datetime | None = None
    not_after: datetime | None = None
    output: Output = Output()

    @property
    def job_limit(self) -> int | None:
        """Return how many of the job's runs may hold a place at once; None: any number."""
        return None if self.overlap == Overlap.ALLOW else self.max_instances


def size_words(size: int) -> str:
    """Return a number of bytes as people write it, exactly."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("MB", 10**6), ("KB", 10**3)):
        if size and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def priority_name(number: int) -> str:
    """Return the name of a priority, or its number."""
    return next((name for name, value in PRIORITIES.items() if value == number), str(number))

"""The attempts that this engine is responsible for, and the few things it must remember about each."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from rota.model.job import Job


class Ending(StrEnum):
    """Why an attempt is being ended by us."""

    TIMEOUT = "timeout"
    CANCEL = "cancel"
    HAND_OVER = "hand over"
    """Another host goes on with the run."""


class Flight(msgspec.Struct, eq=False):
    """One running attempt."""

    run_id: str
    attempt: int
    job: Job
    started_at: datetime
    slot: datetime | None = None
    age: timedelta | None = None
    """How long it ran before it was adopted, where that is known better than the wall clock knows it."""
    ending: Ending | None = None
    ending_reason: str = ""
    grace_end: float = 0.0
    """The monotonic time until which it may end by itself, once it was asked to."""
    kill_due: bool = False
    """The grace after SIGTERM is over."""
    exited: Exited | None = None


class Exited(msgspec.Struct, frozen=True):
    """An attempt's end, as far as it is known, before it is on record."""

    exit_code: int | None
    at: datetime
    reason: str = ""


class Alarms:
    """Monotonic times at which to look at a flight again, soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str, int]] = []

    def set(self, at: float, run_id: str, attempt: int) -> None:
        """Look at this attempt at that time."""
        heapq.heappush(self._heap, (at, run_id, attempt))

    def take(self, now: float) -> list[tuple[str, int]]:
        """Return the attempts to look at now."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            _, run_id, attempt = heapq.heappop(self._heap)
            due.append((run_id, attempt))
        return due

    def next(self) -> float | None:
        """Return the soonest time."""
        return self._heap[0][0] if self._heap else None

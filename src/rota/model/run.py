"""What a run is, and the one table of the states it may go through.

The table below is the whole state machine. The store's triggers refuse what it refuses (a test compares the two), and
the diagram in docs/concepts.md is made from it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def words(self) -> str:
        """Return it as people say it: timed out."""
        return self.value.replace("_", " ")


MOVES: dict[State, frozenset[State]] = {
    # Back to queued from running: given back, because it is proven that the attempt never started its command.
    State.QUEUED: frozenset({State.RUNNING, State.CANCELLED}),
    State.RUNNING: frozenset(
        {
            State.QUEUED,
            State.WAITING,
            State.SUCCEEDED,
            State.FAILED,
            State.TIMED_OUT,
            State.CANCELLED,
            State.LOST,
        }
    ),
    State.WAITING: frozenset({State.QUEUED, State.CANCELLED}),
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset(),
    State.TIMED_OUT: frozenset(),
    State.CANCELLED: frozenset(),
    State.LOST: frozenset(),
}
ACTIVE = frozenset(state for state, following in MOVES.items() if following)
FINAL = frozenset(State) - ACTIVE
TROUBLE = FINAL - {State.SUCCEEDED, State.CANCELLED}
SEVERAL = {"active": ACTIVE, "trouble": TROUBLE}
"""Words for several states."""


def states_of(word: str) -> frozenset[State]:
    """Return the states that a word of people stands for; none for no word, which is all of them."""
    if not word:
        return frozenset()
    return SEVERAL[word] if word in SEVERAL else frozenset({State(word)})


class Trigger(StrEnum):
    """Who asked for the run."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    MANUAL = "manual"
    RETRY = "retry"
    """A person asked for an ended run again; a run's own retries are attempts, not runs."""


class Run(msgspec.Struct, frozen=True):
    """One execution of a job, for a slot or for a request."""

    id: str
    """Ids sort by time."""
    job: str
    """The job's name."""
    job_id: int
    definition_id: int
    """The definition that it was made with."""
    trigger: Trigger
    """What made it: its slot, a person, a start of the machine."""
    slot: datetime | None
    """The instant for which it was due; None for a request."""
    state: State
    attempt: int
    """Which try the present or the last one is, from 1; 0 before the first."""
    host: str | None
    """The home whose engine has it."""
    boot: str | None
    """The boot of the machine that its attempt was started in."""
    spool: str | None
    """Where its attempt writes while it runs."""
    queued_at: datetime
    ready_at: datetime | None
    """When it may start: it waits for its next attempt until then."""
    start_by: datetime | None
    """It is given up when it has not started by then."""
    started_at: datetime | None
    """When the attempt began."""
    ended_at: datetime | None
    exit_code: int | None
    """A function's is 0, or 1 after an exception."""
    reason: str
    """Why it did not succeed, or why it waits, in words."""
    cancel_at: datetime | None
    """When somebody asked for its end."""
    cancel_reason: str
    params: dict[str, str]
    """What it was asked to run with."""
    result: str | None
    """What its function returned, as JSON."""
    retry_of: str | None
    """The ended run that a person asked for again."""
    needs: str = ""
    """What a host must have to run it; see model/host.py."""

    @property
    def duration(self) -> float | None:
        """Return the seconds of the attempt, once it has ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())

    @property
    def lateness(self) -> float | None:
        """Return the seconds between the slot and the start."""
        if self.started_at is None or self.slot is None:
            return None
        return (self.started_at - self.slot).total_seconds()

    @property
    def signal(self) -> int | None:
        """Return the signal that the exit code tells of; a shell cannot tell `exit 137` from SIGKILL."""
        return self.exit_code - 128 if self.exit_code is not None and 128 < self.exit_code < 193 else None


class Attempt(msgspec.Struct, frozen=True):
    """One try of a run that came to its end."""

    run_id: str
    attempt: int
    state: State
    host: str | None
    started_at: datetime | None
    ended_at: datetime
    exit_code: int | None
    reason: str


class OutputPart(msgspec.Struct, frozen=True):
    """What was kept of one stream of one attempt: its beginning, its end, and how much there was."""

    stream: str
    head: bytes
    tail: bytes
    size: int

    @property
    def dropped(self) -> int:
        """Return how many bytes between beginning and end were let go."""
        return max(0, self.size - len(self.head) - len(self.tail))

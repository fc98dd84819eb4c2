"""Runs, as REST answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from rota.api.schemas.base import RUN_ID, Answer, Cursor, Instant, Seconds


class Run(Answer):
    """One execution of a job."""

    id: str = Field(description="Ids sort by time.", examples=[RUN_ID])
    job: str = Field(examples=["backup"])
    trigger: str = Field(description="schedule, catch_up, manual or retry.", examples=["schedule"])
    slot: Instant | None = Field(description="The instant for which it was due; null for a request.")
    state: str = Field(
        description="queued, running, waiting (for its next attempt), succeeded, failed, timed_out, cancelled or lost.",
        examples=["succeeded"],
    )
    attempt: int = Field(description="Which try; 0 before the first.", examples=[1])
    host: str | None = Field(
        description="The host that has it, or had it last, by its name; one that was forgotten, by its id.",
        examples=["db-1"],
    )
    queued_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    duration: Seconds | None = Field(description="Seconds of the attempt, once it has ended.")
    exit_code: int | None = Field(examples=[0])
    signal: int | None = Field(description="The signal that the exit code tells of.")
    reason: str = Field(description="Why it did not succeed, or why it waits.")
    lateness: Seconds | None = Field(description="Seconds between slot and start.")


class Attempt(Answer):
    """One try of a run."""

    attempt: int
    state: str = Field(examples=["failed"])
    host: str | None = Field(description="Where it ran.", examples=["db-1"])
    started_at: Instant | None
    ended_at: Instant | None
    exit_code: int | None
    reason: str


class RunDetails(Run):
    """A run with all its attempts."""

    attempts: list[Attempt] = Field(description="The attempts that others followed, and after them the present one.")
    params: dict[str, str]
    result: Any = Field(description="What its function returned.")
    retry_of: str | None = Field(description="The ended run that somebody asked for again.")
    cancel_asked_at: Instant | None


class RunPage(Answer):
    """Runs, newest first."""

    items: list[Run]
    next: Cursor


class Skip(Answer):
    """Slots that did not run."""

    job: str
    first_slot: Instant
    last_slot: Instant
    count: int
    code: str = Field(examples=["paused"])
    reason: str = Field(examples=["the job was paused"])
    run: str | None = Field(description="The run that was in the way.")
    at: Instant = Field(description="When it was written.")


class Output(Answer):
    """A piece of what an attempt wrote to one of its streams. Offsets count bytes."""

    run: str = Field(examples=[RUN_ID])
    attempt: int
    stream: str = Field(examples=["stdout"])
    start: int = Field(description="Where the piece begins.")
    next: int = Field(description="Where to read on: the next `from`.")
    dropped: int = Field(description="How many bytes right before the piece were let go, because it was too much.")
    size: int | None = Field(description="How much there was in all; null while it is being written.")
    last: bool = Field(description="There is no more.")
    text: str = Field(description="The piece; bytes that are no UTF-8 are shown as U+FFFD.")


class Event(Answer):
    """A fact."""

    seq: int
    at: Instant
    kind: str = Field(examples=["run.failed"])
    job: str | None
    run: str | None
    data: dict[str, str]


class Events(Answer):
    """Facts, in order."""

    items: list[Event]
    last: int = Field(description="The number to go on after.")

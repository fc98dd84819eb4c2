"""The small values that travel between engine and store while a run goes its way."""

from __future__ import annotations

from datetime import datetime

import msgspec

from rota.model.run import OutputPart, State, Trigger


class NewRun(msgspec.Struct, frozen=True):
    """A run that is not stored yet."""

    id: str
    job_id: int
    definition_id: int
    trigger: Trigger
    slot: datetime | None = None
    held: bool = False
    params: dict[str, str] = {}
    retry_of: str | None = None
    request_key: str | None = None
    target: str = ""
    """The host that has this record of a slot, or of a request, for all hosts."""


class Claimed(msgspec.Struct, frozen=True):
    """A run that this engine has claimed and must now start: the attempt is on disk."""

    run_id: str
    attempt: int
    job_name: str
    definition_id: int
    trigger: Trigger
    slot: datetime | None
    params: dict[str, str]
    spool: str
    claimed_at: datetime


class Ended(msgspec.Struct, frozen=True):
    """How an attempt ended."""

    run_id: str
    attempt: int
    state: State
    started_at: datetime | None
    ended_at: datetime
    exit_code: int | None
    reason: str = ""
    result: str | None = None


class Exit(msgspec.Struct, frozen=True):
    """An attempt has ended; no code means that nobody knows how."""

    run_id: str
    exit_code: int | None
    at: datetime | None = None


class Harvest(msgspec.Struct, frozen=True):
    """What an attempt left: its output, its result, and what is worth saying about them."""

    parts: list[OutputPart]
    result: str | None = None
    note: str = ""


class RunFilter(msgspec.Struct, frozen=True):
    """Which runs a listing shows; `state` is a state, 'active', 'trouble', or empty for all."""

    job_id: int | None = None
    state: str = ""
    since: datetime | None = None
    """Made at or after this instant."""
    until: datetime | None = None
    """Made before this one."""
    text: str = ""
    """In the name of the job."""
    tag: str = ""
    """Of the job."""
    host: str = ""
    """The id of the host that has it, or had it last."""


class JobFilter(msgspec.Struct, frozen=True):
    """Which jobs a listing shows; what is empty, or None, asks for nothing."""

    text: str = ""
    """In the name."""
    tag: str = ""
    origin: str = ""
    """Where they were made: `hand`, `file`, or `file:` with a path."""
    state: str = ""
    """Of the newest run: a state, 'active' or 'trouble'."""
    paused: bool | None = None
    enabled: bool | None = None
    host: str = ""
    """The name of the host that they say they run on."""


class JobSample(msgspec.Struct, frozen=True):
    """One ended run, as statistics see it."""

    state: State
    busy: float
    late: float | None
    attempts: int
    ended_at: datetime

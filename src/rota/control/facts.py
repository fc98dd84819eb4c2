"""What there is to tell of tasks: plain facts, for whoever writes them down."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from rota.model.action import Action
from rota.model.run import State


class Began(msgspec.Struct, frozen=True):
    """An attempt has begun."""

    job: str
    action: Action
    attempt: int
    at: datetime


class Lines(msgspec.Struct, frozen=True):
    """Whole lines that an attempt has written, without their ends; and what is missing after them."""

    job: str
    stream: str
    lines: list[bytes]
    at: datetime
    dropped: int | None = None
    """How many bytes were left out after these lines; 0: the job has emptied its own output."""


class Ended(msgspec.Struct, frozen=True):
    """An attempt has ended; or a run that will have no (other) attempt."""

    job: str
    state: State
    attempt: int
    started_at: datetime | None
    """None: it never began."""
    at: datetime
    exit_code: int | None
    reason: str
    timeout: timedelta | None
    again: int | None = None
    """The attempt that follows."""
    again_at: datetime | None = None


class Skipped(msgspec.Struct, frozen=True):
    """Slots of a job did not run."""

    job: str
    count: int
    last_slot: datetime | None
    reason: str
    at: datetime


class Noted(msgspec.Struct, frozen=True):
    """Something else that somebody should know."""

    text: str
    at: datetime


Fact = Began | Lines | Ended | Skipped | Noted

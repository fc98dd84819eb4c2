"""What the ledger holds besides runs: the slots that were skipped, as ranges, each with its reason."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class SkipCode(StrEnum):
    """Why slots were skipped."""

    OVERLAP = "overlap"
    COALESCED = "coalesced"
    BEYOND_GRACE = "beyond_grace"
    CATCH_UP_NONE = "catch_up_none"
    CATCH_UP_CAP = "catch_up_cap"
    PAUSED = "paused"


MISSED = frozenset({SkipCode.BEYOND_GRACE, SkipCode.CATCH_UP_NONE, SkipCode.CATCH_UP_CAP, SkipCode.COALESCED})
"""The codes of slots that passed while nobody planned them: downtime, not a decision about one run."""


class Skip(msgspec.Struct, frozen=True):
    """A range of slots that did not run: first and last slot, how many, and why."""

    first_slot: datetime
    last_slot: datetime
    count: int
    code: SkipCode
    reason: str
    run_id: str | None = None


class SkipRecord(msgspec.Struct, frozen=True):
    """A skip as the store has it."""

    id: int
    job: str
    at: datetime
    skip: Skip


class Event(msgspec.Struct, frozen=True):
    """A fact, written in the transaction that made it true."""

    seq: int
    at: datetime
    kind: str
    job: str | None
    run_id: str | None
    data: dict[str, str]


class HourLoad(msgspec.Struct, frozen=True):
    """What ran in one hour, of one outcome."""

    hour: datetime
    """Its beginning, in UTC."""
    state: str
    runs: int
    busy: float
    """Seconds, of the runs that began in it."""

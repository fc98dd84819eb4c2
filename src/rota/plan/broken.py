"""Jobs whose schedule cannot be read: which they are, and why, as the store keeps it.

The engine takes such a job out of planning and leaves its cursor where it is, so that no slot is decided on that nobody
knows. As soon as the schedule can be read again, planning goes on from there, and what has passed meanwhile is caught
up as after any other downtime.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rota.model.job import StoredJob

BROKEN_FACT = "broken"


class Broken(msgspec.Struct, frozen=True):
    """Why a definition of a job is not planned."""

    definition: int
    reason: str


def decode_broken(fact: str | None) -> dict[int, Broken]:
    """Return what the store says, by the numbers of jobs."""
    return {} if fact is None else msgspec.json.decode(fact, type=dict[int, Broken])


def encode_broken(broken: Mapping[int, Broken]) -> str:
    """Return it as text for the store."""
    return msgspec.json.encode(broken).decode()


def why_broken(broken: Mapping[int, Broken], stored: StoredJob) -> str:
    """Return why a job is not planned; nothing if it is, or was changed, paused or removed since."""
    known = broken.get(stored.id)
    if known is None or known.definition != stored.definition_id or stored.next_slot is not None:
        return ""
    return known.reason if stored.wants_slots else ""

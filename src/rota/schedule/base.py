"""What every schedule can answer, whatever it was written as."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Schedule(Protocol):
    """When: pure. All instants are aware UTC datetimes with microsecond precision."""

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly after the instant, or None when there is no more."""
        ...

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot at or before the instant, or None when there is none."""
        ...

    def count(self, after: datetime, until: datetime) -> int:
        """Return the exact number of slots in (after, until], without walking through them."""
        ...

    def explain(self) -> str:
        """Say in plain English when this fires."""
        ...

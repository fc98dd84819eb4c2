"""The only place that reads time.

Wall time decides which slots are due; monotonic time measures how long something took or may take. An operation reads
the clock once and passes what it read on.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; for clients that follow something, never for the engine."""
        time.sleep(seconds)

"""The only place that reads time, and says where the wall clock hangs.

Wall time decides which slots are due; monotonic time measures how long something took or may take. An operation reads
the clock once and passes what it read on.
"""

from __future__ import annotations

import os
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


def up_for() -> float | None:
    """Return for how many seconds the machine has been up, its sleep included; None where that cannot be told."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None


def hang_in_zone(name: str) -> None:
    """Make this process's wall clock that of a zone."""
    os.environ["TZ"] = name
    time.tzset()

"""The only place that reads time, and says where the wall clock hangs.

Wall time decides which slots are due; monotonic time measures how long something took or may take. An operation reads
the clock once and passes what it read on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_WAITS = timedelta(seconds=5)
_DRIFT = 1e-4
"""How many seconds clocks of machines may part in a second."""


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


class Machine(Protocol):
    """The clocks of a machine."""

    def now(self) -> datetime:
        """Return the wall clock."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class FollowingClock:
    """A wall clock that follows another one, which is asked now and then, and goes by the machine's steps in between.

    An answer is from somewhere between question and answer, so the quickest one says most; a slower one is heeded when
    what is known is old, or cannot be true any more. It waits rather than go back, unless it was wrong by a lot.
    """

    def __init__(self, ask: Callable[[], datetime], own: Machine, oldest: float = float("inf")) -> None:
        self._ask = ask
        self._own = own
        self._oldest = oldest
        """After so many seconds it asks by itself."""
        self._heard: tuple[datetime, float] | None = None
        """The other clock and ours, read together."""
        self._unsure = float("inf")
        self._said: datetime | None = None

    def now(self) -> datetime:
        """Return the other clock's time."""
        if self._heard is None or self._own.monotonic() - self._heard[1] > self._oldest:
            self.follow()
        estimate = self._estimate()
        if self._said is not None and self._said - _WAITS < estimate < self._said:
            return self._said
        self._said = estimate
        return estimate

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return self._own.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._own.sleep(seconds)

    def of_machine(self, at: datetime) -> datetime:
        """Return the other clock's time of an instant that this machine's clock showed."""
        return at + (self.now() - self._own.now())

    def follow(self) -> None:
        """Ask, and go by the answer if it says more than is known."""
        asked = self._own.monotonic()
        told = self._ask()
        unsure = (self._own.monotonic() - asked) / 2
        if self._heard is not None:
            since = asked - self._heard[1]
            apart = abs((told - self._estimate()).total_seconds())
            if unsure > self._unsure + since * _DRIFT and apart <= unsure + self._unsure + since * _DRIFT:
                return
        self._heard, self._unsure = (told, asked + unsure), unsure

    def _estimate(self) -> datetime:
        assert self._heard is not None, "it is asked before"
        told, at = self._heard
        return told + timedelta(seconds=self._own.monotonic() - at)


def steady() -> float:
    """Return seconds that never jump, and go on while the machine sleeps, where it can tell them."""
    found = up_for()
    return time.monotonic() if found is None else found


def microseconds_now() -> int:
    """Return the wall clock in microseconds since 1970."""
    return time.time_ns() // 1000


def up_for() -> float | None:
    """Return for how many seconds the machine has been up, its sleep included; None where that cannot be told."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None


def hang_in_zone(name: str) -> None:
    """Make this process's wall clock that of a zone."""
    os.environ["TZ"] = name
    time.tzset()

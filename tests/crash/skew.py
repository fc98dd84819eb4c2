"""A clock that a test can move while an engine runs by it."""

from __future__ import annotations

from datetime import datetime, timedelta

from rota.clock import SystemClock


class SkewedClock(SystemClock):
    """The machine's clock, moved by as many seconds as a file says: a test moves the clock of a running engine."""

    def __init__(self, file: str) -> None:
        self._file = file

    def now(self) -> datetime:
        """Return the moved wall clock; the monotonic one stays as it is."""
        try:
            with open(self._file, encoding="ascii") as file:
                return super().now() + timedelta(seconds=float(file.read() or 0))
        except FileNotFoundError:
            return super().now()

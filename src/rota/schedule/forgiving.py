"""A schedule for those who only look: one that cannot be read has no slots, and says why where it explains itself.

Who decides about slots must not take this one: to him, none and unknown are not the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from rota.errors import BadSchedule
from rota.schedule.base import Schedule

_T = TypeVar("_T")


class Forgiving:
    """Answers as a schedule does, or with nothing."""

    def __init__(self, read: Callable[[], Schedule]) -> None:
        self._read = read

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the first slot after the instant, as far as that is known."""
        return self._ask(lambda schedule: schedule.next_after(instant), None)

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the last slot up to the instant, as far as that is known."""
        return self._ask(lambda schedule: schedule.latest_until(instant), None)

    def count(self, after: datetime, until: datetime) -> int:
        """Return the number of slots in (after, until], as far as they are known."""
        return self._ask(lambda schedule: schedule.count(after, until), 0)

    def explain(self) -> str:
        """Say when, or why nobody knows."""
        try:
            return self._read().explain()
        except BadSchedule as error:
            return f"{error.text}, which cannot be read: {error.problem}"

    def _ask(self, question: Callable[[Schedule], _T], otherwise: _T) -> _T:
        try:
            return question(self._read())
        except BadSchedule:
            return otherwise

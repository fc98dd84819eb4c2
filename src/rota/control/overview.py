"""How things stand, on one screen: is it scheduling, what runs, what went wrong lately, what comes next; and when the
machine is busy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

import msgspec

from rota.control.pulse import PATIENCE, undone_since
from rota.control.questions import Questions, Slot
from rota.model.job import JobCounts
from rota.model.run import Run, State
from rota.model.settlement import RunFilter
from rota.ports import Clock, Store

_LATELY = timedelta(hours=24)
_FEW = 10
_OVERDUE = timedelta(seconds=5)
_MANY = 1_000
_HOURS, _DAYS = 24, 7


class Summary(msgspec.Struct, frozen=True):
    """How things stand."""

    now: datetime
    engine: int | None
    """The pid of the engine."""
    is_stopped: bool
    """The engine is there, but was stopped (SIGSTOP): it does nothing, even if nothing is due yet."""
    late: timedelta | None
    """For how long something has been left undone that is due; None when nothing is, or only just."""
    jobs: JobCounts
    active: dict[State, int]
    overdue: int
    """How many runs have waited for a place for longer than a moment."""
    lately: dict[str, int]
    """How many runs of the last 24 hours ended in which way, by the hour in which they began."""
    missed: int
    """How many slots nobody planned in time, in the last 24 hours."""
    trouble: list[Run]
    """The newest runs that ended badly."""
    next: Slot | None
    """What is planned next; in the past, if it should have been planned and was not."""

    @property
    def is_scheduling(self) -> bool:
        """Tell whether what is due is being done."""
        return self.engine is not None and not self.is_stopped and self.late is None


def summary(
    store: Store,
    questions: Questions,
    clock: Clock,
    engine: Callable[[], int | None],
    is_stopped: Callable[[], bool] = bool,
) -> Summary:
    """Return how things stand now."""
    now = clock.now()
    since = undone_since(store)
    late = None if since is None or now - since <= PATIENCE else now - since
    lately: dict[str, int] = {}
    for load in store.ledger.load(now - _LATELY):
        lately[load.state] = lately.get(load.state, 0) + load.runs
    queued = store.runs.page(RunFilter(state=State.QUEUED.value, until=now - _OVERDUE), None, _MANY)
    return Summary(
        now=now,
        engine=engine(),
        is_stopped=is_stopped(),
        late=late,
        jobs=store.jobs.counts(),
        active={state: count for state, count in store.runs.state_counts().items() if count},
        overdue=len(queued),
        lately=lately,
        missed=store.ledger.missed_since(now - _LATELY),
        trouble=store.runs.page(RunFilter(state="trouble"), None, _FEW),
        next=questions.earliest(),
    )


class Cell(msgspec.Struct):
    """One hour of the week."""

    runs: int = 0
    failed: int = 0
    busy: float = 0.0


def week(store: Store, now: datetime, zone: tzinfo, weeks: int) -> list[list[Cell]]:
    """Return the load of some weeks by day of the week (Monday first) and hour of the day on a wall clock.

    Hours are counted as they begin in UTC; where a zone is half an hour off, each goes to the hour that it begins in.
    """
    cells = [[Cell() for _ in range(_HOURS)] for _ in range(_DAYS)]
    for load in store.ledger.load(now - timedelta(weeks=weeks)):
        wall = load.hour.astimezone(zone)
        cell = cells[wall.weekday()][wall.hour]
        cell.runs += load.runs
        cell.busy += load.busy
        if load.state in (State.FAILED, State.TIMED_OUT, State.LOST):
            cell.failed += load.runs
    return cells

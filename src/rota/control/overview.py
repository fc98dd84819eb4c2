"""How things stand, on one screen: is it scheduling, what runs, what went wrong lately, what comes next; and when the
machine is busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median

import msgspec

from rota.control.duty import Duty
from rota.control.host_names import a_few
from rota.control.questions import Coming, Questions, Slot
from rota.control.times import rough
from rota.model.job import JobCounts
from rota.model.ledger import SkipCode, SkipRecord
from rota.model.run import TROUBLE, Run, State
from rota.model.settlement import RunFilter
from rota.ports import Clock, Store

LATELY = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_FEW = 10
_SKIPS_SEEN = 100
"""So many of the newest ranges of skipped slots are looked at for those of the last 24 hours."""
_SAMPLES = 20
_SLOTS = 3
_OVERDUE = timedelta(seconds=5)
_MANY = 1_000
_HOURS, _DAYS = 24, 7


class Summary(msgspec.Struct, frozen=True):
    """How things stand."""

    now: datetime
    duty: Duty
    """Who does what is due, and whether it is done."""
    jobs: JobCounts
    active: dict[State, int]
    running: list[Run]
    """What runs, longest first."""
    overdue: int
    """How many runs have waited for a place for longer than a moment."""
    held_up: list[Run]
    """The ones of these that have waited longest."""
    lately: dict[str, int]
    """How many runs of the last 24 hours ended in which way, by the hour in which they began."""
    missed: int
    """How many slots nobody planned in time, in the last 24 hours."""
    trouble: list[Run]
    """The newest runs that ended badly."""
    skips: list[SkipRecord]
    """The newest slots of the last 24 hours that were skipped, but for those of paused jobs."""
    next: Slot | None
    """What is planned next; in the past, if it should have been planned and was not."""
    coming: list[Coming]
    """The jobs that come next, each with its first slots."""

    @property
    def since(self) -> datetime:
        """Return where the last 24 hours begin: they are counted by the hour."""
        return _hour_of(self.now - LATELY)

    @property
    def succeeded(self) -> int:
        """Return how many runs of the last 24 hours went well."""
        return self.lately.get(State.SUCCEEDED, 0)

    @property
    def failed(self) -> int:
        """Return how many runs of the last 24 hours ended badly, in whatever way."""
        return sum(self.lately.get(state, 0) for state in TROUBLE)


def summary(store: Store, questions: Questions, clock: Clock, duty: Duty) -> Summary:
    """Return how things stand now."""
    now = clock.now()
    lately: dict[str, int] = {}
    for load in store.ledger.load(_hour_of(now - LATELY)):
        lately[load.state] = lately.get(load.state, 0) + load.runs
    queued = store.runs.page(RunFilter(state=State.QUEUED.value, until=now - _OVERDUE), None, _MANY)
    running = store.runs.page(RunFilter(state=State.RUNNING.value), None, _MANY)
    return Summary(
        now=now,
        duty=duty,
        jobs=store.jobs.counts(),
        active={state: count for state, count in store.runs.state_counts().items() if count},
        running=sorted(running, key=lambda run: run.started_at or run.queued_at)[:_FEW],
        overdue=len(queued),
        held_up=queued[: -_FEW - 1 : -1],
        lately=lately,
        missed=store.ledger.missed_since(now - LATELY),
        trouble=store.runs.page(RunFilter(state="trouble"), None, _FEW),
        skips=_skips(store, now - LATELY),
        next=questions.earliest(),
        coming=questions.next_of_each(now, _FEW, _SLOTS),
    )


def standing(found: Summary) -> str:
    """Say in a sentence or two how things stand."""
    duty = found.duty
    if not duty.is_served:
        what = "the engine is let go on" if duty.is_stopped else "somebody runs rota serve"
        first = f"{'Stopped' if duty.is_stopped else 'Not running'}: nothing starts until {what}"
    elif duty.all_drained:
        first = "Drained: nothing starts until a host is resumed"
    elif duty.late is not None:
        first = f"Late: what is due has been left undone for {rough(duty.late)}"
    else:
        first = "Scheduling"
        if found.overdue:
            first += f", but {_counted(found.overdue, 'run waits', 'runs wait')} for a place"
    wrong = [
        _counted(found.failed, "run went wrong", "runs went wrong") if found.failed else "",
        _counted(found.missed, "slot was missed", "slots were missed") if found.missed else "",
    ]
    if duty.gone:
        first += f". {_not_there(duty.gone)}"
    lately = " and ".join(each for each in wrong if each)
    if lately:
        return f"{first}. In the last 24 hours {lately}."
    if found.succeeded:
        return f"{first}. Nothing has gone wrong in the last 24 hours."
    return f"{first}."


def _not_there(gone: Sequence[str]) -> str:
    if len(gone) == 1:
        return f"Host {gone[0]} is not there"
    return f"{len(gone)} hosts are not there: {a_few(gone)}"


def usual_lengths(store: Store, runs: Sequence[Run]) -> Mapping[int, float]:
    """Return how many seconds the jobs of some runs usually take, by the job's number; none that is not known yet."""
    found: dict[int, float] = {}
    for job_id in {run.job_id for run in runs}:
        well = [each.busy for each in store.runs.samples(job_id, _SAMPLES) if each.state is State.SUCCEEDED]
        if well:
            found[job_id] = median(well)
    return found


def _skips(store: Store, since: datetime) -> list[SkipRecord]:
    """Return the newest skips; those of paused jobs are what somebody wanted."""
    newest = store.ledger.page(None, _EVER, None, _SKIPS_SEEN)
    told = [each for each in newest if each.skip.last_slot >= since and each.skip.code is not SkipCode.PAUSED]
    return sorted(told, key=lambda each: each.skip.last_slot, reverse=True)[:_FEW]


def _hour_of(instant: datetime) -> datetime:
    return instant - (instant - _EVER) % _HOUR


def _counted(number: int, one: str, several: str) -> str:
    return f"1 {one}" if number == 1 else f"{number:,} {several}"


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
        if load.state in TROUBLE:
            cell.failed += load.runs
    return cells

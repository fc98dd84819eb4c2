"""The questions that change nothing: which jobs, which runs, which slots are coming. Every door asks these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice, takewhile

import msgspec

from rota.errors import NoSuchJob, NoSuchRun, UsageError, did_you_mean
from rota.model.job import StoredJob
from rota.model.run import SEVERAL, Run, State
from rota.model.settlement import JobFilter, RunFilter
from rota.plan.broken import BROKEN_FACT, Broken, decode_broken, why_broken
from rota.plan.timetables import rest_of, timetable_shown
from rota.ports import Clock, Store

_PAGE = 500
_TICK = timedelta(microseconds=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_STATES = (*(state.value for state in State), *SEVERAL)


class JobLine(msgspec.Struct, frozen=True):
    """One job in a listing: what it is, what it is doing, and how it went last."""

    stored: StoredJob
    """The definition, in `stored.job`, and what the store knows of it."""
    last: Run | None
    """The newest run."""
    running: int
    """How many of its runs are running now."""
    queued: int
    """How many wait for a place."""
    waiting: int
    """How many wait for their next attempt."""
    broken: str = ""
    """Why it is not planned, if its schedule cannot be read."""

    @property
    def name(self) -> str:
        """Return the job's name."""
        return self.stored.name

    @property
    def next_slot(self) -> datetime | None:
        """Return when it is due next; None when the clock does not make it due."""
        return self.stored.next_slot if self.stored.wants_slots else None

    @property
    def is_paused(self) -> bool:
        """Tell whether somebody has paused it."""
        return self.stored.paused_at is not None


class Slot(msgspec.Struct, frozen=True, order=True):
    """A coming slot of a job."""

    at: datetime
    job: str


class Coming(msgspec.Struct, frozen=True):
    """When a job comes next, and then."""

    job: str
    slots: tuple[datetime, ...]


class Questions:
    """See the module."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def jobs(self, tag: str | None = None) -> list[JobLine]:
        """Return all jobs by name, or those with a tag."""
        found: list[JobLine] = []
        after = ""
        while batch := self._store.jobs.page(after, _PAGE, JobFilter(tag=tag or "")):
            found += self.lines(batch)
            after = batch[-1].name
        return found

    def job(self, name: str) -> JobLine:
        """Return one job."""
        return self.lines([self._store.jobs.get(name)])[0]

    def lines(self, jobs: Sequence[StoredJob]) -> list[JobLine]:
        """Return what there is to say of some jobs in a listing."""
        ids = [stored.id for stored in jobs]
        last, active = self._store.runs.last_of(ids), self._store.runs.active_counts(ids)
        broken = decode_broken(self._store.upkeep.fact(BROKEN_FACT))
        return [_line(stored, last.get(stored.id), active.get(stored.id, {}), broken) for stored in jobs]

    def coming(self, name: str | None, since: datetime, most: int) -> list[Slot]:
        """Return the next slots, of one job or of all together."""
        chosen = [self._store.jobs.get(name)] if name is not None else self._store.jobs.coming(since, most)
        return _merged(chosen, since, most)

    def coming_soon(self, now: datetime, most: int) -> list[Slot]:
        """Return the next slots of all jobs from now on, at any time within a moment.

        Where no engine plans, ten thousand jobs may be behind, and of those only so many as slots are looked at.
        """
        return _merged(self._store.jobs.coming(now, most, most), now, most)

    def next_of_each(self, now: datetime, most: int, slots: int) -> list[Coming]:
        """Return the jobs that come next, each once, with their first slots."""
        found = [
            Coming(stored.name, tuple(slot.at for slot in islice(_slots(stored, now), slots)))
            for stored in self._store.jobs.coming(now, most, most)
        ]
        return sorted((each for each in found if each.slots), key=lambda each: (each.slots, each.job))[:most]

    def coming_of(self, name: str, since: datetime, until: datetime, apart: timedelta) -> list[Slot]:
        """Return a job's slots in (since, until), and of those closer together than that only the first.

        A job that was removed has none, and no name is wrong: who looks back meets jobs that are gone.
        """
        stored = self._store.jobs.find(name)
        coming = iter(()) if stored is None else _slots(stored, since, apart)
        return list(takewhile(lambda slot: slot.at < until, coming))

    def earliest(self) -> Slot | None:
        """Return the slot that is planned next, or should have been."""
        found = self._store.jobs.coming(_LONG_AGO, 1)
        return next((Slot(each.next_slot, each.name) for each in found if each.next_slot is not None), None)

    def run(self, run_id: str) -> Run:
        """Return one run."""
        found = self._store.runs.find(run_id.upper())
        if found is None:
            raise NoSuchRun(f"no run {run_id}; it may have been pruned")
        return found

    def runs(self, name: str | None, state: str, since: datetime | None, most: int, host_id: str = "") -> list[Run]:
        """Return runs, newest first."""
        check_state(state)
        job_id = None
        if name is not None:
            stored = self._store.jobs.find(name)
            if stored is None:
                raise NoSuchJob(name, self._store.jobs.names())
            job_id = stored.id
        return self._store.runs.page(RunFilter(job_id, state, since, host=host_id), None, most)


def check_state(state: str) -> None:
    """Refuse what is neither a state nor a word for several; nothing means all."""
    if state and state not in _STATES:
        near = did_you_mean(state, _STATES)
        raise UsageError(f"there is no state {state!r}{near or '; there are: ' + ', '.join(_STATES)}")


def _merged(jobs: Iterable[StoredJob], since: datetime, most: int) -> list[Slot]:
    return list(islice(merge(*(_slots(stored, since) for stored in jobs)), most))


def _slots(stored: StoredJob, since: datetime, apart: timedelta = _TICK) -> Iterator[Slot]:
    """Yield the coming slots of a job; one that counts from the end of a run has at most one that is known."""
    if not stored.wants_slots:
        return
    rest = rest_of(stored.job)
    if rest is not None:
        if stored.next_slot is not None and stored.next_slot > since:
            yield Slot(stored.next_slot, stored.name)
        return
    timetable = timetable_shown(stored.job)
    at = timetable.next_after(since)
    while at is not None:
        yield Slot(at, stored.name)
        at = timetable.next_after(at + apart - _TICK)


def _line(stored: StoredJob, last: Run | None, active: Mapping[State, int], broken: Mapping[int, Broken]) -> JobLine:
    running, queued, waiting = (active.get(state, 0) for state in (State.RUNNING, State.QUEUED, State.WAITING))
    return JobLine(stored, last, running, queued, waiting, why_broken(broken, stored))

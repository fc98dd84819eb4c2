"""The questions that change nothing: which jobs, which runs, which slots are coming. Every door asks these."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from itertools import islice

import msgspec

from rota.errors import NoSuchJob, UsageError, did_you_mean
from rota.model.job import StoredJob
from rota.model.run import Run, State
from rota.model.settlement import RunFilter
from rota.plan.broken import BROKEN_FACT, Broken, decode_broken, why_broken
from rota.plan.timetables import rest_of, timetable_shown
from rota.ports import Clock, Store

_PAGE = 500
_MANY = 10_000
_STATES = (*(state.value for state in State), "active", "trouble")


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


class Questions:
    """See the module."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def jobs(self, tag: str | None = None) -> list[JobLine]:
        """Return all jobs by name, or those with a tag."""
        active = self._active(None)
        broken = self._broken()
        return [_line(stored, last, active.get(stored.id, []), broken) for stored, last in self._with_last(tag)]

    def job(self, name: str) -> JobLine:
        """Return one job."""
        stored = self._store.jobs.get(name)
        last = self._store.runs.last_of([stored.id]).get(stored.id)
        return _line(stored, last, self._active(stored.id).get(stored.id, []), self._broken())

    def coming(self, name: str | None, since: datetime, most: int) -> list[Slot]:
        """Return the next slots, of one job or of all together."""
        if name is not None:
            chosen = [self._store.jobs.get(name)]
        else:
            chosen = [stored for stored in self._all() if stored.wants_slots]
        lines = (_slots(stored, since) for stored in chosen)
        return list(islice(merge(*lines), most))

    def runs(self, name: str | None, state: str, since: datetime | None, most: int) -> list[Run]:
        """Return runs, newest first."""
        check_state(state)
        job_id = None
        if name is not None:
            stored = self._store.jobs.find(name)
            if stored is None:
                raise NoSuchJob(name, self._store.jobs.names())
            job_id = stored.id
        return self._store.runs.page(RunFilter(job_id, state, since), None, most)

    def _all(self) -> Iterator[StoredJob]:
        after = ""
        while batch := self._store.jobs.page(after, _PAGE):
            yield from batch
            after = batch[-1].name

    def _with_last(self, tag: str | None) -> Iterator[tuple[StoredJob, Run | None]]:
        after = ""
        while batch := self._store.jobs.page(after, _PAGE):
            after = batch[-1].name
            wanted = [stored for stored in batch if tag is None or tag in stored.job.tags]
            last = self._store.runs.last_of([stored.id for stored in wanted])
            for stored in wanted:
                yield stored, last.get(stored.id)

    def _broken(self) -> dict[int, Broken]:
        return decode_broken(self._store.upkeep.fact(BROKEN_FACT))

    def _active(self, job_id: int | None) -> dict[int, list[Run]]:
        found: dict[int, list[Run]] = {}
        for run in self._store.runs.page(RunFilter(job_id, "active"), None, _MANY):
            found.setdefault(run.job_id, []).append(run)
        return found


def check_state(state: str) -> None:
    """Refuse what is neither a state nor a word for several; nothing means all."""
    if state and state not in _STATES:
        near = did_you_mean(state, _STATES)
        raise UsageError(f"there is no state {state!r}{near or '; there are: ' + ', '.join(_STATES)}")


def _slots(stored: StoredJob, since: datetime) -> Iterator[Slot]:
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
        at = timetable.next_after(at)


def _line(stored: StoredJob, last: Run | None, active: list[Run], broken: dict[int, Broken]) -> JobLine:
    states = [run.state for run in active]
    running, queued, waiting = (states.count(state) for state in (State.RUNNING, State.QUEUED, State.WAITING))
    return JobLine(stored, last, running, queued, waiting, why_broken(broken, stored))

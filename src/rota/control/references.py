"""What people type for a run: its id, the beginning of its id, or its job's name."""

from __future__ import annotations

from rota.errors import Conflict, NoSuchJob, NoSuchRun
from rota.ids import is_run_id
from rota.model.job import StoredJob
from rota.model.run import ACTIVE, Run
from rota.model.settlement import RunFilter
from rota.ports import Store

_SHORTEST_PREFIX = 6
_MANY = 10_000


class Finder:
    """Finds runs by what people type."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, reference: str) -> Run:
        """Return the run that is meant: by its id, or the newest one of a job."""
        run = self._by_id(reference)
        if run is not None:
            return run
        stored = self._job(reference)
        newest = self._store.runs.page(RunFilter(job_id=stored.id), None, 1)
        if not newest:
            raise NoSuchRun(f"job {reference!r} has not run yet; start it with: rota run {reference}")
        return newest[0]

    def active_runs(self, reference: str) -> list[Run]:
        """Return the run that is meant, or all active runs of a job; raises Conflict when there is nothing to end."""
        run = self._by_id(reference)
        if run is not None:
            if run.state not in ACTIVE:
                raise Conflict(f"run {run.id} has ended already ({run.state})")
            return [run]
        stored = self._job(reference)
        found = self._store.runs.page(RunFilter(job_id=stored.id, state="active"), None, _MANY)
        if not found:
            raise Conflict(f"job {reference!r} has no run that is queued, running or waiting")
        return found

    def _by_id(self, reference: str) -> Run | None:
        # A job may be named like anything, so its name goes first.
        stored = self._store.jobs.find(reference)
        if stored is not None:
            return None
        text = reference.upper()
        if is_run_id(text):
            run = self._store.runs.find(text)
            if run is None:
                raise NoSuchRun(f"no run {reference}; it may have been pruned (see: rota runs)")
            return run
        if len(text) < _SHORTEST_PREFIX:
            return None
        found = self._store.runs.beginning_with(text)
        if len(found) > 1:
            raise Conflict(f"more than one run begins with {reference!r}; give more of the id")
        return found[0] if found else None

    def _job(self, reference: str) -> StoredJob:
        """Return a job that is there, or was: history outlives its job."""
        stored = self._store.jobs.find(reference)
        if stored is None:
            raise NoSuchJob(reference, self._store.jobs.names())
        return stored

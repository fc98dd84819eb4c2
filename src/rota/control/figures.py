"""Figures of jobs, gathered from the store; stats.py is what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from rota.control.stats import SAMPLES, Figures, figures
from rota.model.job import StoredJob
from rota.plan.timetables import rest_of, timetable_shown
from rota.ports import Clock, Store

_PAGE = 500
_DAY = timedelta(days=1)
_FOREVER = -(1 << 40)


class Statistics:
    """Gathers."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of(self, name: str) -> Figures:
        """Return one job's figures."""
        return self.of_job(self._store.jobs.get(name))

    def of_job(self, stored: StoredJob) -> Figures:
        """Return the figures of a job that is there, or was."""
        return self._figures(stored, self._store.ledger.totals(stored.id, _FOREVER))

    def of_all(self) -> list[Figures]:
        """Return those of every job, by name."""
        totals = self._store.ledger.totals(None, _FOREVER)
        found: list[Figures] = []
        after = ""
        while batch := self._store.jobs.page(after, _PAGE):
            found += [self._figures(stored, totals) for stored in batch]
            after = batch[-1].name
        return found

    def _figures(self, stored: StoredJob, totals: Mapping[str, Mapping[str, tuple[int, int, float]]]) -> Figures:
        samples = self._store.runs.samples(stored.id, SAMPLES)
        if stored.job.schedules and all(spec.at_boot for spec in stored.job.schedules):
            # From the machine's start to the engine's is not a lateness that anybody could do something about.
            samples = [msgspec.structs.replace(sample, late=None) for sample in samples]
        return figures(stored.name, totals.get(stored.name, {}), samples, stored.job.policy, self._interval(stored))

    def _interval(self, stored: StoredJob) -> timedelta | None:
        """Return the usual time between slots: between the next two, or over a day for those with many."""
        if not stored.job.schedules or rest_of(stored.job) is not None:
            return None
        timetable, now = timetable_shown(stored.job), self._clock.now()
        first = timetable.next_after(now)
        second = None if first is None else timetable.next_after(first)
        return None if first is None or second is None else second - first

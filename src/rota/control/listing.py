"""Lists in pages: of jobs, of runs, and of all that became of a job's slots."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from rota.control.host_names import host_id_of
from rota.control.pages import Page, opened, sealed
from rota.control.questions import JobLine, Questions, check_state
from rota.errors import NoSuchJob
from rota.model.job import StoredJob
from rota.model.ledger import SkipRecord
from rota.model.run import Run
from rota.model.settlement import JobFilter, RunFilter
from rota.ports import Store


class _AfterName(msgspec.Struct, frozen=True, tag="jobs"):
    name: str


class _BeforeRun(msgspec.Struct, frozen=True, tag="runs"):
    run: str


class _BeforeBoth(msgspec.Struct, frozen=True, tag="ledger"):
    run: str | None
    slot: Annotated[datetime, msgspec.Meta(tz=True)] | None


class Listing:
    """Answers with pages."""

    def __init__(self, store: Store, questions: Questions) -> None:
        self._store = store
        self._questions = questions

    def jobs(self, wanted: JobFilter, after: str | None, most: int) -> Page[JobLine]:
        """Return jobs by name."""
        check_state(wanted.state)
        begin = "" if after is None else opened(after, _AfterName).name
        found = self._store.jobs.page(begin, most + 1, wanted)
        lines = self._questions.lines(found[:most])
        return Page(lines, sealed(_AfterName(lines[-1].name)) if len(found) > most else None)

    def names(self, wanted: JobFilter, most: int) -> list[str]:
        """Return the names of all jobs that are wanted, so many at most."""
        check_state(wanted.state)
        return [stored.name for stored in self._store.jobs.page("", most, wanted)]

    def runs(
        self, wanted: RunFilter, before: str | None, most: int, job: str | None = None, host: str = ""
    ) -> Page[Run]:
        """Return runs, newest first; of one job, or of one host, if it is named."""
        check_state(wanted.state)
        if host:
            wanted = msgspec.structs.replace(wanted, host=host_id_of(self._store, host))
        if job is not None:
            wanted = msgspec.structs.replace(wanted, job_id=self._there_or_was(job).id)
        begin = None if before is None else opened(before, _BeforeRun).run
        found = self._store.runs.page(wanted, begin, most + 1)
        items = found[:most]
        return Page(items, sealed(_BeforeRun(items[-1].id)) if len(found) > most else None)

    def ledger(self, job: str, after: str | None, most: int) -> Page[Run | SkipRecord]:
        """Return what became of a job's slots, newest first: its runs by when they were made, and its skips."""
        stored = self._there_or_was(job)
        begin = _BeforeBoth(None, None) if after is None else opened(after, _BeforeBoth)
        runs = self._store.runs.page(RunFilter(stored.id), begin.run, most + 1)
        skips = self._store.ledger.of_job(stored.id, begin.slot, most + 1)
        both: list[Run | SkipRecord] = sorted([*runs, *skips], key=_instant, reverse=True)
        items = both[:most]
        shown_runs = [each for each in items if isinstance(each, Run)]
        shown_skips = [each for each in items if isinstance(each, SkipRecord)]
        place = _BeforeBoth(
            shown_runs[-1].id if shown_runs else begin.run,
            shown_skips[-1].skip.last_slot if shown_skips else begin.slot,
        )
        return Page(items, sealed(place) if len(both) > most else None)

    def _there_or_was(self, name: str) -> StoredJob:
        """Return a job that is there, or was: history outlives its job."""
        stored = self._store.jobs.find(name)
        if stored is None:
            raise NoSuchJob(name, self._store.jobs.names())
        return stored


def _instant(entry: Run | SkipRecord) -> datetime:
    return entry.queued_at if isinstance(entry, Run) else entry.skip.last_slot

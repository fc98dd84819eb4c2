"""Lists in pages: of jobs, of runs, and of all that became of a job's slots.

A page ends with a cursor, which says what the next page begins after. So what comes or goes meanwhile neither repeats
nor hides anything. A cursor is opaque to whoever holds it; one that was not made here is refused.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from rota.control.questions import JobLine, Questions, check_state
from rota.errors import NoSuchJob, UsageError
from rota.model.job import StoredJob
from rota.model.ledger import SkipRecord
from rota.model.run import Run
from rota.model.settlement import JobFilter, RunFilter
from rota.ports import Store

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list, and how to get more of it; no cursor: that was all."""

    items: list[T]
    next: str | None


class _AfterName(msgspec.Struct, frozen=True, tag="jobs"):
    name: str


class _BeforeRun(msgspec.Struct, frozen=True, tag="runs"):
    run: str


class _BeforeBoth(msgspec.Struct, frozen=True, tag="ledger"):
    run: str | None
    slot: Annotated[datetime, msgspec.Meta(tz=True)] | None


C = TypeVar("C", bound=msgspec.Struct)


class Listing:
    """Answers with pages."""

    def __init__(self, store: Store, questions: Questions) -> None:
        self._store = store
        self._questions = questions

    def jobs(self, wanted: JobFilter, after: str | None, most: int) -> Page[JobLine]:
        """Return jobs by name."""
        check_state(wanted.state)
        begin = "" if after is None else _opened(after, _AfterName).name
        found = self._store.jobs.page(begin, most + 1, wanted)
        lines = self._questions.lines(found[:most])
        return Page(lines, _sealed(_AfterName(lines[-1].name)) if len(found) > most else None)

    def names(self, wanted: JobFilter, most: int) -> list[str]:
        """Return the names of all jobs that are wanted, so many at most."""
        check_state(wanted.state)
        return [stored.name for stored in self._store.jobs.page("", most, wanted)]

    def runs(self, wanted: RunFilter, before: str | None, most: int, job: str | None = None) -> Page[Run]:
        """Return runs, newest first; of one job, if it is named."""
        check_state(wanted.state)
        if job is not None:
            wanted = msgspec.structs.replace(wanted, job_id=self._there_or_was(job).id)
        begin = None if before is None else _opened(before, _BeforeRun).run
        found = self._store.runs.page(wanted, begin, most + 1)
        items = found[:most]
        return Page(items, _sealed(_BeforeRun(items[-1].id)) if len(found) > most else None)

    def ledger(self, job: str, after: str | None, most: int) -> Page[Run | SkipRecord]:
        """Return what became of a job's slots, newest first: its runs by when they were made, and its skips."""
        stored = self._there_or_was(job)
        begin = _BeforeBoth(None, None) if after is None else _opened(after, _BeforeBoth)
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
        return Page(items, _sealed(place) if len(both) > most else None)

    def _there_or_was(self, name: str) -> StoredJob:
        """Return a job that is there, or was: history outlives its job."""
        stored = self._store.jobs.find(name)
        if stored is None:
            raise NoSuchJob(name, self._store.jobs.names())
        return stored


def _instant(entry: Run | SkipRecord) -> datetime:
    return entry.queued_at if isinstance(entry, Run) else entry.skip.last_slot


def _sealed(place: msgspec.Struct) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _opened(cursor: str, kind: type[C]) -> C:
    """Read a cursor of this kind of list."""
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        shown = cursor if len(cursor) <= 40 else f"{cursor[:40]}…"
        raise UsageError(f"{shown!r} is no cursor of this list; take the `next` of the page before") from None

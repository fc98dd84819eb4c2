"""Noticing slots that were skipped: ranges in the ledger that are new, and ranges that have grown.

Slots that nobody planned in time come with an event, which says how many (`job.missed`). A slot that was skipped
because of another run, or of a pause, only makes or lengthens a range. New ranges have greater numbers; which ones may
still grow is remembered: those whose run is active.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from rota.control.facts import Skipped
from rota.model.ledger import MISSED, SkipRecord
from rota.model.run import FINAL
from rota.ports import Store

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_A_PAGE, _AT_MOST = 20, 5000
_REMEMBERED = 256
_LOOK = timedelta(seconds=1)


class _Range(msgspec.Struct, array_like=True):
    """A range that may still grow, and how much of it was told."""

    job_id: int
    first_slot: datetime
    run: str
    told: int


class SkipPlace(msgspec.Struct, frozen=True, array_like=True):
    """How far skips were told."""

    newest: int = 0
    ranges: dict[str, _Range] = {}


class Skips:
    """Looks for what is new among the skips."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest = 0
        self._ranges: dict[str, _Range] = {}
        self._looked: datetime | None = None

    @property
    def place(self) -> SkipPlace:
        """How far skips were told."""
        return SkipPlace(self._newest, self._ranges)

    def go_on(self, place: SkipPlace) -> None:
        """Go on from there."""
        self._newest, self._ranges = place.newest, dict(place.ranges)

    def begin_with_now(self) -> None:
        """Tell only what is skipped from now on."""
        newest = self._store.ledger.page(None, _ALWAYS, None, 1)
        self._newest = newest[0].id if newest else 0

    def new(self, now: datetime) -> Iterator[Skipped]:
        """Yield what was skipped since the last look; growth is looked for once a second."""
        for record in self._new_records():
            self._newest = record.id
            if record.skip.code in MISSED:
                continue
            self._remember(record)
            yield _told(record, record.skip.count, now)
        if self._ranges and (self._looked is None or not timedelta(0) <= now - self._looked < _LOOK):
            self._looked = now
            for key in list(self._ranges):
                yield from self._growth(key, now)

    def last_slot_of(self, job: str, at: datetime) -> datetime | None:
        """Return the last slot of what was written of a job at an instant."""
        stored = self._store.jobs.find(job)
        newest = [] if stored is None else self._store.ledger.page(stored.id, _ALWAYS, None, 1)
        return newest[0].skip.last_slot if newest and newest[0].at == at else None

    def _new_records(self) -> list[SkipRecord]:
        """Return what is new, oldest first; of very many that came at once, only the newest."""
        page = self._store.ledger.page(None, _ALWAYS, None, _A_PAGE)
        self._newest = min(self._newest, page[0].id if page else 0)  # the newest may have been taken back, or pruned
        found: list[SkipRecord] = []
        while page and page[-1].id > self._newest and len(found) < _AT_MOST:
            found += page
            page = self._store.ledger.page(None, _ALWAYS, page[-1].id, _A_PAGE)
        found += [record for record in page if record.id > self._newest]
        return found[::-1]

    def _remember(self, record: SkipRecord) -> None:
        skip, stored = record.skip, self._store.jobs.find(record.job)
        if skip.run_id is None or stored is None:
            return
        if len(self._ranges) >= _REMEMBERED:
            del self._ranges[next(iter(self._ranges))]
        self._ranges[str(record.id)] = _Range(stored.id, skip.first_slot, skip.run_id, skip.count)

    def _growth(self, key: str, now: datetime) -> Iterator[Skipped]:
        known = self._ranges[key]
        run = self._store.runs.find(known.run)
        record = self._store.ledger.at(known.job_id, known.first_slot)
        if record is None or str(record.id) != key:
            del self._ranges[key]
            return
        more, known.told = record.skip.count - known.told, record.skip.count
        if run is None or run.state in FINAL:
            del self._ranges[key]
        if more > 0:
            yield _told(record, more, now)


def _told(record: SkipRecord, count: int, now: datetime) -> Skipped:
    return Skipped(record.job, count, record.skip.last_slot, record.skip.reason, now)

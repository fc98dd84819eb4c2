"""What did not happen: slots that passed unplanned, runs that were lost, and runs that waited too long for a place."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from rota.control.why import Why
from rota.model.ledger import MISSED, SkipRecord
from rota.model.run import Run, State
from rota.model.settlement import RunFilter
from rota.ports import Store

_PAGE = 500
_START_BY = "start_by"
_LONGEST_RUN = timedelta(days=30)


class Miss(msgspec.Struct, frozen=True):
    """One thing that did not happen, or not as asked."""

    at: datetime
    job: str
    kind: str
    """skipped, lost, or start_by."""
    count: int
    text: str
    run: Run | None = None
    skip: SkipRecord | None = None


def missed(store: Store, why: Why, since: datetime) -> list[Miss]:
    """Return what was missed since an instant, newest first."""
    found = [
        Miss(record.skip.last_slot, record.job, "skipped", record.skip.count, why.skip_text(record), skip=record)
        for record in _skips(store, since)
        if record.skip.code in MISSED
    ]
    # Of those that ended badly, for which there is an index; and from before, because a run ends after it was made.
    for run in _runs(store, "trouble", since - _LONGEST_RUN):
        if run.state is not State.LOST or (run.ended_at or run.queued_at) < since:
            continue
        text = f"Run {run.id} was lost: {run.reason or 'nobody knows how it ended'}"
        found.append(Miss(run.ended_at or run.queued_at, run.job, "lost", 1, text, run=run))
    for run in _runs(store, State.CANCELLED.value, since):
        if _START_BY in run.reason:
            text = f"Run {run.id} never started: {run.reason}"
            found.append(Miss(run.ended_at or run.queued_at, run.job, "start_by", 1, text, run=run))
    return sorted(found, key=lambda miss: miss.at, reverse=True)


def _skips(store: Store, since: datetime) -> list[SkipRecord]:
    found: list[SkipRecord] = []
    before: int | None = None
    while batch := store.ledger.page(None, since, before, _PAGE):
        found += batch
        before = batch[-1].id
    return found


def _runs(store: Store, state: str, since: datetime) -> list[Run]:
    found: list[Run] = []
    before: str | None = None
    while batch := store.runs.page(RunFilter(None, state, since), before, _PAGE):
        found += batch
        before = batch[-1].id
    return found

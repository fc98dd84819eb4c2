"""The books, checked from outside: every slot of a job has exactly one record, and the sums are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from rota.model.job import StoredJob
from rota.model.ledger import Skip
from rota.model.run import FINAL, Run, State
from rota.model.settlement import RunFilter
from rota.plan.timetables import timetable_of
from rota.ports import Store

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_ALL = 1_000_000


def slot_faults(store: Store, name: str) -> list[str]:
    """Return what is wrong with the records of a job's slots between its first apply and its cursor."""
    stored = store.jobs.get(name)
    runs = [run.slot for run in runs_of(store, stored.id) if run.slot is not None]
    return record_faults(stored, runs, skips_of(store, stored.id))


def record_faults(stored: StoredJob, runs: Iterable[datetime], skips: Iterable[Skip]) -> list[str]:
    """Return the same of a job, given the slots of its runs, and its skips."""
    name = stored.name
    slots = list(timetable_of(stored.job).between(stored.created_at, stored.planned_to))
    seen = Counter(runs)
    faults = [f"{name}: {count} runs for the slot {slot}" for slot, count in seen.items() if count > 1]
    for skip in skips:
        inside = [slot for slot in slots if skip.first_slot <= slot <= skip.last_slot]
        # A run between two skips breaks a range, so everything inside one is skipped.
        if len(inside) != skip.count:
            faults.append(f"{name}: a skip of {skip.count} covers {len(inside)} slots from {skip.first_slot}: {skip}")
        seen.update(inside)
    faults += [f"{name}: no record of the slot {slot}" for slot in slots if not seen[slot]]
    faults += [f"{name}: {seen[slot]} records of the slot {slot}" for slot in slots if seen[slot] > 1]
    known = set(slots)
    return faults + [f"{name}: {slot} has a record, but is no slot" for slot in seen if slot not in known]


def sum_faults(store: Store, name: str) -> list[str]:
    """Return where the totals differ from the rows that they count."""
    stored = store.jobs.get(name)
    counted = Counter(run.state.value for run in runs_of(store, stored.id) if run.state in FINAL)
    skipped = sum(skip.count for skip in skips_of(store, stored.id))
    if skipped:
        counted["skipped"] = skipped
    told = {state: runs for state, (runs, _, _) in store.ledger.totals(stored.id, 0).get(name, {}).items() if runs}
    return [] if told == dict(counted) else [f"{name}: the totals say {told}, the rows {dict(counted)}"]


def event_faults(store: Store, name: str) -> list[str]:
    """Return where the events of a run do not tell its story: queued first, at its state last, ended once."""
    stored = store.jobs.get(name)
    told: dict[str, list[str]] = {}
    for event in store.ledger.events(0, _ALL):
        if event.run_id is not None and event.kind.startswith("run.") and event.job == name:
            told.setdefault(event.run_id, []).append(event.kind.removeprefix("run."))
    faults = []
    for run in runs_of(store, stored.id):
        story = told.get(run.id, [])
        if story[:1] != [State.QUEUED.value] or story[-1:] != [run.state.value]:
            faults.append(f"{name}: run {run.id} is {run.state}, its events say {story}")
        if sum(state in FINAL for state in story) > 1:
            faults.append(f"{name}: run {run.id} ended more than once: {story}")
    return faults


def runs_of(store: Store, job_id: int) -> list[Run]:
    """Return all runs of a job, newest first."""
    return store.runs.page(RunFilter(job_id=job_id), None, _ALL)


def skips_of(store: Store, job_id: int) -> list[Skip]:
    """Return all skips of a job, newest first."""
    return [record.skip for record in store.ledger.page(job_id, _BEGINNING, None, _ALL)]

"""Pages: by cursor, so that what changes meanwhile neither repeats nor hides a row."""

from __future__ import annotations

from rota.model.run import ACTIVE, State
from rota.model.settlement import RunFilter

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND


def pages(store, wanted=None, size=3, between=lambda: None):
    """Yield every run's id, page by page."""
    before = None
    while found := store.runs.page(wanted or RunFilter(), before, size):
        assert len(found) <= size
        yield from (run.id for run in found)
        before = found[-1].id
        between()


def test_pages_show_each_run_once_newest_first_while_new_ones_come(store):
    stored = store.make(overlap="allow")
    there = [store.queue(stored, now=NOW + number * SECOND) for number in range(10)]
    seen = list(pages(store, between=lambda: store.queue(stored, now=NOW + DAY)))
    assert there[::-1] == seen


def test_pages_show_what_is_left_while_old_ones_go(store):
    stored = store.make(overlap="allow")
    there = [store.queue(stored, now=NOW + number * SECOND) for number in range(10)]
    for run in store.claim(10):
        store.end(run)

    def prune():
        store.upkeep.drop_history_before(stored.id, NOW + 4 * SECOND, 1, 100)

    assert there[:3:-1] == list(pages(store, between=prune))


def test_runs_are_filtered_by_job_state_and_time(store):
    one, two = store.make("one", overlap="allow"), store.make("two", overlap="allow")
    for number, state in enumerate((State.SUCCEEDED, State.FAILED, State.LOST, State.TIMED_OUT, State.CANCELLED)):
        store.end(store.claim_one(one, now=NOW + number * HOUR), state)
    running = store.claim_one(two, now=NOW + DAY)
    waiting = store.claim_one(two, now=NOW + DAY)
    store.rest(waiting)
    store.queue(two, now=NOW + DAY)

    def states(**wanted):
        return {run.state for run in store.runs.page(RunFilter(**wanted), None, 100)}

    assert set(ACTIVE) == states(state="active")
    assert {State.FAILED, State.LOST, State.TIMED_OUT} == states(state="trouble")
    assert {State.CANCELLED} == states(state="cancelled")
    assert set() == states(state="running", job_id=one.id)
    assert [running.run_id] == [run.id for run in store.runs.page(RunFilter(two.id, "running"), None, 9)]
    assert {State.TIMED_OUT, State.CANCELLED} == states(job_id=one.id, since=NOW + 3 * HOUR)
    assert {State.RUNNING: 1, State.WAITING: 1, State.QUEUED: 1} == store.runs.state_counts()


def test_a_run_is_found_by_its_id_the_beginning_of_it_or_its_slot(store):
    stored = store.make(overlap="allow")
    first, second = (store.queue(stored, slot=NOW + number * MINUTE, now=NOW + number * DAY) for number in range(2))
    assert [first] == [run.id for run in store.runs.beginning_with(first[:20])]
    assert [first, second] == [run.id for run in store.runs.beginning_with(first[:3])]
    assert [] == store.runs.beginning_with("ZZZZZZ")
    assert store.runs.find("ZZZZZZ") is None
    assert second == store.runs.for_slot(stored.id, NOW + MINUTE).id
    assert store.runs.for_slot(stored.id, NOW + HOUR) is None
    assert [first] == [run.id for run in store.runs.in_slots(stored.id, NOW, NOW + MINUTE, 9)]
    assert [first, second] == [run.id for run in store.runs.in_slots(stored.id, NOW, NOW + HOUR, 9)]


def test_the_newest_run_of_each_job_is_found_at_once(store):
    jobs = [store.make(f"job-{number}") for number in range(3)]
    for stored in jobs[:2]:
        store.queue(stored)
    newest = [store.queue(stored, now=NOW + DAY) for stored in jobs[:2]]
    found = store.runs.last_of([stored.id for stored in jobs])
    assert dict(zip([jobs[0].id, jobs[1].id], newest, strict=True)) == {key: run.id for key, run in found.items()}
    assert {} == store.runs.last_of([])


def test_jobs_are_paged_by_name(store):
    for name in ("cherry", "apple", "banana"):
        store.make(name)
    first = store.jobs.page("", 2)
    assert ["apple", "banana"] == [stored.name for stored in first]
    store.make("aaa")
    store.jobs.remove_if_unchanged(store.make("zebra"), NOW)
    assert ["cherry"] == [stored.name for stored in store.jobs.page(first[-1].name, 2)]


def test_samples_are_the_newest_ends_that_tell_something(store):
    stored = store.make(overlap="allow")
    run = store.claim_one(stored, slot=NOW - SECOND)
    store.end(run)
    store.end(store.claim_one(stored), State.CANCELLED)
    failed = store.claim_one(stored)
    store.end(failed, State.FAILED, after=2 * MINUTE)
    samples = store.runs.samples(stored.id, 10)
    assert [(State.FAILED, 120.0, None, 1), (State.SUCCEEDED, 60.0, 1.0, 1)] == [
        (sample.state, sample.busy, sample.late, sample.attempts) for sample in samples
    ]


def test_a_job_whose_runs_were_all_pruned_is_still_there(store):
    stored = store.make()
    assert {} == store.runs.last_of([stored.id])
    assert [] == store.runs.samples(stored.id, 5)
    assert [] == store.runs.page(RunFilter(stored.id), None, 5)

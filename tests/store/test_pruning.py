"""Pruning: what is old goes in small steps; the newest runs, totals and what is in use stay."""

from __future__ import annotations

from rota.model.ledger import Skip, SkipCode
from rota.model.run import OutputPart, State
from rota.model.settlement import RunFilter

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND, job

LONG_AFTER = NOW + 100 * DAY


def history(store, stored, count):
    """Make runs that have ended, a second apart, and return their ids, oldest first."""
    made = []
    for number in range(count):
        run = store.claim_one(stored, now=NOW + number * SECOND)
        store.end(run, after=SECOND)
        made.append(run.run_id)
    return made


def ids(store, stored):
    return [run.id for run in reversed(store.runs.page(RunFilter(stored.id), None, 10_000))]


def drop_all(store, stored, keep):
    while store.upkeep.drop_history_before(stored.id, LONG_AFTER, keep, 7):
        pass


def test_the_last_hundred_runs_of_a_job_stay_however_old(memory):
    stored = memory.make(overlap="allow")
    made = history(memory, stored, 130)
    drop_all(memory, stored, 100)
    assert made[30:] == ids(memory, stored)


def test_a_step_drops_no_more_than_it_was_told_and_the_oldest_first(store):
    stored = store.make(overlap="allow")
    made = history(store, stored, 12)
    assert store.upkeep.drop_history_before(stored.id, LONG_AFTER, 2, 4) == 4
    assert made[4:] == ids(store, stored)
    assert store.upkeep.drop_history_before(stored.id, NOW, 2, 4) == 0


def test_what_has_not_ended_is_never_dropped(store):
    stored = store.make(overlap="allow")
    running, waiting = store.claim_one(stored), store.claim_one(stored)
    store.rest(waiting)
    queued = store.queue(stored)
    history(store, store.make("other", priority=0), 3)
    drop_all(store, stored, 1)
    assert [running.run_id, waiting.run_id, queued] == ids(store, stored)


def test_totals_survive_and_attempts_and_output_go_with_their_run(store):
    stored = store.make(overlap="allow")
    run = store.claim_one(stored)
    store.runs.add_output(run.run_id, 1, [OutputPart("stdout", b"12345", b"6", 6)])
    store.rest(run)
    store.runs.wake(NOW + HOUR)
    store.end(store.claim(now=NOW + HOUR)[0])
    store.ledger.add_skips(stored.id, [Skip(NOW, NOW, 1, SkipCode.PAUSED, "why")], NOW)
    (newest,) = history(store, stored, 1)
    before = store.ledger.totals(None, 0)
    drop_all(store, stored, 1)
    assert [newest] == ids(store, stored)
    assert before == store.ledger.totals(None, 0)
    assert ([], 0) == (store.runs.attempts(run.run_id), store.upkeep.output_kept())
    assert [] == store.ledger.page(None, NOW - DAY, None, 10)


def test_a_definition_goes_only_when_neither_job_nor_run_needs_it(store):
    stored = store.make(overlap="allow")
    definitions = []
    for number in range(3):
        definitions.append(stored.definition_id)
        run = store.claim_one(stored, now=NOW + number * MINUTE)
        store.end(run)
        with store.transaction():
            stored = store.jobs.change_if_unchanged(
                stored, job(priority=number, overlap="allow"), "hand", NOW, None, 0 * SECOND
            )
    drop_all(store, stored, 1)
    rows = store.database._connection.execute("SELECT id FROM definition ORDER BY id").fetchall()
    assert [definitions[2], stored.definition_id] == [row[0] for row in rows]


def test_output_goes_by_age_and_by_size_oldest_first(store):
    stored = store.make(overlap="allow")
    made = history(store, stored, 4)
    for run_id in reversed(made):
        store.runs.add_output(run_id, 1, [OutputPart("stdout", b"12345", b"", 5)])
    assert store.upkeep.drop_output_before(NOW + 2 * SECOND, 1) == 1
    assert store.upkeep.drop_output_before(NOW + 2 * SECOND, 10) == 1
    assert store.upkeep.drop_output_before(NOW + 2 * SECOND, 10) == 0
    assert 10 == store.upkeep.output_kept()
    assert store.upkeep.drop_oldest_output(1) == 1
    assert ([], 5) == (store.runs.output(made[2], 1), store.upkeep.output_kept())
    assert 1 == len(store.runs.output(made[3], 1))


def test_events_and_skips_go_by_age(store):
    stored = store.make()
    for number in range(4):
        store.ledger.add_event("told", NOW + number * HOUR)
        skip = Skip(NOW + number * HOUR, NOW + number * HOUR, 1, SkipCode.PAUSED, f"r{number}")
        store.ledger.add_skips(stored.id, [skip], NOW)
    assert store.upkeep.drop_events_before(NOW + 2 * HOUR, 1) == 1
    assert store.upkeep.drop_events_before(NOW + 2 * HOUR, 9) == 1
    assert store.upkeep.drop_history_before(stored.id, NOW + 2 * HOUR, 100, 9) == 2
    assert ["r3", "r2"] == [record.skip.reason for record in store.ledger.page(None, NOW, None, 9)]


def test_the_number_of_an_event_is_never_used_again(store):
    store.ledger.add_event("told", NOW)
    (first,) = store.ledger.events(0, 9)
    store.upkeep.drop_events_before(LONG_AFTER, 9)
    store.ledger.add_event("told", NOW)
    assert store.ledger.events(first.seq, 9)[0].seq == first.seq + 1


def test_jobs_are_walked_in_steps_removed_ones_too(store):
    numbers = [store.make(f"job-{number}").id for number in range(3)]
    store.jobs.remove_if_unchanged(store.jobs.get("job-1"), NOW)
    assert numbers[:2] == store.upkeep.job_ids_after(0, 2)
    assert numbers[2:] == store.upkeep.job_ids_after(numbers[1], 2)
    assert State.SUCCEEDED not in store.runs.state_counts()

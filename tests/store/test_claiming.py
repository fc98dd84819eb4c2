"""Claiming: the order, the pools, the limits."""

from __future__ import annotations

from rota.model.run import State

from .worlds import BOOT, HOST, HOUR, MINUTE, NOW, SECOND, job


def test_a_claim_is_an_attempt_on_record_before_anything_starts(store):
    stored = store.make()
    run_id = store.queue(stored, slot=NOW - SECOND, params={"day": "monday"})
    (claimed,) = store.claim(1)
    assert (run_id, 1, "backup", NOW - SECOND) == (claimed.run_id, claimed.attempt, claimed.job_name, claimed.slot)
    assert ("j/0", {"day": "monday"}, NOW) == (claimed.spool, claimed.params, claimed.claimed_at)
    run = store.runs.find(run_id)
    assert (State.RUNNING, 1, HOST, BOOT, "j/0", NOW) == (
        run.state, run.attempt, run.host, run.boot, run.spool, run.started_at,
    )  # fmt: skip


def test_nobody_claims_a_run_twice(store):
    store.queue(store.make())
    assert len(store.claim()) == 1
    assert [] == store.claim()
    assert [] == store.claim(host="host-two")


def test_no_place_no_claim(store):
    store.queue(store.make())
    assert [] == store.claim(0)
    assert [] == store.claim(max_running=0)


def test_the_order_is_priority_then_slot_then_age(store):
    low, high = store.make("low", priority=75, overlap="allow"), store.make("high", priority=25, overlap="allow")
    late_low = store.queue(low, slot=NOW - MINUTE)
    early_low = store.queue(low, slot=NOW - HOUR)
    late_high = store.queue(high, slot=NOW - SECOND)
    by_hand = store.queue(high, now=NOW)
    younger = store.queue(high, now=NOW)
    wanted = [late_high, by_hand, younger, early_low, late_low]
    claimed = [store.claim(1)[0].run_id for _ in wanted]
    assert wanted == claimed


def test_the_order_holds_over_all_pools(store):
    wanted = []
    for number in range(9):
        pool = ["", "disk", "net"][number % 3]
        stored = store.make(f"job-{number}", pool=pool, priority=number)
        if pool:
            store.jobs.set_pool(pool, 9)
        wanted.append(store.queue(stored))
    assert wanted == [run.run_id for run in store.claim(9)]


def test_a_full_pool_hides_nothing_behind_it(store):
    disk = store.make("disk", pool="disk", priority=0, overlap="allow")
    for _ in range(50):
        store.queue(disk)
    store.claim(5)
    behind = [store.queue(store.make("plain", priority=99)), store.queue(store.make("net", pool="net", priority=99))]
    assert behind == [run.run_id for run in store.claim(5)]


def test_a_pool_that_nobody_sized_takes_one_at_a_time(store):
    first, second = store.make("first", pool="disk"), store.make("second", pool="disk")
    store.queue(first)
    store.queue(second)
    (running,) = store.claim()
    assert {"disk": (1, 1)} == store.jobs.pools()
    assert [] == store.claim()
    store.end(running)
    assert {"disk": (1, 0)} == store.jobs.pools()
    assert len(store.claim()) == 1


def test_a_pool_that_is_made_smaller_waits_until_it_has_room(store):
    stored = store.make("disk", pool="disk", overlap="allow")
    store.jobs.set_pool("disk", 3)
    for _ in range(6):
        store.queue(stored)
    running = store.claim()
    assert len(running) == 3
    store.jobs.set_pool("disk", 1)
    for run in running[:2]:
        store.end(run)
        assert [] == store.claim()
    store.end(running[2])
    assert len(store.claim()) == 1


def test_max_running_counts_over_every_host(store):
    stored = store.make(overlap="allow")
    for _ in range(9):
        store.queue(stored)
    assert len(store.claim(2, host="host-two")) == 2
    assert len(store.claim(9, max_running=5)) == 3
    assert [] == store.claim(9, max_running=5)
    assert len(store.claim(9, max_running=6)) == 1


def test_a_held_run_is_not_claimed(store):
    store.queue(store.make(), held=True)
    assert [] == store.claim()


def test_a_claim_keeps_the_definition_that_its_run_was_made_under(store):
    stored = store.make()
    run_id = store.queue(stored)
    with store.transaction():
        store.jobs.change_if_unchanged(stored, job("backup", priority=1), "hand", NOW, None, 0 * SECOND)
    (claimed,) = store.claim()
    assert (run_id, stored.definition_id) == (claimed.run_id, claimed.definition_id)
    assert stored.job == store.jobs.definition(claimed.definition_id)


def test_the_next_attempt_of_a_run_that_had_its_place_in_time_is_not_limited_by_start_by(store):
    stored = store.make(start_by=MINUTE)
    run = store.claim_one(stored)
    store.rest(run, pause=HOUR)
    later = NOW + 2 * HOUR
    assert store.runs.wake(later) == 1
    assert State.QUEUED is store.state(run.run_id)
    assert store.jobs.next_wake() is None, "nothing is due by time alone, or the engine would never rest"
    assert [2] == [claimed.attempt for claimed in store.claim(now=later)]


def test_a_run_that_waits_longer_than_start_by_ends_with_the_reason(store):
    stored = store.make(start_by=MINUTE)
    run_id = store.queue(stored)
    assert store.jobs.next_wake() == NOW + MINUTE
    assert store.runs.wake(NOW + MINUTE - SECOND) == 0
    assert store.runs.wake(NOW + MINUTE) == 1
    run = store.runs.find(run_id)
    assert (State.CANCELLED, "it waited for a place longer than start_by allows") == (run.state, run.reason)


def test_start_by_ends_held_runs_too_and_lets_the_next_one_go(store):
    stored = store.make(start_by=HOUR)
    running = store.claim_one(stored)
    impatient = store.queue(stored, held=True, now=NOW - HOUR)
    patient = store.queue(stored, held=True)
    assert store.runs.wake(NOW) == 1
    assert State.CANCELLED is store.state(impatient)
    assert [patient] == store.held(stored), "the job's one place is still taken"
    store.end(running)
    assert [] == store.held(stored)

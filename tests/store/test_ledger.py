"""The ledger: skips as ranges, events in order, totals that survive."""

from __future__ import annotations

import pytest

from rota.model.ledger import Skip, SkipCode
from rota.model.run import State

from .worlds import DAY, HOUR, MINUTE, NOW, REFUSED, SECOND


def skip(first, last=None, count=1, *, code=SkipCode.OVERLAP, reason="run X was still running", run_id="X"):
    return Skip(first, last or first, count, code, reason, run_id)


def ranges(store, stored):
    found = store.ledger.page(stored.id, NOW - 100 * DAY, None, 100)
    return [(record.skip.first_slot, record.skip.last_slot, record.skip.count) for record in reversed(found)]


def test_a_skip_that_continues_the_one_before_makes_it_longer(store):
    stored = store.make()
    for number in range(5):
        store.ledger.add_skips(stored.id, [skip(NOW + number * SECOND)], NOW + number * SECOND)
    assert [(NOW, NOW + 4 * SECOND, 5)] == ranges(store, stored)
    (record,) = store.ledger.page(stored.id, NOW, None, 10)
    assert ("backup", NOW + 4 * SECOND) == (record.job, record.at)


@pytest.mark.parametrize(
    "other",
    [
        skip(NOW + MINUTE, code=SkipCode.PAUSED),
        skip(NOW + MINUTE, reason="another reason"),
        skip(NOW + MINUTE, run_id="Y"),
        skip(NOW + MINUTE, run_id=None),
    ],
    ids=["code", "reason", "run", "no run"],
)
def test_another_reason_begins_another_range(store, other):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW), other], NOW)
    assert [(NOW, NOW, 1), (NOW + MINUTE, NOW + MINUTE, 1)] == ranges(store, stored)


def test_a_range_never_swallows_a_run_in_between(store):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW)], NOW)
    store.queue(stored, slot=NOW + MINUTE)
    store.ledger.add_skips(stored.id, [skip(NOW + 2 * MINUTE)], NOW)
    assert [(NOW, NOW, 1), (NOW + 2 * MINUTE, NOW + 2 * MINUTE, 1)] == ranges(store, stored)


def test_a_range_never_swallows_a_run_of_the_same_plan(store):
    from rota.model.run import Trigger
    from rota.plan.due import Plan, PlannedRun

    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW)], NOW)
    run = PlannedRun(NOW + MINUTE, Trigger.CATCH_UP, held=True)
    plan = Plan((run,), (skip(NOW + 2 * MINUTE),), (), NOW + HOUR, None, 0)
    store.record_plan_if_unmoved(stored, plan, NOW + HOUR, store.new_id)
    assert [(NOW, NOW, 1), (NOW + 2 * MINUTE, NOW + 2 * MINUTE, 1)] == ranges(store, stored)


def test_a_range_of_another_job_is_another_range(store):
    one, two = store.make("one"), store.make("two")
    store.ledger.add_skips(one.id, [skip(NOW)], NOW)
    store.ledger.add_skips(two.id, [skip(NOW + MINUTE)], NOW)
    assert [(NOW, NOW, 1)] == ranges(store, one)
    assert [(NOW + MINUTE, NOW + MINUTE, 1)] == ranges(store, two)


@pytest.mark.parametrize("how", ["count = 0", "count = 5, last_slot = first_slot - 1", "reason = ''", "last_slot = 1"])
def test_a_range_that_cannot_be_true_is_refused(store, how):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW, NOW + HOUR, 7)], NOW)
    with pytest.raises(Exception, match=REFUSED):
        store.database._connection.execute(f"UPDATE skip SET {how}")


def test_the_skip_that_holds_an_instant_is_found(store):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW, NOW + HOUR, 60), skip(NOW + DAY, reason="later")], NOW)
    for instant in (NOW, NOW + MINUTE, NOW + HOUR):
        assert 60 == store.ledger.at(stored.id, instant).skip.count
    assert "later" == store.ledger.at(stored.id, NOW + DAY).skip.reason
    for instant in (NOW - SECOND, NOW + HOUR + SECOND, NOW + 2 * DAY):
        assert store.ledger.at(stored.id, instant) is None


def test_a_range_is_found_around_a_skip_inside_it(store):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW, NOW + HOUR, 60), skip(NOW + MINUTE / 2, reason="alone")], NOW)
    assert 60 == store.ledger.at(stored.id, NOW).skip.count
    assert "alone" == store.ledger.at(stored.id, NOW + MINUTE / 2).skip.reason


def test_skips_beyond_an_instant_are_taken_back(store):
    stored = store.make()
    store.ledger.add_skips(stored.id, [skip(NOW), skip(NOW + MINUTE, NOW + HOUR, 60, reason="b")], NOW)
    (taken,) = store.ledger.take_back_after(stored.id, NOW + 30 * MINUTE)
    assert 60 == taken.skip.count
    assert [(NOW, NOW, 1)] == ranges(store, stored)
    assert {"backup": {"skipped": (1, 0, 0.0)}} == store.ledger.totals(None, 0)


def test_skips_are_paged_newest_first_and_by_when_they_were(store):
    one, two = store.make("one"), store.make("two")
    for number in range(6):
        which = one if number % 2 else two
        store.ledger.add_skips(which.id, [skip(NOW + number * HOUR, reason=f"r{number}")], NOW)
    first = store.ledger.page(None, NOW, None, 4)
    assert ["r5", "r4", "r3", "r2"] == [record.skip.reason for record in first]
    store.ledger.add_skips(one.id, [skip(NOW + DAY, reason="new")], NOW)
    assert ["r1", "r0"] == [record.skip.reason for record in store.ledger.page(None, NOW, first[-1].id, 4)]
    assert ["new", "r5"] == [record.skip.reason for record in store.ledger.page(one.id, NOW + 5 * HOUR, None, 9)]


def test_events_come_in_order_after_the_cursor(store):
    stored = store.make()
    for number in range(3):
        store.ledger.add_event("told", NOW, stored.id, "R", number=str(number), text='"ü" \\ \n')
    events = store.ledger.events(0, 2)
    assert ["0", "1"] == [event.data["number"] for event in events]
    (last,) = store.ledger.events(events[-1].seq, 2)
    assert ("told", NOW, "backup", "R", '"ü" \\ \n') == (last.kind, last.at, last.job, last.run_id, last.data["text"])
    store.ledger.add_event("engine.started", NOW)
    assert store.ledger.events(last.seq, 2)[0].job is None


def test_totals_count_runs_attempts_seconds_and_skips(store):
    stored = store.make(overlap="allow")
    store.end(store.claim_one(stored))
    store.end(store.claim_one(stored), State.FAILED)
    again = store.claim_one(stored)
    store.rest(again)
    store.runs.wake(NOW + HOUR)
    (second,) = store.claim(now=NOW + HOUR)
    store.end(second)
    store.ledger.add_skips(stored.id, [skip(NOW)], NOW)
    store.ledger.add_skips(stored.id, [skip(NOW + SECOND, NOW + MINUTE, 59)], NOW)
    day = int(NOW.timestamp() // 86_400)
    wanted = {"succeeded": (2, 3, 120.0), "failed": (1, 1, 60.0), "skipped": (60, 0, 0.0)}
    assert {"backup": wanted} == store.ledger.totals(stored.id, day)
    assert {"backup": wanted} == store.ledger.totals(None, 0)
    assert {} == store.ledger.totals(None, day + 1)


def test_facts_about_the_store_are_kept_and_replaced(store):
    assert store.upkeep.fact("clock") is None
    store.upkeep.put_fact("clock", "one")
    store.upkeep.put_fact("clock", "two")
    assert "two" == store.upkeep.fact("clock")


def test_a_skip_of_one_slot_is_found_in_a_short_time_and_a_range_is_not(store):
    stored, other = store.make(), store.make("other")
    store.ledger.add_skips(stored.id, [skip(NOW - HOUR, NOW + HOUR, 60)], NOW)
    store.ledger.add_skips(stored.id, [skip(NOW + 7 * SECOND, reason="a"), skip(NOW + 8 * SECOND, reason="b")], NOW)
    store.ledger.add_skips(other.id, [skip(NOW + SECOND)], NOW)
    found = store.ledger.alone_in(stored.id, NOW, NOW + MINUTE)
    assert (NOW + 7 * SECOND, "a") == (found.skip.first_slot, found.skip.reason)
    assert NOW + 7 * SECOND == store.ledger.alone_in(stored.id, NOW + 7 * SECOND, NOW + 8 * SECOND).skip.first_slot
    assert None is store.ledger.alone_in(stored.id, NOW, NOW + 7 * SECOND)

"""Held runs: they wait for a place of their job, and go in order as places become free."""

from __future__ import annotations

import pytest

from rota.model.run import State

from .worlds import HOUR, MINUTE, NOW, SECOND, job


def change(store, stored, **policy):
    fresh = store.jobs.get(stored.name)
    with store.transaction():
        changed = store.jobs.change_if_unchanged(fresh, job(stored.name, **policy), "hand", NOW, None, 0 * SECOND)
        store.runs.release_held()
    return changed


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CANCELLED, State.LOST])
def test_any_end_lets_the_next_held_run_go(store, state):
    stored = store.make()
    running = store.claim_one(stored)
    later, sooner = store.queue(stored, held=True, slot=NOW), store.queue(stored, held=True, slot=NOW - HOUR)
    store.end(running, state)
    assert [later] == store.held(stored)
    assert [sooner] == [run.run_id for run in store.claim()]


def test_a_queued_run_that_is_cancelled_gives_its_place_away(store):
    stored = store.make()
    placed, held = store.queue(stored), store.queue(stored, held=True)
    store.runs.cancel_if_not_running(placed, NOW, "no")
    assert [] == store.held(stored)
    assert [held] == [run.run_id for run in store.claim()]


def test_a_pause_between_attempts_keeps_the_place(store):
    stored = store.make()
    run = store.claim_one(stored)
    held = store.queue(stored, held=True)
    store.rest(run)
    assert [held] == store.held(stored)
    store.runs.wake(NOW + HOUR)
    assert [held] == store.held(stored)
    assert store.runs.placed(stored.id) == 1


def test_one_end_frees_one_place(store):
    stored = store.make(max_instances=2)
    running = [store.claim_one(stored) for _ in range(2)]
    waiting = [store.queue(stored, held=True, slot=NOW + number * MINUTE) for number in range(3)]
    store.end(running[0])
    assert waiting[1:] == store.held(stored)
    store.end(running[1])
    assert waiting[2:] == store.held(stored)


def test_runs_that_end_together_free_their_places_together(store):
    stored = store.make(max_instances=3, start_by=MINUTE)
    for _ in range(3):
        store.queue(stored, now=NOW)
    waiting = [store.queue(stored, now=NOW + HOUR, held=True) for _ in range(4)]
    assert store.runs.wake(NOW + 2 * MINUTE) == 3
    assert waiting[3:] == store.held(stored)
    assert store.runs.placed(stored.id) == 3


def test_places_of_another_job_are_not_given_away(store):
    first, second = store.make("first"), store.make("second")
    running = store.claim_one(first)
    store.queue(second)
    held = store.queue(second, held=True)
    store.end(running)
    assert [held] == store.held(second)


def test_more_places_let_as_many_go_in_order(store):
    stored = store.make()
    store.claim_one(stored)
    waiting = [store.queue(stored, held=True, slot=NOW + number * MINUTE) for number in range(5)]
    change(store, stored, max_instances=3)
    assert waiting[2:] == store.held(stored)
    change(store, stored, overlap="allow")
    assert [] == store.held(stored)


def test_fewer_places_end_nothing_but_let_nobody_go_until_there_is_room(store):
    stored = store.make(max_instances=3)
    running = [store.claim_one(stored) for _ in range(3)]
    held = store.queue(stored, held=True)
    change(store, stored, max_instances=1)
    for run in running[:2]:
        store.end(run)
        assert [held] == store.held(stored)
        assert store.runs.release_held() == 0
    store.end(running[2])
    assert [] == store.held(stored)


def test_releasing_repairs_each_job_by_its_own_limit(store):
    one, two = store.make("one"), store.make("two", max_instances=2)
    for stored in (one, two):
        for _ in range(4):
            store.queue(stored, held=True)
    assert store.runs.release_held() == 3
    assert (3, 2) == (len(store.held(one)), len(store.held(two)))
    assert store.runs.release_held() == 0


def test_a_claim_that_is_given_back_keeps_its_place(store):
    stored = store.make()
    run = store.claim_one(stored)
    held = store.queue(stored, held=True)
    store.runs.give_back_if_running(run.run_id, 1, "host-one", NOW, "why")
    assert [held] == store.held(stored)
    assert store.runs.release_held() == 0

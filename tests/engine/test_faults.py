"""A store that is locked or full, in any turn: no end is lost, and nothing starts without its record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.errors import StoreBusy, StoreFull
from rota.model.run import FINAL, State

from .machine import NOW, Act

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ERRORS = [StoreBusy("rota.db is locked"), StoreFull("rota.db cannot be written")]


def watch_starts(world):
    """Look, at each start, at what is on record by then."""
    launch = world.launcher.launch

    def launch_if_on_record(claimed, job):
        run = world.store.runs.find(claimed.run_id)
        assert (State.RUNNING, claimed.attempt, claimed.spool) == (run.state, run.attempt, run.spool)
        assert world.store._depth == 0, "nothing starts inside a transaction"
        launch(claimed, job)

    world.launcher.launch = launch_if_on_record


def busy_story(world):
    world.add("plain", "10s", act=Act(seconds=3, output=b"x"))
    world.add("flaky", "20s", act=[Act(code=1), Act()], retries={"count": 2, "delay": SECOND}, overlap="queue")
    world.add("slow", "30s", act=Act(seconds=None), timeout=5 * SECOND, pool="disk")
    world.live(95)


@pytest.mark.parametrize("error", ERRORS, ids=["busy", "full"])
@pytest.mark.parametrize("number", range(1, 26))
def test_a_commit_that_fails_changes_nothing_but_the_time(world, number, error):
    watch_starts(world)
    world.store.fail = lambda at: error if at == number + 3 else None  # the first three make the jobs
    busy_story(world)
    world.live(2)
    assert [NOW + seconds * 10 * SECOND for seconds in range(1, 10)] == [run.slot for run in world.runs("plain")]
    assert {State.SUCCEEDED} == set(world.states("plain")) | set(world.states("flaky"))
    assert {State.TIMED_OUT} == set(world.states("slow"))
    assert 9 + 5 + 3 == len(world.launcher.starts), "one start for each attempt"
    assert 9 == sum(len(world.store.runs.output(run.id, 1)) for run in world.runs("plain"))
    assert [] == world.skips("plain") + world.skips("flaky") + world.skips("slow")


@pytest.mark.parametrize("error", ERRORS, ids=["busy", "full"])
def test_while_the_store_is_away_ends_wait_deadlines_hold_and_nothing_starts(world, error):
    watch_starts(world)
    world.add("ends", act=Act(seconds=10, code=3, output=b"kept"))
    world.add("stubborn", act=Act(seconds=None, heeds_term=False), timeout=MINUTE, kill_after=5 * SECOND)
    world.add("timed", "1m")
    ended, killed = world.verbs.trigger("ends"), world.verbs.trigger("stubborn")
    world.live(5)
    world.store.fail = lambda _at: error
    world.live(6 * MINUTE)
    assert [State.RUNNING] * 2 == world.states("ends") + world.states("stubborn")
    assert [(60.0, "TERM"), (65.0, "KILL")] == [(at - 1_000.0, name) for at, name in world.launcher.signals]
    assert 2 == len(world.launcher.starts)
    world.store.fail = lambda _at: None
    world.live(5)
    run = world.store.runs.find(ended)
    assert (State.FAILED, 3, 10.0) == (run.state, run.exit_code, run.duration), "the end is told as it was"
    assert b"kept" == world.store.runs.output(ended, 1)[0].head
    assert (State.TIMED_OUT, 65.0) == (world.store.runs.find(killed).state, world.store.runs.find(killed).duration)
    assert 1 == len(world.runs("timed"))
    assert [("coalesced", 5)] == world.skips("timed")


def test_a_store_that_is_away_is_told_at_once_and_then_now_and_then(world):
    world.add("backup", "10s")
    world.live(1)
    world.store.fail = lambda _at: ERRORS[0]
    world.live(100)
    told = [text for text in world.log.texts("ERROR") if "locked" in text]
    assert {"rota.db is locked. It is tried again; until then nothing new is started, and running jobs go on"} == set(
        told
    )
    assert 3 <= len(told) <= 5
    world.store.fail = lambda _at: None
    world.live(15)
    assert "the store can be written again" in world.log.texts("INFO")


def test_a_full_disk_is_tried_once_a_second_and_a_lock_ten_times(world):
    world.add("backup", "10s", overlap="allow")
    for error, most in ((ERRORS[0], 11), (ERRORS[1], 2)):
        world.store.fail = lambda _at: None
        world.live(30)
        world.verbs.trigger("backup")
        world.store.fail = lambda _at, error=error: error
        before = world.store.transactions
        world.live(0.95)
        assert most - 3 <= world.store.transactions - before <= most


def test_reserved_places_do_not_pile_up_while_the_store_is_away(world):
    world.add("backup", overlap="allow", act=Act(seconds=1))
    for _ in range(10):
        world.verbs.trigger("backup")
    world.store.fail = lambda _at: ERRORS[0]
    world.live(20)
    assert len(world.launcher.reserved) <= 4
    world.store.fail = lambda _at: None
    world.live(20)
    assert [State.SUCCEEDED] * 10 == world.states("backup")
    assert len(world.launcher.reserved) <= 4


def test_a_wish_to_cancel_is_not_forgotten_when_it_could_not_be_read(world):
    world.add("backup", act=Act(seconds=None))
    world.verbs.trigger("backup")
    world.live(5.5)
    world.verbs.cancel("backup")
    requests, failures = world.store.runs.cancel_requests, [ERRORS[1]]

    def fail_once(host):
        if failures:
            raise failures.pop()
        return requests(host)

    world.store.runs.cancel_requests = fail_once
    world.live(10)
    assert [State.CANCELLED] == world.states("backup")


def test_an_engine_that_starts_on_a_locked_store_adopts_when_it_can(world):
    world.add("backup", act=Act(seconds=None))
    world.verbs.trigger("backup")
    world.store.fail = lambda _at: ERRORS[0]
    world.boot()
    world.live(5)
    assert [State.QUEUED] == world.states("backup")
    world.store.fail = lambda _at: None
    world.live(1)
    assert [State.RUNNING] == world.states("backup")
    kinds = [event.kind for event in world.store.ledger.events(0, 100)]
    assert 1 == kinds.count("engine.started")


def test_an_orderly_stop_on_a_locked_store_is_still_orderly(world):
    world.live(1)
    world.store.fail = lambda _at: ERRORS[0]
    world.engine.stopped()
    world.store.fail = lambda _at: None
    assert "engine.stopped" not in [event.kind for event in world.store.ledger.events(0, 100)]


@pytest.mark.parametrize("seed", range(12))
def test_a_store_that_fails_at_random_loses_and_doubles_nothing(world, seed):
    from random import Random

    chance = Random(seed)
    watch_starts(world)
    for name in ("plain", "flaky", "slow"):
        world.launcher.script[name] = [Act(seconds=2)]
    world.add("plain", "7s", act=[Act(seconds=2), Act(code=1)], retries={"count": 1, "delay": SECOND})
    world.add("slow", "11s", act=Act(seconds=30), max_instances=2, overlap="queue", timeout=20 * SECOND)
    world.store.fail = lambda _at: chance.choice(ERRORS) if chance.random() < 0.5 else None
    world.live(120)
    world.store.fail = lambda _at: None
    world.live(70)
    started = [(name, attempt) for _, name, attempt in world.launcher.starts]
    for name in ("plain", "slow"):
        made = world.runs(name)
        assert len({run.slot for run in made}) == len(made)
        attempts = sum(run.attempt for run in made)
        assert attempts == [who for who, _ in started].count(name), "every start is on record, once"
        stored = world.store.jobs.get(name)
        step = {"plain": 7, "slow": 11}[name] * SECOND
        skipped = sum(count for _, count in world.skips(name))
        assert (stored.planned_to - NOW) // step == len(made) + skipped, "every slot has its record"
        assert all(run.state in FINAL for run in made[:-3])

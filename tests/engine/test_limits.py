"""Capacity, pools, max_running, priorities, start_by."""

from __future__ import annotations

from datetime import timedelta

from rota.model.run import State

from .machine import NOW, Act

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def most_at_once(world, seconds, names):
    most = 0
    for _ in range(seconds):
        world.live(1.0)
        most = max(most, sum(world.states(name).count(State.RUNNING) for name in names))
    return most


def test_with_one_place_the_most_urgent_goes_first(world):
    world.boot(capacity=1)
    for name, priority in (("low", 75), ("urgent", 0), ("medium", 50), ("high", 25)):
        world.add(name, act=Act(seconds=10), priority=priority)
        world.verbs.trigger(name)
    world.live(MINUTE)
    assert [(0.0, "urgent"), (10.0, "high"), (20.0, "medium"), (30.0, "low")] == world.since(NOW)


def test_no_more_run_at_once_than_the_host_has_places(world):
    world.boot(capacity=3)
    world.add("backup", act=Act(seconds=5), overlap="allow")
    for _ in range(10):
        world.verbs.trigger("backup")
    assert 3 == most_at_once(world, 30, ["backup"])
    assert [State.SUCCEEDED] * 10 == world.states("backup")


def test_a_pool_limits_jobs_together_and_hides_nobody_else(world):
    for name in ("a", "b", "c"):
        world.add(name, act=Act(seconds=10), pool="disk", priority=0)
        world.verbs.trigger(name)
    world.add("free", priority=99)
    world.verbs.trigger("free")
    world.live(5)
    assert [(0.0, "a"), (0.0, "free")] == world.since(NOW)
    world.verbs.set_pool("disk", 2)
    world.live(MINUTE)
    assert [0.0, 0.0, 5.0, 10.0] == [at for at, _ in world.since(NOW)]


def test_max_running_limits_everything(world):
    world.boot(capacity=9, max_running=2)
    world.add("backup", act=Act(seconds=5), overlap="allow")
    for _ in range(6):
        world.verbs.trigger("backup")
    assert 2 == most_at_once(world, 20, ["backup"])
    assert [State.SUCCEEDED] * 6 == world.states("backup")


def test_a_run_that_waited_too_long_for_a_place_is_ended(world):
    world.boot(capacity=1)
    world.add("long", act=Act(seconds=300))
    world.add("impatient", start_by=MINUTE)
    world.verbs.trigger("long")
    world.live(5)
    world.verbs.trigger("impatient")
    world.live(2 * MINUTE)
    run = world.run("impatient")
    assert (State.CANCELLED, NOW + 65 * SECOND) == (run.state, run.ended_at)
    assert "it waited for a place longer than start_by allows" == run.reason


def test_runs_by_hand_wait_for_a_place_of_their_job(world):
    world.add("backup", act=Act(seconds=10))
    for _ in range(3):
        world.verbs.trigger("backup")
    world.live(MINUTE)
    assert [0.0, 10.0, 20.0] == [at for at, _ in world.since(NOW)]


def test_more_places_of_a_job_are_used_at_once(world):
    world.add("backup", act=Act(seconds=30))
    for _ in range(3):
        world.verbs.trigger("backup")
    world.live(5)
    import msgspec

    stored = world.store.jobs.get("backup")
    wider = msgspec.structs.replace(stored.job, policy=msgspec.structs.replace(stored.job.policy, max_instances=3))
    world.verbs.change("backup", wider)
    world.live(MINUTE)
    assert [0.0, 5.0, 5.0] == [at for at, _ in world.since(NOW)]


def test_places_that_were_reserved_are_used_again_and_never_pile_up(world):
    world.add("backup", "1m")
    world.live(30 * MINUTE)
    assert 30 == len(world.runs("backup"))
    assert len(world.launcher.reserved) <= 4


def test_a_burst_is_started_in_batches_without_a_pause_in_between(world):
    world.boot(capacity=300)
    world.add("burst", overlap="allow", act=Act(seconds=5))
    for _ in range(200):
        world.verbs.trigger("burst")
    world.live(1)
    assert {0.0} == {at for at, _ in world.since(NOW)}
    assert 200 == len(world.launcher.starts)

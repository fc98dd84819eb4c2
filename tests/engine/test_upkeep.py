"""Upkeep: history is let go in small steps, and never while something is due."""

from __future__ import annotations

from datetime import timedelta

from rota.engine.pruning import Pruner
from rota.engine.settings import Retention

from .machine import Act

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHORT = Retention(runs=HOUR, least_runs=3, output=10 * MINUTE, output_bytes=10_000, events=HOUR)


def test_an_engine_keeps_the_store_small_by_itself(world):
    world.boot(retention=SHORT)
    world.add("backup", "1m", act=Act(seconds=1, output=b"x" * 10))
    world.live(4 * HOUR + 30 * SECOND)
    runs = world.runs("backup")
    assert 60 <= len(runs) <= 70
    runs = [run for run in runs if run.ended_at]
    kept = [run for run in runs if world.store.runs.output(run.id, 1)]
    assert runs[-len(kept) :] == kept
    assert 10 <= len(kept) <= 13
    events = world.store.ledger.events(0, 10_000)
    assert world.clock.now() - events[0].at <= HOUR + 2 * MINUTE
    (totals,) = world.store.ledger.totals(None, 0).values()
    assert 240 == sum(count for count, _, _ in totals.values()), "totals survive"


def test_what_comes_by_the_hundred_a_second_goes_as_fast(world):
    world.boot(retention=Retention(runs=SECOND, least_runs=3, output=SECOND, events=SECOND), capacity=500)
    world.add("busy", act=Act(seconds=0.0), overlap="allow")
    for _ in range(50):
        for _ in range(200):
            world.verbs.trigger("busy")
        world.live(1)
    assert 10_000 == len(world.runs("busy"))
    world.live(40)  # the next upkeep, and its steps one after the other
    assert 3 == len(world.runs("busy"))


def test_the_newest_runs_of_a_job_stay(world):
    world.boot(retention=SHORT)
    world.add("backup", act=Act(seconds=1))
    for _ in range(6):
        world.verbs.trigger("backup")
        world.live(5)
    world.live(5 * HOUR)
    assert 3 == len(world.runs("backup"))


def test_too_much_output_goes_oldest_first(world):
    world.add("backup", act=Act(seconds=0.1, output=b"x" * 3_000), overlap="allow")
    for _ in range(6):
        world.verbs.trigger("backup")
        world.live(1)
    pruner = Pruner(world.store, SHORT)
    while pruner.step(world.clock.now()):
        pass
    assert world.store.upkeep.output_kept() <= 10_000


def test_everything_old_is_dropped_at_once_when_somebody_asks(world):
    for number in range(120):
        world.add(f"job-{number}", act=Act(seconds=0.0))
        for _ in range(4):
            world.verbs.trigger(f"job-{number}")
    world.boot(capacity=500)
    world.live(30)
    told = []
    pruner = Pruner(world.store, SHORT)
    dropped = pruner.all(world.clock.now() + DAY, told.append)
    assert told == sorted(told)
    assert dropped == told[-1]
    assert {3} == {len(world.runs(f"job-{number}")) for number in range(120)}
    assert 0 == pruner.all(world.clock.now() + DAY)


def test_the_pruner_goes_round_all_jobs_in_steps(world):
    for number in range(120):
        world.add(f"job-{number}")
    pruner = Pruner(world.store, SHORT)
    assert [0, 0, 0, 0] == [pruner.step(world.clock.now()) for _ in range(4)]
    assert 0 == pruner._after


def test_upkeep_lets_runs_go_that_are_held_beside_a_free_place(world):
    world.add("backup")
    world.live(1)
    world.verbs.trigger("backup")
    world.store._db._connection.execute("UPDATE run SET held = 1")
    world.pokes.poked = False
    world.live(2 * MINUTE)
    assert 1 == len(world.launcher.starts)

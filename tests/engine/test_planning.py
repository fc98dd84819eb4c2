"""Due times become runs: on time, after downtime, beside runs that go on, and when the clock lies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.model.policy import CatchUp
from rota.model.run import State, Trigger

from .machine import NOW, Act

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ENDLESS = Act(seconds=None)


def test_a_job_runs_at_each_of_its_times(world):
    world.add("backup", "1h")
    world.live(5 * HOUR + MINUTE)
    assert [NOW + number * HOUR for number in range(1, 6)] == [run.slot for run in world.runs("backup")]
    assert [(number * 3600.0, "backup") for number in range(1, 6)] == world.since(NOW)
    assert {State.SUCCEEDED} == set(world.states("backup"))
    assert {0.0} == {run.lateness for run in world.runs("backup")}


def test_an_idle_engine_looks_once_a_second_and_writes_nothing(world):
    world.live(2 * MINUTE)
    before = world.store.transactions
    world.live(50)
    assert before == world.store.transactions
    assert 0 < world.rest <= 1.0


def test_a_job_that_was_added_elsewhere_is_noticed_by_its_poke(world):
    world.live(10.5)
    world.add("backup", "1h")
    world.verbs.trigger("backup")
    world.engine.turn()
    assert [State.RUNNING] == world.states("backup")


@pytest.mark.parametrize(
    ("catch_up", "ran", "skipped"),
    [
        (CatchUp.LATEST, 1, [("beyond_grace", 19), ("coalesced", 10)]),
        (CatchUp.ALL, 11, [("beyond_grace", 19)]),
        (CatchUp.NONE, 0, [("beyond_grace", 19), ("catch_up_none", 11)]),
    ],
)
def test_after_downtime_the_policy_decides_what_runs(world, catch_up, ran, skipped):
    world.add("backup", "1m", catch_up=catch_up, grace=10 * MINUTE + 30 * SECOND)
    world.sleep_without_engine(30 * MINUTE + 20 * SECOND)
    world.boot()
    world.live(20)
    assert ran == len(world.runs("backup"))
    assert {Trigger.CATCH_UP} >= {run.trigger for run in world.runs("backup")}
    assert skipped == world.skips("backup")
    assert "job.missed" in [event.kind for event in world.store.ledger.events(0, 1000)]


def test_skip_leaves_a_slot_out_while_the_run_before_goes_on(world):
    world.add("backup", "1m", act=[Act(seconds=150), Act()])
    world.live(5 * MINUTE + SECOND)
    assert [NOW + number * MINUTE for number in (1, 4, 5)] == [run.slot for run in world.runs("backup")]
    assert [("overlap", 2)] == world.skips("backup")


def test_queue_lets_one_wait_and_start_when_the_first_ends(world):
    world.add("backup", "1m", act=[Act(seconds=200), Act()], overlap="queue")
    world.live(4.5 * MINUTE)
    assert [(60.0, "backup"), (260.0, "backup")] == world.since(NOW)
    assert [NOW + MINUTE, NOW + 2 * MINUTE] == [run.slot for run in world.runs("backup")]
    assert [("overlap", 2)] == world.skips("backup")


def test_replace_ends_the_run_before_and_starts_when_it_is_gone(world):
    world.add(
        "backup", "1m", act=[Act(seconds=None, heeds_term=False), Act()], overlap="replace", kill_after=5 * SECOND
    )
    world.live(2 * MINUTE + 30 * SECOND)
    first, second = world.runs("backup")
    assert (State.CANCELLED, "a later run of the job takes its place (overlap is replace)") == (
        first.state,
        first.reason,
    )
    assert (State.SUCCEEDED, NOW + 2 * MINUTE + 5 * SECOND) == (second.state, second.started_at)


def test_allow_starts_beside_what_runs(world):
    world.add("backup", "1m", act=ENDLESS, overlap="allow")
    world.live(3 * MINUTE + SECOND)
    assert [State.RUNNING] * 3 == world.states("backup")


def test_max_instances_is_the_number_of_places(world):
    world.add("backup", "1m", act=ENDLESS, max_instances=2)
    world.live(4 * MINUTE + SECOND)
    assert [State.RUNNING] * 2 == world.states("backup")
    assert [("overlap", 2)] == world.skips("backup")


def test_a_job_whose_runs_never_end_is_told(world):
    world.add("backup", "1m", act=ENDLESS)
    world.live(4 * MINUTE + SECOND)
    run = world.run("backup")
    assert [f"skipped 3 times in a row: run {run.id} was still running"] == world.log.texts("WARNING")
    assert "job.stuck" in [event.kind for event in world.store.ledger.events(0, 1000)]


def test_a_schedule_that_counts_from_the_end_waits_that_long_after_each_end(world):
    world.add("backup", "10m after", act=Act(seconds=90))
    world.live(HOUR)
    assert [(600.0 + number * 690, "backup") for number in range(5)] == world.since(NOW)


def test_a_schedule_that_counts_from_the_end_counts_from_the_last_attempt(world):
    act = [Act(code=1), Act(code=1), Act()]
    world.add("backup", "10m after", act=act, retries={"count": 2, "delay": MINUTE, "backoff": 1.0})
    world.live(25 * MINUTE)
    assert [600.0, 661.0, 722.0, 1323.0] == [at for at, _ in world.since(NOW)]


def test_an_edit_while_it_runs_still_counts_from_the_end(world):
    world.add("backup", "10m after", act=Act(seconds=300))
    world.live(11 * MINUTE)
    stored = world.store.jobs.get("backup")
    world.verbs.change("backup", stored.job)
    world.live(20 * MINUTE)
    assert [600.0, 1500.0] == [at for at, _ in world.since(NOW)]


def test_jitter_moves_every_start_by_the_same_time(world):
    world.add("backup", "1h", jitter=30 * MINUTE, catch_up=CatchUp.NONE, grace=SECOND)
    world.live(4 * HOUR)
    shift = world.store.jobs.get("backup").jitter
    assert timedelta(0) < shift < 30 * MINUTE
    wanted = [(NOW + number * HOUR, NOW + number * HOUR + shift) for number in range(1, 4)]
    assert wanted == [(run.slot, run.started_at) for run in world.runs("backup")][:3]
    assert [] == world.skips("backup")


def test_a_clock_that_goes_back_an_hour_refires_nothing(world):
    world.add("backup", "10m")
    world.live(65 * MINUTE)
    assert 6 == len(world.runs("backup"))
    world.clock.jump(-HOUR)
    world.live(55 * MINUTE)
    assert 6 == len(world.runs("backup"))
    world.live(15 * MINUTE)
    assert [NOW + number * 10 * MINUTE for number in range(1, 8)] == [run.slot for run in world.runs("backup")]
    assert [] == world.skips("backup")


def test_a_clock_that_came_back_from_far_in_the_future_is_told_and_planned_anew(world):
    world.add("backup", "10m")
    world.live(25 * MINUTE)
    world.clock.jump(730 * DAY)
    world.live(MINUTE)
    assert 3 == len(world.runs("backup")), "a jump forward is a catch-up"
    world.clock.jump(-730 * DAY)
    world.live(30 * MINUTE)
    assert NOW + 56 * MINUTE == world.clock.now()
    slots = [run.slot for run in world.runs("backup")]
    assert [NOW + number * 10 * MINUTE for number in (1, 2, 3, 4, 5)] == sorted(slots)[:5]
    assert 1 == [event.kind for event in world.store.ledger.events(0, 1000)].count("clock.corrected")
    assert any(text.startswith("the clock went back from") for text in world.log.texts("WARNING"))
    last = world.store.ledger.page(None, NOW - DAY, None, 1)
    assert all(record.skip.last_slot <= world.clock.now() for record in last)


def test_a_clock_that_was_corrected_while_no_engine_ran_is_noticed_at_the_start(world):
    world.clock.jump(400 * DAY)
    world.add("backup", "10m")
    world.live(25 * MINUTE)
    world.crash()
    world.clock.jump(-400 * DAY)
    world.boot()
    world.live(25 * MINUTE)
    assert 1 == [event.kind for event in world.store.ledger.events(0, 1000)].count("clock.corrected")
    stored = world.store.jobs.get("backup")
    assert world.clock.now() < stored.next_slot <= world.clock.now() + 10 * MINUTE


def test_a_job_whose_schedule_can_be_read_no_more_stops_no_other(world):
    world.add("broken", "10m")
    world.add("sound", "10m")
    world.store._db._connection.execute(
        "UPDATE definition SET body = replace(body, '\"every\"', '\"cron\"') WHERE job_id = ?",
        [world.store.jobs.get("broken").id],
    )
    world.live(25 * MINUTE)
    assert (0, 2) == (len(world.runs("broken")), len(world.runs("sound")))
    assert world.store.jobs.get("broken").next_slot is None
    assert 1 == [event.kind for event in world.store.ledger.events(0, 1000)].count("job.broken")
    (text,) = world.log.texts("ERROR")
    assert text.startswith("it is not planned any more, because its schedule cannot be read: schedule '10m'")


def test_a_thousand_jobs_due_at_once_are_planned_in_pieces(world):
    for number in range(600):
        world.add(f"job-{number}", "1h", overlap="allow", act=Act(seconds=0.0))
    world.boot(capacity=1000)
    world.live(HOUR + MINUTE)
    assert 600 == len(world.launcher.starts)
    assert {3600.0} == {at for at, _ in world.since(NOW)}

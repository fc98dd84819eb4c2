"""Retries: at exact times, up to their number, and beside everything else."""

from __future__ import annotations

from datetime import timedelta

from rota.model.run import State

from .machine import NOW, Act

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BAD = Act(seconds=1, code=1)


def starts(world):
    return [at for at, _ in world.since(NOW)]


def test_pauses_grow_and_each_attempt_is_on_record(world):
    world.add("backup", act=[BAD, BAD, BAD, Act()], retries={"count": 5, "delay": 10 * SECOND})
    run_id = world.verbs.trigger("backup")
    world.live(5 * MINUTE)
    assert [0.0, 11.0, 32.0, 73.0] == starts(world)
    run = world.store.runs.find(run_id)
    assert (State.SUCCEEDED, 4) == (run.state, run.attempt)
    attempts = world.store.runs.attempts(run_id)
    assert [(1, State.FAILED, 1), (2, State.FAILED, 1), (3, State.FAILED, 1)] == [
        (attempt.attempt, attempt.state, attempt.exit_code) for attempt in attempts
    ]


def test_the_last_attempt_s_end_is_the_run_s_and_says_so(world):
    world.add("backup", act=BAD, retries={"count": 2, "delay": SECOND, "backoff": 1.0})
    run_id = world.verbs.trigger("backup")
    world.live(MINUTE)
    run = world.store.runs.find(run_id)
    assert (State.FAILED, 3, "exit code 1; all 3 attempts were used") == (run.state, run.attempt, run.reason)
    assert 3 == len(world.launcher.starts)


def test_the_output_of_every_attempt_is_kept(world):
    acts = [Act(code=1, output=b"one"), Act(code=1, output=b"two"), Act(output=b"three")]
    world.add("backup", act=acts, retries={"count": 5, "delay": SECOND})
    run_id = world.verbs.trigger("backup")
    world.live(MINUTE)
    kept = [world.store.runs.output(run_id, number)[0].head for number in (1, 2, 3)]
    assert [b"one", b"two", b"three"] == kept


def test_a_lost_attempt_counts(world):
    world.add("backup", act=Act(code=None), retries={"count": 2, "delay": SECOND})
    world.verbs.trigger("backup")
    world.live(MINUTE)
    assert ([State.LOST], 3) == (world.states("backup"), len(world.launcher.starts))


def test_an_exit_code_that_was_not_named_is_not_tried_again(world):
    world.add("backup", act=[Act(code=75), Act(code=1)], retries={"count": 9, "delay": SECOND, "only_on": (75,)})
    world.verbs.trigger("backup")
    world.live(MINUTE)
    run = world.run("backup")
    assert (2, "exit code 1; exit code 1 is not one that is tried again (75)") == (run.attempt, run.reason)


def test_the_next_attempt_starts_on_time_when_the_pause_is_nothing(world):
    world.add("backup", act=[BAD, BAD, Act()], retries={"count": 2, "delay": timedelta(0)})
    world.verbs.trigger("backup")
    world.live(10)
    assert [0.0, 1.0, 2.0] == starts(world)


def test_an_attempt_after_a_pause_is_not_ended_by_start_by(world):
    world.add("backup", act=[BAD, Act()], start_by=30 * SECOND, retries={"count": 1, "delay": HOUR})
    world.verbs.trigger("backup")
    world.live(2 * HOUR)
    assert ([State.SUCCEEDED], [0.0, 3601.0]) == (world.states("backup"), starts(world))


def test_a_pause_keeps_the_job_s_place(world):
    world.add("backup", "1m", act=[BAD, Act()], retries={"count": 1, "delay": 150 * SECOND})
    world.live(5 * MINUTE)
    assert [NOW + MINUTE, NOW + 4 * MINUTE, NOW + 5 * MINUTE] == [run.slot for run in world.runs("backup")]
    assert [("overlap", 2)] == world.skips("backup")


def test_a_pause_frees_its_place_in_the_pool_and_on_the_host(world):
    world.boot(capacity=1)
    world.add("flaky", act=[BAD, Act()], pool="disk", retries={"count": 1, "delay": MINUTE})
    world.add("other", act=Act(seconds=5), pool="disk")
    world.verbs.trigger("flaky")
    world.verbs.trigger("other")
    world.live(2 * MINUTE)
    assert [(0.0, "flaky"), (1.0, "other"), (61.0, "flaky")] == world.since(NOW)


def test_a_retry_by_hand_is_a_new_run_with_the_same_parameters(world):
    world.add("backup", act=[BAD, Act()])
    first = world.verbs.trigger("backup", {"day": "monday"})
    world.live(5)
    second = world.verbs.retry(first)
    world.live(5)
    run = world.store.runs.find(second)
    assert (State.SUCCEEDED, {"day": "monday"}, first) == (run.state, run.params, run.retry_of)
    assert State.FAILED is world.store.runs.find(first).state

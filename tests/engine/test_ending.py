"""Ends: by themselves, by a deadline, by somebody's wish; and what is left in the store and the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.engine.settings import EngineSettings
from rota.errors import CannotStart
from rota.model.action import Shell
from rota.model.job import Job
from rota.model.run import State

from .machine import NOW, Act

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ENDLESS, STUBBORN = Act(seconds=None), Act(seconds=None, heeds_term=False)


def signals(world):
    """Return what was sent, by seconds since the test began."""
    return [(at - 1_000.0, name) for at, name in world.launcher.signals]


def test_an_end_is_on_record_with_its_code_time_output_and_result(world):
    world.add("backup", act=Act(seconds=15.25, output=b"hello", result='{"result": {"rows": 7}}'))
    run_id = world.verbs.trigger("backup")
    world.live(20)
    run = world.store.runs.find(run_id)
    assert (State.SUCCEEDED, 0, 15.25, '{"rows":7}') == (
        run.state, run.exit_code, run.duration, run.result.replace(" ", "")
    )  # fmt: skip
    assert [b"hello"] == [part.head for part in world.store.runs.output(run_id, 1)]
    assert [run_id] == world.launcher.released
    assert {} == world.engine.flights


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (3, "exit code 3"),
        (126, "exit code 126: found, but could not be started"),
        (127, "exit code 127: a command was not found"),
        (137, "exit code 137: ended by SIGKILL, or it chose this code itself"),
        (192, "exit code 192: ended by SIGRTMAX, or it chose this code itself"),
        (200, "exit code 200"),
        (None, "its processes ended without a record of an exit code"),
    ],
)
def test_a_bad_end_says_what_it_was(world, code, reason):
    world.add("backup", act=Act(code=code))
    world.verbs.trigger("backup")
    world.live(5)
    state = State.LOST if code is None else State.FAILED
    assert (state, code, reason) == (
        world.run("backup").state, world.run("backup").exit_code, world.run("backup").reason
    )  # fmt: skip


def test_a_directory_that_is_not_there_is_named(world):
    world.launcher.script["backup"] = [Act(code=126)]
    world.verbs.add(Job("backup", Shell("true"), cwd="/no/such"))
    world.verbs.trigger("backup")
    world.live(5)
    assert "exit code 126: the directory /no/such, in which it runs, is not there" == world.run("backup").reason


@pytest.mark.parametrize(
    ("left", "result", "reason"),
    [
        ('{"error": "ValueError: no"}', None, "ValueError: no"),
        ("no JSON at all", None, "exit code 1"),
        ('{"error": 5}', None, "exit code 1"),
        ('{"error": "\\udc80"}', None, "exit code 1"),
        ('{"result": "\\udc80"}', None, "exit code 1"),
        ('["a list"]', None, "exit code 1"),
        ('{"result": ' + "[" * 5_000 + "]" * 5_000 + "}", None, "exit code 1"),
        ("", None, "exit code 1"),
    ],
    ids=["an error", "nonsense", "a number", "half a letter", "half a result", "a list", "too deep", "nothing"],
)
def test_whatever_a_job_leaves_as_its_result_the_engine_settles_it(world, left, result, reason):
    world.add("backup", act=Act(code=1, result=left))
    world.verbs.trigger("backup")
    world.live(5)
    run = world.run("backup")
    assert (State.FAILED, result, reason) == (run.state, run.result, run.reason)


def test_a_note_about_a_result_that_was_not_kept_is_told():
    from rota.engine.settling import _read_result

    assert (None, "too long") == _read_result('{"note": "too long"}')
    assert ("[1]", "") == _read_result('{"result": [1]}')
    assert (None, "") == _read_result('{"result": null}')


def test_a_program_that_cannot_be_started_has_failed_with_a_shell_s_code(world):
    world.add("backup", act=Act(refuses=CannotStart(127, "no program named 'bakcup' on PATH (/bin)")))
    world.verbs.trigger("backup")
    world.live(5)
    run = world.run("backup")
    assert (State.FAILED, 127, "no program named 'bakcup' on PATH (/bin)") == (run.state, run.exit_code, run.reason)
    assert ({}, [run.id]) == (world.engine.flights, world.launcher.released)


def test_a_deadline_asks_then_kills_at_exact_times(world):
    world.add("backup", act=STUBBORN, timeout=MINUTE, kill_after=10 * SECOND)
    world.verbs.trigger("backup")
    world.live(2 * MINUTE)
    assert [(60.0, "TERM"), (70.0, "KILL")] == signals(world)
    run = world.run("backup")
    assert (State.TIMED_OUT, "timed out after 1 minute", 137, NOW + 70 * SECOND) == (
        run.state, run.reason, run.exit_code, run.ended_at
    )  # fmt: skip


def test_an_attempt_that_heeds_the_request_is_not_killed(world):
    world.add("backup", act=ENDLESS, timeout=MINUTE)
    world.verbs.trigger("backup")
    world.live(2 * MINUTE)
    assert [(60.0, "TERM")] == signals(world)
    assert (State.TIMED_OUT, 143) == (world.run("backup").state, world.run("backup").exit_code)


def test_what_an_ended_attempt_leaves_behind_has_its_grace_and_is_killed_after_it(world):
    world.add("backup", act=Act(seconds=None, leaves=99.0), timeout=MINUTE, kill_after=10 * SECOND)
    world.verbs.trigger("backup")
    world.live(65)
    assert [State.RUNNING] == world.states("backup"), "it is not over while something of it lives"
    world.live(20)
    assert ["TERM", "KILL"] == [name for _, name in signals(world)]
    assert 70.0 <= signals(world)[1][0] <= 70.2
    assert [State.TIMED_OUT] == world.states("backup")


def test_what_goes_by_itself_in_its_grace_is_not_killed(world):
    world.add("backup", act=Act(seconds=None, leaves=3.0), timeout=MINUTE)
    world.verbs.trigger("backup")
    world.live(2 * MINUTE)
    assert ["TERM"] == [name for _, name in signals(world)]
    assert [State.TIMED_OUT] == world.states("backup")


def test_an_attempt_that_ends_in_time_meets_no_deadline(world):
    world.add("backup", act=Act(seconds=59), timeout=MINUTE)
    world.verbs.trigger("backup")
    world.live(5 * MINUTE)
    assert ([], [State.SUCCEEDED]) == (signals(world), world.states("backup"))


def test_each_attempt_has_its_own_deadline(world):
    world.add("backup", act=ENDLESS, timeout=MINUTE, retries={"count": 1, "delay": MINUTE})
    world.verbs.trigger("backup")
    world.live(5 * MINUTE)
    assert [(60.0, "TERM"), (180.0, "TERM")] == signals(world)
    assert [State.TIMED_OUT] == world.states("backup")


def test_a_wall_clock_that_jumps_moves_no_deadline(world):
    world.add("backup", act=ENDLESS, timeout=MINUTE)
    world.verbs.trigger("backup")
    world.live(30)
    world.clock.jump(-HOUR)
    world.live(10)
    world.clock.jump(2 * HOUR)
    world.live(MINUTE)
    assert [(60.0, "TERM")] == signals(world)


def test_a_cancelled_run_is_asked_killed_and_not_tried_again(world):
    world.add("backup", act=STUBBORN, kill_after=5 * SECOND, retries={"count": 5})
    run_id = world.verbs.trigger("backup")
    world.live(30.5)
    world.verbs.cancel("backup", "it is in the way")
    world.live(2 * MINUTE)
    asked, killed = signals(world)
    assert ("TERM", "KILL", 5.0) == (asked[1], killed[1], killed[0] - asked[0])
    run = world.store.runs.find(run_id)
    assert (State.CANCELLED, "it is in the way", 1) == (run.state, run.reason, run.attempt)


def test_a_run_that_fails_just_after_its_cancel_is_not_tried_again(world):
    world.add("backup", act=Act(seconds=10, code=1), retries={"count": 5, "delay": SECOND})
    world.verbs.trigger("backup")
    world.live(5)
    world.clock.pass_(5)
    world.verbs.cancel("backup", "enough")
    world.live(MINUTE)
    run = world.run("backup")
    assert (State.CANCELLED, 1, 1) == (run.state, run.attempt, len(world.launcher.starts))


def test_a_pause_between_attempts_ends_when_the_run_is_cancelled(world):
    world.add("backup", act=Act(code=1), retries={"count": 5, "delay": HOUR})
    world.verbs.trigger("backup")
    world.live(MINUTE)
    assert [State.WAITING] == world.states("backup")
    world.verbs.cancel("backup")
    world.live(3 * HOUR)
    assert ([State.CANCELLED], 1) == (world.states("backup"), len(world.launcher.starts))


def test_an_engine_that_is_to_end_everything_ends_everything(world):
    world.add("one", act=ENDLESS)
    world.add("two", act=STUBBORN, kill_after=3 * SECOND)
    world.verbs.trigger("one")
    world.verbs.trigger("two")
    world.live(5)
    world.engine.planning = False
    world.engine.end_all("the engine was stopped")
    world.live(10)
    assert [State.CANCELLED] * 2 == world.states("one") + world.states("two")
    assert {"the engine was stopped"} == {world.run(name).reason for name in ("one", "two")}
    assert {} == world.engine.flights


def test_an_engine_that_stops_starts_nothing_but_settles_what_ends(world):
    world.add("backup", "1m", act=Act(seconds=30))
    world.live(MINUTE)
    assert [State.RUNNING] == world.states("backup")
    world.engine.planning = False
    world.verbs.trigger("backup")
    world.live(10 * MINUTE)
    assert [State.SUCCEEDED, State.QUEUED] == world.states("backup")
    world.engine.stopped()
    assert "engine.stopped" in [event.kind for event in world.store.ledger.events(0, 1000)]


def test_the_result_of_a_run_that_is_somebody_elses_by_now_is_dropped(world):
    world.add("backup", act=Act(seconds=10))
    run_id = world.verbs.trigger("backup")
    world.live(5)
    with world.store.transaction():
        world.store.runs.give_back_if_running(run_id, 1, "home", NOW, "another host took it")
        world.store.runs.claim_ready("host-two", "boot", NOW, ["x/1"], None)
    world.live(10)
    run = world.store.runs.find(run_id)
    assert (State.RUNNING, "host-two") == (run.state, run.host)
    assert "attempt 1 ended, but the run is somebody else's by now; its result is dropped" in world.log.texts("WARNING")
    assert ([], {}) == (world.store.runs.output(run_id, 1), world.engine.flights)


def test_the_log_tells_each_end_in_the_form_that_scripts_rely_on(world):
    world.add("good", act=Act(seconds=15.2))
    world.add("bad", act=Act(seconds=2, code=3))
    world.add("again", act=[Act(seconds=2, code=3), Act()], retries={"count": 1, "delay": 10 * SECOND})
    world.add("slow", act=ENDLESS, timeout=20 * SECOND)
    world.add("gone", act=Act(code=None))
    world.add("missing", act=Act(refuses=CannotStart(127, "no program named 'x' on PATH")))
    world.add("raised", act=Act(code=1, result='{"error": "ValueError: no"}'))
    names = ("good", "bad", "again", "slow", "gone", "missing", "raised")
    runs = {name: world.verbs.trigger(name) for name in names}
    world.boot(capacity=9)
    world.live(MINUTE)
    for wanted in [
        ("INFO", "completed in 15.2s (exit code: 0)", "good"),
        ("ERROR", "failed after 2.0s (exit code: 3)", "bad"),
        ("ERROR", "failed after 2.0s (exit code: 3); attempt 2 in 10.0s", "again"),
        ("ERROR", "failed after 0.0s (exit code: 127): no program named 'x' on PATH", "missing"),
        ("ERROR", "failed after 1.0s (exit code: 1): ValueError: no", "raised"),
        ("WARNING", "timed out after 20 seconds; SIGTERM to 1 process, SIGKILL in 10s", "slow"),
        ("ERROR", "timed out after 20 seconds", "slow"),
        ("ERROR", "its processes ended without a record of an exit code", "gone"),
    ]:
        assert (*wanted, runs[wanted[2]]) in world.log.lines


def test_settings_have_defaults_that_fit_the_machine():
    assert EngineSettings().capacity >= 4
    assert EngineSettings().max_running is None

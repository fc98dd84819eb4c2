"""A starting engine meets what its predecessor left, and concludes from the evidence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.engine.copies import disown
from rota.model.run import State
from rota.plan.adopt import Evidence

from .conftest import HOST
from .machine import NOW, Act

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def evidence(*, same_boot=True, shim=None, others=False, started=True, exit_code=None, ended_at=None):
    return Evidence(same_boot, shim, others or shim is not None, started, exit_code, ended_at)


def left_running(world, what, *, away=5 * MINUTE, **policy):
    """Start a run, end the engine as a kill does, and start the next one with this evidence."""
    policy.setdefault("act", Act(seconds=None))
    world.add("backup", **policy)
    run_id = world.verbs.trigger("backup")
    world.live(1)
    assert [State.RUNNING] == world.states("backup")
    world.crash()
    world.sleep_without_engine(away)
    world.launcher.known[run_id] = what
    world.boot()
    return run_id


def test_a_known_exit_is_the_run_s_end_at_the_time_it_was(world):
    run_id = left_running(world, evidence(exit_code=7, ended_at=NOW + MINUTE))
    world.live(1)
    run = world.store.runs.find(run_id)
    assert (State.FAILED, 7, NOW + MINUTE, 1) == (run.state, run.exit_code, run.ended_at, run.attempt)
    assert [run_id] == world.launcher.released
    assert 1 == len(world.launcher.starts)


def test_a_known_exit_of_unknown_time_ended_now(world):
    run_id = left_running(world, evidence(exit_code=0))
    world.live(1)
    assert (State.SUCCEEDED, NOW + 5 * MINUTE + SECOND) == (
        world.store.runs.find(run_id).state, world.store.runs.find(run_id).ended_at
    )  # fmt: skip


def test_a_run_that_goes_on_is_watched_to_its_end(world):
    run_id = left_running(world, evidence(shim=42), act=[Act(seconds=MINUTE.total_seconds(), output=b"all of it")])
    world.live(30)
    assert [State.RUNNING] == world.states("backup")
    world.live(MINUTE)
    assert [State.SUCCEEDED] == world.states("backup")
    assert b"all of it" == world.store.runs.output(run_id, 1)[0].head
    assert ("INFO", "adopted: attempt 1 is still running", "backup", run_id) in world.log.lines


def test_an_adopted_run_keeps_its_place_its_slot_and_its_overlap_rule(world):
    run_id = left_running(world, evidence(shim=42))
    waiting = world.verbs.trigger("backup")
    world.live(MINUTE)
    assert (State.RUNNING, State.QUEUED) == (world.store.runs.find(run_id).state, world.store.runs.find(waiting).state)


@pytest.mark.parametrize(("away", "first"), [(MINUTE, 239.0), (HOUR, 0.0)])
def test_an_adopted_run_keeps_its_deadline(world, away, first):
    left_running(world, evidence(shim=42), timeout=5 * MINUTE, away=away)
    start = world.clock.monotonic()
    world.live(10 * MINUTE)
    ((at, name),) = world.launcher.signals
    assert ("TERM", first) == (name, at - start)
    assert [State.TIMED_OUT] == world.states("backup")


def test_a_clock_that_went_back_makes_no_deadline_longer_than_it_was_meant(world):
    world.add("backup", act=Act(seconds=None), timeout=5 * MINUTE)
    run_id = world.verbs.trigger("backup")
    world.live(1)
    world.crash()
    world.clock.jump(-2 * HOUR)
    world.launcher.known[run_id] = evidence(shim=42)
    world.boot()
    start = world.clock.monotonic()
    world.live(10 * MINUTE)
    assert [(300.0, "TERM")] == [(at - start, name) for at, name in world.launcher.signals]


def test_processes_without_their_shim_are_watched_until_they_end_and_then_it_is_lost(world):
    act = Act(seconds=30, code=None)
    run_id = left_running(world, evidence(others=True), act=[act])
    world.live(20)
    assert [State.RUNNING] == world.states("backup")
    world.live(20)
    run = world.store.runs.find(run_id)
    assert (State.LOST, "its processes ended without a record of an exit code") == (run.state, run.reason)


def test_a_claim_that_never_started_is_given_back_and_does_not_count(world):
    run_id = left_running(world, evidence(started=False), act=[Act(seconds=None), Act(seconds=5)])
    world.live(20)
    run = world.store.runs.find(run_id)
    assert (State.SUCCEEDED, 1) == (run.state, run.attempt)
    text = "not started before the engine ended; queued again: the engine ended before the command was started"
    assert ("INFO", text, "backup", run_id) in world.log.lines


def test_a_claim_that_never_started_and_was_cancelled_is_not_started(world):
    world.add("backup", act=Act(seconds=None))
    run_id = world.verbs.trigger("backup")
    world.live(1)
    world.crash()
    world.verbs.cancel("backup", "no longer")
    world.launcher.known[run_id] = evidence(started=False)
    world.boot()
    world.live(MINUTE)
    run = world.store.runs.find(run_id)
    assert (State.CANCELLED, "no longer", 1) == (run.state, run.reason, len(world.launcher.starts))


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (evidence(), "its processes ended without a record of an exit code"),
        (evidence(same_boot=False), "the machine, or its container, restarted while it ran"),
        (evidence(same_boot=False, started=False), "the machine, or its container, restarted while it ran"),
    ],
)
def test_a_run_of_which_nothing_is_known_is_lost_and_says_why(world, what, why):
    run_id = left_running(world, what)
    world.live(1)
    run = world.store.runs.find(run_id)
    assert (State.LOST, why, None) == (run.state, run.reason, run.exit_code)


def test_a_lost_attempt_counts_so_a_job_that_kills_its_host_is_not_tried_for_ever(world):
    world.add("deadly", act=Act(seconds=None), retries={"count": 2, "delay": SECOND})
    run_id = world.verbs.trigger("deadly")
    for _ in range(5):
        world.live(10)
        world.crash()
        world.launcher.known[run_id] = evidence(same_boot=False)
        world.boot()
    world.live(10)
    run = world.store.runs.find(run_id)
    assert (State.LOST, 3, 3) == (run.state, run.attempt, len(world.launcher.starts))


def test_a_cancel_that_was_asked_for_while_no_engine_ran_is_carried_out(world):
    world.add("backup", act=Act(seconds=None))
    run_id = world.verbs.trigger("backup")
    world.live(1)
    world.crash()
    world.verbs.cancel("backup", "by hand")
    world.launcher.known[run_id] = evidence(shim=42)
    world.boot()
    world.live(5)
    assert (State.CANCELLED, "by hand") == (world.store.runs.find(run_id).state, world.store.runs.find(run_id).reason)


def test_an_end_that_the_predecessor_brought_about_is_told_as_such(world):
    at = NOW + 5 * MINUTE + SECOND
    run_id = left_running(world, evidence(exit_code=143, ended_at=at), timeout=5 * MINUTE, away=10 * MINUTE)
    world.live(1)
    assert (State.TIMED_OUT, 143) == (world.store.runs.find(run_id).state, world.store.runs.find(run_id).exit_code)


def test_a_success_just_after_the_deadline_is_a_success(world):
    run_id = left_running(world, evidence(exit_code=0, ended_at=NOW + 6 * MINUTE), timeout=5 * MINUTE, away=10 * MINUTE)
    world.live(1)
    assert State.SUCCEEDED is world.store.runs.find(run_id).state


def test_files_are_swept_only_when_the_take_over_is_on_disk(world):
    from rota.errors import StoreBusy

    world.live(1)
    swept = world.launcher.swept
    world.crash()
    world.store.fail = lambda _at: StoreBusy("locked")
    world.boot()
    world.live(3)
    assert swept == world.launcher.swept
    world.store.fail = lambda _at: None
    world.live(3)
    assert swept + 1 == world.launcher.swept


def test_a_claim_that_was_committed_without_an_answer_is_queued_again_and_runs_once(world):
    from rota.errors import StoreUnavailable

    world.live(1)
    world.add("backup", act=Act(seconds=1))
    run_id = world.verbs.trigger("backup")
    lost = world.store.transactions + 1
    world.store.unanswered = lambda number: StoreUnavailable("it went away") if number == lost else None
    world.live(10)
    run = world.store.runs.find(run_id)
    assert (State.SUCCEEDED, 1) == (run.state, run.attempt)
    kinds = [event.kind for event in world.store.ledger.events(0, 100) if event.run_id == run_id]
    assert ["run.queued", "run.running", "run.queued", "run.running", "run.succeeded"] == kinds
    assert any("queued again: the store went away while it was claimed" in text for text in world.log.texts("WARNING"))


def test_an_end_that_was_committed_without_an_answer_is_not_undone(world):
    from rota.errors import StoreUnavailable

    world.live(1)
    world.add("backup", act=Act(seconds=1))
    run_id = world.verbs.trigger("backup")
    lost = world.store.transactions + 2
    world.store.unanswered = lambda number: StoreUnavailable("it went away") if number == lost else None
    world.live(10)
    run = world.store.runs.find(run_id)
    assert (State.SUCCEEDED, 1) == (run.state, run.attempt)
    assert 1 == [event.kind for event in world.store.ledger.events(0, 100)].count("run.succeeded")


def test_a_start_tells_whether_the_one_before_it_stopped_in_order(world):
    world.live(1)
    world.boot()
    world.live(1)
    kinds = [event.kind for event in world.store.ledger.events(0, 100)]
    assert 1 == kinds.count("engine.died")
    world.engine.stopped()
    world.boot()
    world.live(1)
    kinds = [event.kind for event in world.store.ledger.events(0, 100)]
    assert (3, 1, 1) == tuple(kinds.count(kind) for kind in ("engine.started", "engine.died", "engine.stopped"))


def test_a_start_repairs_runs_that_are_held_beside_a_free_place(world):
    world.add("backup")
    world.verbs.trigger("backup")
    world.store.database = world.store._db
    world.store.database._connection.execute("UPDATE run SET held = 1")
    world.boot()
    world.live(5)
    assert [State.SUCCEEDED] == world.states("backup")


def test_an_engine_that_cannot_see_what_still_runs_does_not_start(world):
    from rota.errors import Conflict

    world.add("backup", act=Act(seconds=None))
    run_id = world.verbs.trigger("backup")
    world.live(1)
    world.crash()
    world.launcher.hidden = {run_id}
    with pytest.raises(Conflict, match="backup: still running in another container"):
        world.boot()
    assert [State.RUNNING] == world.states("backup")


def test_a_copy_lets_go_of_what_runs_and_tries_nothing_again(world):
    world.add("backup", "10m after", act=Act(seconds=None), retries={"count": 3})
    world.live(11 * MINUTE)
    (run_id,) = world.launcher.processes
    world.crash()
    with world.store.transaction():
        disown(world.store, HOST, "/the/original", world.clock.now(), world.log)
    run = world.store.runs.find(run_id)
    reason = "this home is a copy of /the/original; its runs belong to the original"
    assert (State.LOST, reason, 1) == (run.state, run.reason, run.attempt)
    assert ("home.copied", {"original": "/the/original", "lost": "1"}) in [
        (event.kind, event.data) for event in world.store.ledger.events(0, 1000)
    ]
    world.boot()
    world.live(MINUTE)
    assert ([], [State.LOST]) == (world.launcher.signals, world.states("backup"))
    world.live(10 * MINUTE)
    assert [State.LOST, State.RUNNING] == world.states("backup"), "its schedule goes on from that end"

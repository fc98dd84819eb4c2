"""`kill -9` of the engine at any moment: what lives is adopted, what had not begun begins, nothing happens twice."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from itertools import pairwise
from signal import SIGKILL

import pytest

from rota.engine.crashpoints import POINTS
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import State

from .harness import Home, alive, every, wait_for

MARK = "echo $ROTA_RUN_ID/$ROTA_ATTEMPT >> marks"
SECOND = timedelta(seconds=1)


def test_a_run_outlives_its_killed_engine_and_keeps_its_exit_code_and_every_line(home: Home):
    first = home.start_engine()
    run = home.trigger("backup", command="echo begun | tee begun; sleep 1; echo done; echo woe >&2; exit 7")
    home.wait_for_mark("begun")

    first.kill(SIGKILL)
    home.start_engine()

    assert home.wait_for_end(run).exit_code == 7
    assert home.attempts(run) == 1
    assert home.output(run) == b"begun\ndone\n"
    assert home.output(run, "stderr") == b"woe\n"


def test_a_run_that_ended_while_no_engine_ran_keeps_its_exit_code_and_the_time_of_its_end(home: Home):
    first = home.start_engine()
    run = home.trigger("backup", command="echo begun > begun; sleep 0.5; echo bye; exit 9")
    home.wait_for_mark("begun")

    first.kill()
    wait_for(lambda: not home.pids(run), "it has ended by itself")
    ended = home.client.clock.now()
    wait_for(lambda: home.client.clock.now() - ended > 1.2 * SECOND, "time has passed")
    home.start_engine()

    found = home.wait_for_end(run)
    assert (found.state, found.exit_code, home.output(run)) == (State.FAILED, 9, b"bye\n")
    assert abs(found.ended_at - ended) < 1.1 * SECOND


@pytest.mark.parametrize("point", [point for point in POINTS if "adopt" not in point and "mid-" not in point])
@pytest.mark.parametrize("nth", [1, 3])
def test_killed_between_any_two_steps_every_run_is_started_once(home: Home, point: str, nth: int):
    for number in range(4):
        home.add(f"job{number}", f"{MARK}; exit {number}")
    wanted = {home.verbs.trigger(f"job{number}"): number for number in range(4)}

    # Claims and settlements are batched, so some points are reached once for all four.
    once = point in ("before-claim-commit", "after-claim-commit", "before-settle-commit")
    home.start_and_crash(point if once else f"{point}:{nth}")
    home.start_engine()

    found = {run: home.wait_for_end(run).exit_code for run in wanted}
    assert found == wanted
    assert sorted(home.marks()) == sorted(f"{run}/1" for run in wanted)


@pytest.mark.parametrize("point", [point for point in POINTS if "adopt" in point])
def test_an_engine_killed_while_it_adopts_leaves_the_next_one_the_same_evidence(home: Home, point: str):
    lives = home.trigger("lives", command=f"{MARK}; echo begun > begun; sleep 1; exit 3")
    first = home.start_engine()
    home.wait_for_mark("begun")
    first.kill()
    unstarted = [home.trigger(f"later{number}", command=f"{MARK}; exit 4") for number in range(3)]
    home.start_and_crash("after-claim-commit")

    home.start_and_crash(point)
    home.start_engine()

    assert home.wait_for_end(lives).exit_code == 3
    assert [home.wait_for_end(run).exit_code for run in unstarted] == [4, 4, 4]
    assert sorted(home.marks()) == sorted(f"{run}/1" for run in [lives, *unstarted])


def test_an_engine_killed_in_the_middle_of_planning_plans_each_slot_once(home: Home):
    for number in range(4):
        home.add(f"job{number}", MARK, every("0.5s"))

    home.start_and_crash("mid-plan:3")
    home.start_engine()
    wait_for(lambda: len(home.marks()) >= 8, "two rounds have run")

    runs = [run for number in range(4) for run in home.runs(f"job{number}")]
    assert len({(run.job, run.slot) for run in runs}) == len(runs)
    assert len(set(home.marks())) == len(home.marks())


def test_a_claim_that_was_never_started_is_queued_again_and_runs_once(home: Home):
    run = home.trigger("backup", command=f"{MARK}; exit 5")

    home.start_and_crash("after-claim-commit")
    assert home.run(run).state is State.RUNNING
    home.start_engine()

    assert (home.wait_for_end(run).exit_code, home.attempts(run)) == (5, 1)
    assert home.marks() == [f"{run}/1"]
    assert "queued again" in home.log


def test_a_cancel_asked_while_no_engine_runs_takes_effect_at_the_next_start(home: Home):
    first = home.start_engine()
    lives = home.trigger("lives", command="sleep 60")
    home.wait_until_running(lives)
    first.kill()
    unstarted = home.trigger("later", command=MARK)
    home.start_and_crash("after-claim-commit")
    queued = home.trigger("queued", command=MARK)

    for run in (lives, unstarted, queued):
        home.verbs.cancel(run)
    home.start_engine()

    assert [home.wait_for_end(run).state for run in (lives, unstarted, queued)] == [State.CANCELLED] * 3
    assert home.marks() == []
    assert home.pids(lives) == []


def test_the_deadline_of_an_adopted_run_still_holds(home: Home):
    first = home.start_engine()
    run = home.trigger("slow", command="echo begun > begun; sleep 60", policy=Policy(timeout=1.5 * SECOND))
    home.wait_for_mark("begun")
    first.kill()
    home.start_engine()

    found = home.wait_for_end(run)
    assert found.state is State.TIMED_OUT
    assert 1.5 <= found.duration < 2.5
    assert home.pids(run) == []


def test_a_deadline_that_passed_while_no_engine_ran_is_enforced_at_the_start(home: Home):
    first = home.start_engine()
    run = home.trigger("slow", command="echo begun > begun; sleep 60", policy=Policy(timeout=1 * SECOND))
    home.wait_for_mark("begun")
    first.kill()
    wait_for(lambda: home.client.clock.now() - home.run(run).started_at > 1.5 * SECOND, "the deadline is over")
    assert home.pids(run)
    home.start_engine()

    assert home.wait_for_end(run, 3).state is State.TIMED_OUT
    assert home.pids(run) == []


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE, Overlap.REPLACE])
def test_the_overlap_rule_holds_over_an_adoption(home: Home, overlap: Overlap):
    first = home.start_engine()
    home.add("slow", "echo $ROTA_RUN_ID + >> marks; sleep 0.8; echo $ROTA_RUN_ID - >> marks", every("0.5s"),
             policy=Policy(overlap=overlap))  # fmt: skip
    wait_for(home.marks, "the first run has begun")
    first.kill()
    home.start_engine()
    home.wait_for_end(home.runs("slow")[0].id)
    wait_for(lambda: len(home.runs("slow")) >= 2, "another run was made")

    runs = sorted((run for run in home.runs("slow") if run.started_at), key=lambda run: run.started_at)
    together = [(a.id, b.id) for a, b in pairwise(runs) if not a.ended_at or a.ended_at > b.started_at]
    assert together == []


def test_retries_and_their_pauses_survive_the_kill(home: Home):
    retries = Retries(count=2, delay=timedelta(seconds=0.8), backoff=1, jitter=0)
    run = home.trigger("flaky", command=f"{MARK}; [ $ROTA_ATTEMPT = 3 ]", policy=Policy(retries=retries))
    first = home.start_engine()
    wait_for(lambda: home.run(run).state is State.WAITING, "it waits for its second attempt")
    first.kill()
    home.start_and_crash("after-spawn")
    home.start_engine()

    assert (home.wait_for_end(run).state, home.attempts(run)) == (State.SUCCEEDED, 3)
    assert home.marks() == [f"{run}/{attempt}" for attempt in (1, 2, 3)]
    ended = [attempt.ended_at for attempt in home.store.runs.attempts(run)]
    assert home.run(run).started_at - ended[1] >= 0.8 * SECOND


def test_a_killed_shim_whose_command_lives_on_is_neither_settled_nor_tried_again_until_that_ends(home: Home):
    home.start_engine()
    retry = Policy(retries=Retries(count=1, delay=timedelta(0)))
    run = home.trigger("lives", command=f"{MARK}; sleep 0.8; echo end >> marks", policy=retry)
    wait_for(home.marks, "it runs")
    _kill(home.shim(run))

    wait_for(lambda: len(home.marks()) >= 2, "the command has ended by itself")
    assert home.wait_for_end(run).state is State.SUCCEEDED
    assert home.marks() == [f"{run}/1", "end", f"{run}/2", "end"]
    assert home.store.runs.attempts(run)[0].state is State.LOST


@pytest.mark.parametrize(
    "command", ["sleep 0.6", "exec env -i sleep 0.6"], ids=["marked", "with a cleared environment"]
)
def test_with_shim_and_engine_both_killed_the_command_is_still_waited_for(home: Home, command: str):
    first = home.start_engine()
    retry = Policy(retries=Retries(count=1, delay=timedelta(0)))
    run = home.trigger("lives", command=f"{MARK}; echo $$ > pid; {command}", policy=retry)
    pid = int(home.wait_for_mark("pid"))
    shim = home.shim(run)
    first.kill()
    _kill(shim)
    home.start_engine()

    while alive(pid):
        assert (home.run(run).state, home.attempts(run)) == (State.RUNNING, 1)
        time.sleep(0.05)
    assert home.wait_for_end(run).attempt == 2
    assert home.marks() == [f"{run}/1", f"{run}/2"]


def test_with_the_spool_deleted_meanwhile_a_run_is_lost_and_not_run_twice(home: Home):
    first = home.start_engine()
    run = home.trigger("backup", command=f"{MARK}; sleep 0.3")
    wait_for(home.marks, "it runs")
    first.kill()
    wait_for(lambda: not home.pids(run), "it has ended")
    shutil.rmtree(home.path / "spool")
    home.start_engine()

    assert home.wait_for_end(run).state is State.LOST
    assert home.marks() == [f"{run}/1"]
    assert home.wait_for_end(home.trigger("next", command="true")).exit_code == 0


def _kill(pid: int) -> None:
    import os

    os.kill(pid, SIGKILL)
    wait_for(lambda: not alive(pid), f"{pid} is gone")

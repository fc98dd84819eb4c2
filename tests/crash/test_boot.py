"""Jobs that are to run when the machine has started: once for each start, wherever the engine is killed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.control.why import Why
from rota.engine.crashpoints import POINTS
from rota.model.job import ScheduleSpec
from rota.model.ledger import SkipCode
from rota.model.policy import Policy
from rota.model.run import FINAL, State

from .harness import Home, require, wait_for
from .test_clock import reboot
from .test_stop import can_unshare, in_a_namespace

MARK = "echo $ROTA_JOB/$ROTA_ATTEMPT >> marks"
BOOT = ScheduleSpec("at", "boot")
ALWAYS = Policy(grace=timedelta(days=3650))
"""The machine that the tests run on may have started long ago."""
MINUTE = timedelta(minutes=1)
NAMES = ("one", "three", "two")
REACHED = [point for point in POINTS if point != "mid-plan"]


def add_three(home: Home) -> None:
    for name in NAMES:
        home.add(name, MARK, BOOT, policy=ALWAYS)


def wait_for_runs(home: Home, starts: int = 1) -> None:
    wait_for(lambda: all(len(home.runs(name)) >= starts for name in NAMES), f"each has {starts} runs")
    wait_for(lambda: all(run.state in FINAL for name in NAMES for run in home.runs(name)), "all have ended")


def skips(home: Home, name: str) -> list[tuple[SkipCode, int]]:
    stored = home.store.jobs.get(name)
    found = home.store.ledger.page(stored.id, stored.created_at - timedelta(days=9999), None, 100)
    return [(record.skip.code, record.skip.count) for record in found]


def start_machine_anew(home: Home, number: int) -> None:
    """Do what a reboot does; the clock goes on, so that this start is another instant than the one before."""
    reboot(home)
    home.move_clock(number * MINUTE)


def test_a_boot_job_runs_once_for_each_start_of_the_machine_and_not_when_only_the_engine_starts_again(home: Home):
    add_three(home)
    for starts in (1, 2, 3):
        start_machine_anew(home, starts)
        home.start_engine().kill()
        home.start_engine().kill()
        home.start_engine()
        wait_for_runs(home, starts)

    assert sorted(home.marks()) == sorted(f"{name}/1" for name in NAMES for _ in range(3))
    assert all(len({run.slot for run in home.runs(name)}) == 3 for name in NAMES)


@pytest.mark.parametrize(
    ("point", "nth"),
    [(point, 1) for point in REACHED] + [("mid-boot", 2), ("mid-boot", 3), ("after-spawn", 2), ("after-spawn", 3)],
)
def test_an_engine_killed_at_any_point_of_its_start_neither_loses_nor_doubles_a_boot_job(
    home: Home, point: str, nth: int
):
    add_three(home)
    home.start_engine()
    wait_for_runs(home)
    start_machine_anew(home, 1)

    home.start_and_crash(f"{point}:{nth}")
    home.start_engine()
    wait_for_runs(home, 2)
    home.engines[-1].kill()
    home.start_engine()
    home.wait_for_end(home.trigger("other", command="true"))

    assert sorted(home.marks()) == sorted(f"{name}/1" for name in NAMES for _ in range(2))
    assert [skips(home, name) for name in NAMES] == [[], [], []]


def test_a_boot_job_that_was_running_when_the_machine_went_down_is_lost_and_runs_again(home: Home):
    home.add("agent", f"{MARK}; sleep 60", BOOT, policy=ALWAYS)
    home.start_engine()
    wait_for(lambda: len(home.marks()) == 1, "it runs")
    start_machine_anew(home, 1)
    home.start_engine()
    wait_for(lambda: len(home.marks()) == 2, "it runs again")

    assert [run.state for run in home.runs("agent")] == [State.LOST, State.RUNNING]


def test_a_paused_boot_job_has_a_skip_in_the_ledger(home: Home):
    home.add("agent", MARK, BOOT, policy=ALWAYS)
    home.verbs.pause("agent")
    home.start_engine()
    wait_for(lambda: skips(home, "agent"), "it was decided on")
    home.verbs.resume("agent")
    home.wait_for_end(home.trigger("other", command="true"))

    assert skips(home, "agent") == [(SkipCode.PAUSED, 1)]
    assert home.marks() == []


def test_a_start_beyond_grace_is_a_skip_that_why_explains(home: Home):
    home.move_clock(timedelta(days=-9999))
    home.add("agent", MARK, BOOT, policy=Policy(grace=timedelta(0)))
    home.move_clock(timedelta(0))
    home.start_engine()
    wait_for(lambda: skips(home, "agent"), "it was decided on")

    (record,) = home.store.ledger.page(None, home.client.clock.now() - timedelta(days=9999), None, 10)
    why = Why(home.store, home.client.clock, str, home.client.engine_pid)
    told = why.slot(home.store.jobs.get("agent"), record.skip.first_slot, exact=True)
    assert f"the machine started at {record.skip.first_slot:%Y-%m-%d %H:%M:%S} UTC, more than" in told.sentences[0]
    assert home.marks() == []


def test_a_container_that_is_started_anew_is_a_machine_that_starts(home: Home):
    require("root and unshare(1), to make a pid namespace", there=can_unshare())
    home.add("agent", MARK, BOOT)
    for starts in (1, 2, 3):
        engine = home.start_engine(prefix=in_a_namespace())
        wait_for(lambda starts=starts: len(home.marks()) == starts, "it has run")
        wait_for(lambda: all(run.state in FINAL for run in home.runs("agent")), "it has ended")
        engine.kill()
        wait_for(lambda: not home.pids(), "the container is gone")

    assert [run.state for run in home.runs("agent")] == [State.SUCCEEDED] * 3
    assert skips(home, "agent") == []

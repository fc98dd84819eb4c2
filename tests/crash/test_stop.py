"""Stopping: what runs is left, waited for or ended, as asked; a second signal ends it; process 1 has its own duties."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from signal import SIGHUP, SIGINT, SIGTERM
from subprocess import run as run_command

import pytest

from rota.engine.settings import OnStop
from rota.model.policy import Policy
from rota.model.run import State
from rota.wiring.homes import can_be_signalled

from .harness import Home, alive, require, wait_for

NOTHING = timedelta(0)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_asked_to_stop_the_engine_leaves_what_runs_names_it_and_the_next_adopts_it(home: Home, number):
    engine = home.start_engine(stop_grace=NOTHING)
    run = home.trigger("long", command="echo begun > begun; sleep 0.7; exit 3")
    home.wait_for_mark("begun")
    engine.kill(number)

    assert engine.wait() == 0
    assert f"left running, to be adopted by the next engine: long ({run})" in home.log
    assert home.run(run).state is State.RUNNING
    assert home.client.engine_pid() is None
    home.start_engine()
    assert home.wait_for_end(run).exit_code == 3


def test_what_ends_within_the_grace_is_settled_and_nothing_new_is_started(home: Home):
    engine = home.start_engine(stop_grace=timedelta(seconds=8), capacity=1)
    run = home.trigger("short", command="echo begun > begun; sleep 1; exit 3")
    home.wait_for_mark("begun")
    later = home.trigger("later", command="true")
    engine.kill(SIGTERM)

    assert engine.wait() == 0
    assert home.run(run).exit_code == 3
    assert home.run(later).state is State.QUEUED


def test_asked_to_wait_the_engine_ends_with_the_last_run(home: Home):
    engine = home.start_engine(on_stop=OnStop.WAIT)
    run = home.trigger("long", command="echo begun > begun; sleep 1; exit 3")
    home.wait_for_mark("begun")
    engine.kill(SIGTERM)

    assert engine.wait() == 0
    assert home.run(run).exit_code == 3


def test_asked_to_kill_the_engine_ends_everything_before_it_ends(home: Home):
    engine = home.start_engine(on_stop=OnStop.KILL)
    soft = home.trigger("soft", command="echo begun > soft; sleep 60")
    hard = home.trigger("hard", command="trap : TERM; echo begun > hard; while :; do sleep 60; done",
                        policy=Policy(kill_after=timedelta(seconds=1)))  # fmt: skip
    home.wait_for_mark("soft")
    home.wait_for_mark("hard")
    engine.kill(SIGTERM)

    assert engine.wait() == 0
    assert [home.run(run).state for run in (soft, hard)] == [State.CANCELLED] * 2
    assert home.run(soft).reason == "the engine was stopped"
    assert home.pids() == []


@pytest.mark.parametrize("on_stop", [OnStop.LEAVE, OnStop.WAIT])
def test_a_second_signal_ends_what_runs(home: Home, on_stop: OnStop):
    engine = home.start_engine(on_stop=on_stop, stop_grace=timedelta(seconds=60))
    run = home.trigger("long", command="echo begun > begun; sleep 60")
    home.wait_for_mark("begun")
    engine.kill(SIGINT)
    wait_for(lambda: "stopping" in home.log, "it has heard")
    engine.kill(SIGINT)

    assert engine.wait(5) == 0
    assert home.run(run).state is State.CANCELLED
    assert home.pids() == []


def test_an_idle_engine_stops_at_once_and_leaves_no_file_of_its_own(home: Home):
    engine = home.start_engine()
    home.wait_for_end(home.trigger("one", command="echo 1"))
    engine.kill(SIGTERM)

    assert engine.wait(2) == 0
    left = [path.name for path in (home.path / "spool").iterdir() if not path.name.startswith("journal-")]
    assert left == []
    assert not (home.path / "poke.sock").exists()
    assert home.events("engine.stopped") == 1


def test_a_hangup_does_not_end_the_engine(home: Home):
    engine = home.start_engine()
    engine.kill(SIGHUP)
    wait_for(lambda: "SIGHUP" in home.log, "it has heard")
    assert home.wait_for_end(home.trigger("one", command="true")).exit_code == 0
    assert alive(engine.pid)


def in_a_namespace() -> tuple[str, ...]:
    return ("unshare", "-p", "-f", "--mount-proc", "--kill-child")


def can_unshare() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return run_command([*in_a_namespace(), "true"], capture_output=True).returncode == 0


def test_as_process_1_the_engine_collects_strangers_and_loses_no_exit_code_of_its_own(home: Home):
    require("root and unshare(1), to make a pid namespace", there=can_unshare())
    home.start_engine(prefix=in_a_namespace(), capacity=8)
    # Each leaves orphans that become children of process 1 and end at the same time as jobs do.
    for number in range(20):
        home.add(
            f"job{number}", f"for n in 1 2 3 4 5; do setsid sh -c 'sleep 0.1; exit 77' & done; sleep 0.1; exit {number}"
        )
    wanted = {home.verbs.trigger(f"job{number}"): number for number in range(20)}

    assert {run: home.wait_for_end(run).exit_code for run in wanted} == wanted
    zombies = home.trigger("zombies", command="sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l")
    home.wait_for_end(zombies)
    assert home.output(zombies).strip() == b"0"


def test_as_process_1_the_engine_ends_its_jobs_when_it_is_stopped(home: Home):
    require("root and unshare(1), to make a pid namespace", there=can_unshare())
    engine = home.start_engine(prefix=in_a_namespace())
    run = home.trigger("long", command="setsid sleep 60 & echo begun > begun; sleep 60")
    home.wait_for_mark("begun")
    # unshare itself is our child; process 1 of the namespace is its own.
    inner = run_command(["pgrep", "-P", str(engine.pid)], capture_output=True, check=True).stdout
    os.kill(int(inner), SIGTERM)

    assert engine.wait() == 0
    assert home.run(run).state is State.CANCELLED
    assert home.pids() == []


def test_when_process_1_is_killed_its_runs_are_lost_as_by_a_reboot(home: Home):
    require("root and unshare(1), to make a pid namespace", there=can_unshare())
    engine = home.start_engine(prefix=in_a_namespace())
    run = home.trigger("long", command="echo begun > begun; sleep 60")
    home.wait_for_mark("begun")
    engine.kill()
    wait_for(lambda: not home.pids(), "the namespace is gone")
    home.start_engine(prefix=in_a_namespace())

    assert home.wait_for_end(run).state is State.LOST


def test_the_pid_of_an_engine_in_another_container_is_nobody_to_kill_here(home: Home):
    require("root and unshare(1), to make a pid namespace", there=can_unshare())
    home.start_engine(prefix=in_a_namespace())
    assert home.client.engine_pid() == 1
    assert not can_be_signalled(str(home.path), 1)

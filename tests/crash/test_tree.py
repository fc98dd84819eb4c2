"""Ending an attempt ends everything that it started, and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import timedelta
from signal import SIGTERM

import pytest

from rota.model.policy import Policy
from rota.model.run import State
from rota.process.identity import mark_in

from .harness import Home, alive, every, require, wait_for

SECOND = timedelta(seconds=1)
TIMEOUT = Policy(timeout=0.8 * SECOND, kill_after=0.5 * SECOND)
AS_DAEMON = """python3 -c '
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
open("pid", "w").write(str(os.getpid()))
time.sleep(60)
'"""
CHILDREN = {
    "a child": "sleep 60 & echo $! > pid; wait",
    "a child in a session of its own": "setsid sh -c 'echo $$ > pid; exec sleep 60' & sleep 60",
    "a daemon that forked twice": f"{AS_DAEMON}; sleep 60",
    "a child without an environment": "env -i /bin/sh -c 'echo $$ > pid; exec sleep 60' & sleep 60",
    "a child that ignores SIGTERM": "sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 60; done' & sleep 60",
    "a child that was stopped": "sh -c 'echo $$ > pid; kill -STOP $$' & sleep 60",
}


@pytest.mark.parametrize("kind", CHILDREN)
@pytest.mark.parametrize("adopted", [False, True], ids=["its own engine", "the next engine"])
def test_a_timeout_ends_the_whole_tree(home: Home, kind: str, adopted: bool):
    engine = home.start_engine()
    run = home.trigger("tree", command=CHILDREN[kind], policy=TIMEOUT)
    pid = int(home.wait_for_mark("pid"))
    if adopted:
        engine.kill()
        home.start_engine()

    assert home.wait_for_end(run).state is State.TIMED_OUT
    assert not alive(pid)
    assert home.pids(run) == []


def test_a_trap_of_sigterm_runs_and_its_exit_code_and_words_are_kept(home: Home):
    home.start_engine()
    line = "trap 'echo tidied; exit 5' TERM; echo begun > begun; while :; do sleep 0.1; done"
    run = home.trigger("polite", command=line)
    home.wait_for_mark("begun")
    home.verbs.cancel(run)

    found = home.wait_for_end(run)
    assert (found.state, found.exit_code) == (State.CANCELLED, 5)
    assert home.output(run) == b"tidied\n"


def test_a_command_that_ends_within_its_grace_is_not_killed(home: Home):
    home.start_engine()
    line = "trap 'sleep 1; echo tidied > tidied; exit 0' TERM; echo begun > begun; while :; do sleep 0.1; done"
    run = home.trigger("slow to end", command=line, policy=Policy(kill_after=5 * SECOND))
    home.wait_for_mark("begun")
    home.verbs.cancel(run)
    # The trap's own `sleep` is asked to end as well: SIGTERM goes to everybody.
    assert home.wait_for_end(run).state is State.CANCELLED
    assert home.wait_for_mark("tidied") == "tidied"


def test_cancelling_one_of_two_runs_of_a_job_leaves_the_other(home: Home):
    home.start_engine()
    home.add("twice", "setsid sleep 1.2 & sleep 1.2; exit 4", policy=Policy(max_instances=2))
    one, other = home.trigger("twice"), home.trigger("twice")
    home.wait_until_running(one)
    home.wait_until_running(other)
    home.verbs.cancel(one)

    assert home.wait_for_end(one).state is State.CANCELLED
    assert home.pids(one) == []
    assert home.wait_for_end(other).exit_code == 4


@pytest.mark.parametrize("adopted", [False, True], ids=["its own engine", "the next engine"])
def test_a_job_of_another_user_is_ended_as_a_whole_and_its_words_are_kept(home: Home, adopted: bool):
    require("root, and setpriv(1)", there=os.geteuid() == 0 and shutil.which("setpriv") is not None)
    engine = home.start_engine()
    line = "id -un; echo woe >&2; echo again > /dev/stdout; setsid sleep 60 & sleep 60"
    policy = Policy(timeout=1.2 * SECOND, kill_after=SECOND)
    run = home.trigger("another's", command=line, policy=policy, user="nobody", cwd="/")
    wait_for(lambda: len(home.pids(run)) >= 4, "it runs")
    if adopted:
        engine.kill()
        home.start_engine()

    assert home.wait_for_end(run).state is State.TIMED_OUT
    assert (home.output(run), home.output(run, "stderr")) == (b"nobody\nagain\n", b"woe\n")
    assert home.pids(run) == []


def test_the_shim_survives_what_a_job_sends_to_its_whole_group(home: Home):
    home.start_engine()
    line = "for s in HUP INT QUIT PIPE ALRM TERM USR1 USR2; do trap : $s; kill -$s 0; done; exit 6"
    assert home.wait_for_end(home.trigger("noisy", command=line)).exit_code == 6


def test_a_shim_that_is_asked_to_end_goes_on_until_its_command_has_ended(home: Home):
    home.start_engine()
    run = home.trigger("backup", command="echo begun > begun; sleep 1; exit 8")
    home.wait_for_mark("begun")
    os.kill(home.shim(run), SIGTERM)

    assert home.wait_for_end(run).exit_code == 8


def test_a_daemon_that_keeps_the_output_open_does_not_hold_up_the_end_and_keeps_its_file(home: Home):
    home.start_engine(capacity=1)
    run = home.trigger(
        "starts a daemon", command="setsid sh -c 'sleep 1; echo late; sleep 60' & echo $! > pid; echo on time"
    )
    found = home.wait_for_end(run)
    assert found.state is State.SUCCEEDED
    assert found.duration < 0.9
    (pid,) = home.pids(run)[:1]

    for number in range(4):  # each would have reused the file
        other = home.trigger(f"next{number}", command=f"sleep 0.4; echo mine {number}")
        home.wait_for_end(other)
        assert home.output(other) == f"mine {number}\n".encode()
    assert home.output(run) == b"on time\n"
    assert alive(pid)


def test_a_daemon_left_behind_is_ended_by_a_cancel_of_its_run_only(home: Home):
    home.start_engine()
    run = home.trigger("starts a daemon", command="setsid sleep 60 & echo $! > pid; echo begun > begun; sleep 60")
    pid = int(home.wait_for_mark("pid"))
    home.wait_for_mark("begun")
    home.verbs.cancel(run)

    assert home.wait_for_end(run).state is State.CANCELLED
    assert not alive(pid)


def test_an_engine_that_a_job_starts_runs_jobs_that_carry_only_their_own_mark(home: Home, tmp_path):
    inner = Home(tmp_path / "inner")
    try:
        settings = """'{"stop_grace":"PT0S"}'"""
        line = f"cd {os.getcwd()} && exec python3 -m tests.crash.engine {inner.path} {tmp_path}/none {settings}"
        home.start_engine()
        outer_run = home.trigger("engine", command=line.replace("python3", sys.executable))
        inner_run = inner.trigger("inner job", command="sleep 2; exit 3")
        inner.wait_until_running(inner_run)
        marks = {mark_in(pid) for pid in inner.pids(inner_run)}
        assert marks == {f"{inner.client.home_id}/{inner_run}/1"}
        home.verbs.cancel(outer_run)
        assert home.wait_for_end(outer_run).state is State.CANCELLED
        assert inner.pids(inner_run)
        inner.start_engine()
        assert inner.wait_for_end(inner_run).exit_code == 3
    finally:
        inner.close()


def test_rota_serve_carries_no_mark_of_the_job_that_started_it_and_outlives_it_in_a_session_of_its_own(
    home: Home, tmp_path
):
    inner = Home(tmp_path / "inner")
    try:
        home.start_engine()
        line = f"setsid {sys.executable} -P -m rota --home {inner.path} serve & echo begun > begun; sleep 60"
        run = home.trigger("upgrade", command=line)
        home.wait_for_mark("begun")
        pid = wait_for(inner.client.engine_pid, "the job's engine serves")
        wait_for(lambda: mark_in(pid) is None, "it has become an engine")
        home.verbs.cancel(run)

        assert home.wait_for_end(run).state is State.CANCELLED
        assert inner.wait_for_end(inner.trigger("next", command="exit 2")).exit_code == 2
        os.kill(pid, SIGTERM)
        wait_for(lambda: not alive(pid), "it has stopped")
    finally:
        inner.close()


def test_an_engine_that_a_job_of_its_own_home_starts_does_not_wait_for_itself(home: Home):
    first = home.start_engine()
    line = f"cd {os.getcwd()} && exec {sys.executable} -m tests.crash.engine {home.path} {home.path}/none '{{}}'"
    run = home.trigger("upgrade", command=f"sleep 0.5; {line}")
    home.wait_until_running(run)
    first.kill()
    wait_for(lambda: home.client.engine_pid() not in (None, first.pid), "the job's engine serves")
    other = home.trigger("next", command="exit 2")

    assert home.wait_for_end(other).exit_code == 2
    assert home.client.engine_pid() in home.pids(run)


def test_runs_that_time_out_again_and_again_leave_nothing_behind(home: Home):
    home.start_engine()
    home.add("often", "setsid sleep 60 & sleep 60", every("1s"),
             policy=Policy(timeout=SECOND / 3, kill_after=SECOND / 2))  # fmt: skip
    wait_for(lambda: len([run for run in home.runs("often") if run.state is State.TIMED_OUT]) >= 2, "two timed out")
    home.verbs.pause("often")
    wait_for(lambda: not home.pids(), "nothing is left")

"""Hosts that share one PostgreSQL: runs land where they may, and outlive the machines that they were on."""

from __future__ import annotations

import shutil
import signal
from collections import Counter
from datetime import timedelta

import pytest

from rota.control.output import read_output
from rota.control.why import Why
from rota.model.host import RunsOn
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import State
from servers.postgres import drop_schema, fresh_url, own_server

from .fleet import FAR_OFF, LEASE, Fleet
from .harness import every, require, wait_for

AGAIN = Policy(retries=Retries(count=1, delay=timedelta(0), jitter=0.0))
BRIEF = Policy(timeout=timedelta(seconds=60))
GPU = RunsOn(labels={"gpu": "yes"})


@pytest.fixture
def server():
    with own_server() as started:
        yield started


@pytest.fixture
def fleet(server, tmp_path, monkeypatch):
    url = fresh_url(server.url)
    monkeypatch.setenv("ROTA_STORE", url)
    made = Fleet(tmp_path, url)
    yield made
    made.close()
    drop_schema(url)


def test_runs_land_where_their_labels_and_names_say(fleet):
    fleet.host("one", "--label", "gpu=yes")
    fleet.host("two")
    by_label = fleet.trigger("by-label", "true", GPU)
    by_name = fleet.trigger("by-name", "true", RunsOn(host="two"))
    nowhere = fleet.trigger("nowhere", "true", RunsOn(host="three"))
    assert State.SUCCEEDED is fleet.wait_for_end(by_label).state is fleet.wait_for_end(by_name).state
    assert ("one", "two") == (fleet.host_of(by_label).name, fleet.host_of(by_name).name)
    assert State.QUEUED is fleet.run(nowhere).state
    assert ["up", "up"] == [view.state for view in fleet.client.hosts.all()]
    fleet.host("three")
    assert State.SUCCEEDED is fleet.wait_for_end(nowhere).state


def test_a_run_of_a_killed_host_is_lost_and_tried_again_on_another(fleet):
    fleet.host("one")
    fleet.host("two")
    run = fleet.trigger("moves", "echo $PPID >> marks; [ $(wc -l < marks) = 2 ] || sleep 300", policy=AGAIN)
    first = fleet.wait_until_running(run)
    first.signal(signal.SIGKILL)
    ended = fleet.wait_for_end(run)
    assert (State.SUCCEEDED, 2) == (ended.state, ended.attempt)
    assert first is not fleet.host_of(run)
    (lost,) = fleet.client.store.runs.attempts(run)
    assert State.LOST is lost.state
    assert f"its host {first.name} has not been heard of" in lost.reason
    assert first.pids(), "nobody can end what is on a machine without its engine"
    first.start()
    wait_for(lambda: not first.pids(), "what was given away is ended when its host is back", FAR_OFF)
    assert 2 == len(fleet.marks())


def test_what_was_cancelled_while_its_host_was_away_is_ended_when_it_is_back(fleet):
    one = fleet.host("one")
    fleet.host("two", "--label", "other=yes")
    run = fleet.trigger("goes-on", "sleep 300", RunsOn(host="one"))
    fleet.wait_until_running(run)
    one.signal(signal.SIGKILL)
    fleet.client.verbs.cancel(run, "no longer wanted")
    assert State.CANCELLED is fleet.wait_for_end(run).state
    assert one.pids()
    one.start()
    wait_for(lambda: not one.pids(), "what was cancelled is ended", FAR_OFF)


def test_a_copy_of_a_home_is_another_host_and_lets_the_runs_of_its_original_go_on(fleet):
    one = fleet.host("one")
    run = fleet.trigger("goes-on", "until [ -e go ]; do sleep 0.1; done", RunsOn(host="one"))
    fleet.wait_until_running(run)
    shutil.copytree(one.path, fleet.folder / "copy", ignore=shutil.ignore_patterns("*.sock", "rota.log"))
    copy = fleet.host("copy")
    wait_for(lambda: len(fleet.client.hosts.all()) == 2, "the copy is a host of its own", FAR_OFF)
    assert "is a copy of" in copy.log
    (fleet.work / "go").touch()
    assert (State.SUCCEEDED, 1) == (fleet.wait_for_end(run).state, fleet.run(run).attempt)
    assert one.id == fleet.run(run).host


def test_a_host_that_comes_back_soon_adopts_its_runs(fleet):
    first = fleet.host("one")
    fleet.host("two", "--label", "other=yes")
    run = fleet.trigger("stays", "until [ -e go ]; do sleep 0.1; done; exit 7", RunsOn(host="one"), AGAIN)
    fleet.wait_until_running(run)
    first.signal(signal.SIGKILL)
    first.start()
    wait_for(lambda: "adopted: attempt 1" in first.log, "it is adopted", FAR_OFF)
    (fleet.work / "go").touch()
    wait_for(lambda: fleet.run(run).attempt == 2 or fleet.client.store.runs.attempts(run), "it is known", FAR_OFF)
    (attempt,) = fleet.client.store.runs.attempts(run)
    assert (State.FAILED, 7) == (attempt.state, attempt.exit_code)


def test_the_late_result_of_a_host_that_was_stopped_is_not_accepted(fleet):
    fleet.host("one")
    fleet.host("two")
    waits = "until [ -e go ]; do sleep 0.1; done"
    line = f"echo x >> marks; if [ $(wc -l < marks) = 1 ]; then {waits}; exit 9; fi"
    run = fleet.trigger("late", line, policy=AGAIN)
    first = fleet.wait_until_running(run)
    first.signal(signal.SIGSTOP)
    ended = fleet.wait_for_end(run)
    assert (State.SUCCEEDED, 2) == (ended.state, ended.attempt)
    (fleet.work / "go").touch()
    first.signal(signal.SIGCONT)
    wait_for(lambda: "its result is dropped" in first.log, "the result is dropped", FAR_OFF)
    assert ended == fleet.run(run)
    assert 2 == len(fleet.marks())
    wait_for(lambda: not first.pids(), "nothing of it is left", FAR_OFF)


def test_a_drained_host_finishes_and_takes_nothing_more_until_it_is_resumed(fleet):
    fleet.host("one", "--label", "gpu=yes")
    fleet.host("two")
    run = fleet.trigger("goes-on", "until [ -e go ]; do sleep 0.1; done", GPU)
    fleet.wait_until_running(run)
    assert ("draining", 1) == (fleet.client.hosts.drain("one").state, fleet.client.hosts.one("one").running)
    waiting = fleet.trigger("waits", "true", GPU)
    (fleet.work / "go").touch()
    assert State.SUCCEEDED is fleet.wait_for_end(run).state
    elsewhere = [fleet.trigger(f"other-{number}", "true") for number in range(6)]
    assert {"two"} == {fleet.host_of(fleet.wait_for_end(each).id).name for each in elsewhere}
    assert State.QUEUED is fleet.run(waiting).state
    fleet.client.hosts.resume("one")
    assert State.SUCCEEDED is fleet.wait_for_end(waiting).state


def test_a_host_that_hands_over_parts_with_what_may_begin_again_and_finishes_the_rest(fleet):
    first = fleet.host("one")
    waits = "echo $ROTA_JOB >> marks; until [ -e go ]; do sleep 0.1; done"
    moves = fleet.trigger("moves", waits, policy=AGAIN)
    stays = fleet.trigger("stays", waits)
    bound = fleet.trigger("bound", waits, RunsOn(host="one"), AGAIN)
    for run in (moves, stays, bound):
        fleet.wait_until_running(run)
    assert "draining" == fleet.client.hosts.drain("one", hand_over=True).state
    fleet.host("two")
    wait_for(lambda: fleet.run(moves).attempt == 2, "the other host has begun it again", FAR_OFF)
    (ended,) = fleet.client.store.runs.attempts(moves)
    assert (State.LOST, "handed over, because its host is drained") == (ended.state, ended.reason)
    assert "two" == fleet.wait_until_running(moves, 2).name
    assert {stays, bound} == {run.id for run in fleet.client.hosts.running("one")}
    (fleet.work / "go").touch()
    ends = [fleet.wait_for_end(run) for run in (moves, stays, bound)]
    assert [(State.SUCCEEDED, 2), (State.SUCCEEDED, 1), (State.SUCCEEDED, 1)] == [
        (run.state, run.attempt) for run in ends
    ]
    assert ["bound", "moves", "moves", "stays"] == sorted(fleet.marks())
    assert "drained" == fleet.client.hosts.one("one").state
    assert not first.pids()


def test_a_database_that_is_away_for_longer_than_a_lease_loses_nothing(fleet, server):
    fleet.host("one")
    fleet.host("two")
    runs = [fleet.trigger(f"goes-on-{number}", "until [ -e go ]; do sleep 0.1; done; exit 5") for number in range(4)]
    for run in runs:
        fleet.wait_until_running(run)
    server.stop()
    wait_for(lambda: all("nothing new is started" in host.log for host in fleet.hosts), "hosts notice", FAR_OFF)
    wait_for(_after(2 * LEASE), "leases would be over by now", FAR_OFF)
    (fleet.work / "go").touch()
    server.start()
    ended = [fleet.wait_for_end(run) for run in runs]
    assert [(State.FAILED, 5, 1)] * 4 == [(run.state, run.exit_code, run.attempt) for run in ended]


def test_a_host_that_starts_before_its_database_waits_for_it(fleet, server):
    early = fleet.host("one", start=False)
    server.stop()
    early.launch()
    wait_for(_after(LEASE), "it has looked for its database", FAR_OFF)
    assert early.process.poll() is None
    server.start()
    wait_for(lambda: "serving" in early.log, "it serves", FAR_OFF)
    assert State.SUCCEEDED is fleet.wait_for_end(fleet.trigger("runs", "true")).state


def test_slots_are_planned_once_while_planners_come_and_go(fleet):
    hosts = [fleet.host(name) for name in ("one", "two", "three")]
    fleet.add("tick", "echo $ROTA_SLOT >> marks", every("1s"), policy=Policy(overlap=Overlap.ALLOW))
    for host in hosts[:2]:
        before = len(fleet.marks())
        wait_for(lambda seen=before: len(fleet.marks()) >= seen + 3, "slots run", FAR_OFF)
        host.signal(signal.SIGKILL)
    before = len(fleet.marks())
    wait_for(lambda: len(fleet.marks()) >= before + 3, "slots run on the last host", FAR_OFF)
    assert 1 == max(Counter(run.slot for run in fleet.runs("tick")).values())
    assert 1 == max(Counter(fleet.marks()).values())


@pytest.mark.parametrize("off", ["+2m", "-2m"])
def test_a_host_whose_clock_is_two_minutes_off_plans_and_keeps_its_runs_as_the_others_do(fleet, off):
    require("faketime", there=shutil.which("faketime") is not None)
    prefix = ("env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "faketime", "-f", off)
    wrong = fleet.host("wrong", "--label", "clock=wrong", prefix=prefix)
    fleet.host("right")
    run = fleet.trigger("goes-on", "until [ -e go ]; do sleep 0.1; done", RunsOn(labels={"clock": "wrong"}), AGAIN)
    fleet.add("tick", "true", every("1s"), runs_on=RunsOn(host="wrong"), policy=Policy(overlap=Overlap.ALLOW))
    fleet.wait_until_running(run)
    wait_for(_after(3 * LEASE), "leases would be over by now", FAR_OFF)
    (fleet.work / "go").touch()
    ended = fleet.wait_for_end(run)
    assert (State.SUCCEEDED, 1) == (ended.state, ended.attempt)
    assert timedelta(seconds=LEASE) < timedelta(seconds=ended.duration or 0) < timedelta(seconds=60)
    ticks = [each for each in fleet.runs("tick") if each.state is State.SUCCEEDED]
    assert len(ticks) >= LEASE
    assert max(abs(each.lateness or 0) for each in ticks) < 30
    assert "clock went back" not in wrong.log
    short = fleet.trigger("ends-alone", "until [ -e end ]; do sleep 0.1; done; exit 3", RunsOn(host="wrong"), BRIEF)
    fleet.wait_until_running(short)
    wrong.signal(signal.SIGKILL)
    (fleet.work / "end").touch()
    wait_for(lambda: not wrong.pids(), "it has ended by itself", FAR_OFF)
    wrong.start()
    ended = fleet.wait_for_end(short)
    assert (State.FAILED, 3) == (ended.state, ended.exit_code), "its timeout is not over by any clock but the wrong one"


def _after(seconds: float):
    import time

    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def test_what_a_run_writes_is_seen_from_another_host_while_it_runs(fleet):
    fleet.host("one")
    run = fleet.trigger("talks", "echo hello; until [ -e go ]; do sleep 0.1; done; echo bye")
    fleet.wait_until_running(run)
    client = fleet.client  # its home is another one, with a spool of its own

    def seen() -> bytes:
        return read_output(client.store, client.live, fleet.run(run), 1, "stdout", 0, 100).content

    wait_for(lambda: seen() == b"hello\n", "it is seen", FAR_OFF)
    (fleet.work / "go").touch()
    fleet.wait_for_end(run)
    assert b"hello\nbye\n" == seen()


def test_a_job_for_all_hosts_runs_once_on_each_of_them(fleet):
    names = ["one", "two", "three"]
    for name in names:
        fleet.host(name)
    wait_for(lambda: len(fleet.client.store.hosts.all()) == 3, "all are known", FAR_OFF)
    fleet.trigger("everywhere", "true", RunsOn(all=True))
    wait_for(lambda: {run.state for run in fleet.runs("everywhere")} == {State.SUCCEEDED}, "all have run", FAR_OFF)
    assert sorted(names) == sorted(fleet.host_of(run.id).name for run in fleet.runs("everywhere"))


def test_hosts_on_which_runs_of_the_same_jobs_end_do_not_hold_each_other_up(fleet):
    hosts = [fleet.host(name, "--capacity", "16") for name in ("one", "two", "three")]
    for number in range(10):
        fleet.add(f"job-{number}", "true", policy=Policy(overlap=Overlap.ALLOW))
    with fleet.client.verbs.together():
        for number in range(400):
            fleet.client.verbs.trigger(f"job-{number % 10}")
    wait_for(lambda: not fleet.client.store.runs.state_counts(), "all have ended", FAR_OFF)
    stalls = sum(host.log.count("is locked by somebody else") for host in hosts)
    assert stalls < 5, "a slow machine may make one wait, but not one after the other"


def test_a_cancel_and_a_run_reach_another_host_at_once(fleet):
    fleet.host("one")
    for number in range(3):
        run = fleet.trigger(f"long-{number}", "exec sleep 300")
        fleet.wait_until_running(run)
        fleet.client.verbs.cancel(run)
        assert State.CANCELLED is fleet.wait_for_end(run).state
    assert "noticed within a second" not in fleet.hosts[0].log


def test_why_names_the_host_that_a_run_waits_for(fleet):
    fleet.host("one")
    absent = fleet.trigger("absent", "true", GPU)
    told = Why(fleet.client.store, fleet.client.clock, str, fleet.client.engine_pid).run(fleet.run(absent)).sentences
    assert "it may only run on hosts with gpu=yes, and none is known" in told[-1]

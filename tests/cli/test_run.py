"""`rota run`: exit codes, output as it is, and what happens when something goes away."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from rota.cli.run import _EngineWatch
from rota.control.pulse import Served
from rota.errors import EngineNotRunning


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--shell", "exit 0"], 0),
        (["--shell", "exit 7"], 7),
        (["--shell", "kill -9 $$"], 137),
        (["--timeout", "200ms", "--", "sleep", "30"], 124),
        (["--", "no-such-program-1"], 127),
        (["--", "/etc/passwd"], 126),
    ],
)
def test_waiting_ends_with_the_jobs_own_exit_code(shared, words, code):
    shared.ok("add", f"exit {code}", *words)
    assert code == shared.call("run", f"exit {code}", "--wait").returncode


def test_what_a_function_returns_is_told_by_why(shared):
    shared.ok("add", "function", "--python", "math:factorial", "--args", "[20]")
    assert 0 == shared.call("run", "function", "--wait").returncode
    run = shared.json("runs", "function")[0]["id"]
    assert "It returned 2432902008176640000" in shared.ok("why", run)
    assert 2432902008176640000 == shared.json("why", run)["result"]


def test_what_a_function_raises_is_the_reason_of_its_run(shared):
    shared.ok("add", "wrong", "--python", "math:factorial", "--args", "[-1]")
    assert 1 == shared.call("run", "wrong", "--wait").returncode
    assert "ValueError: factorial() not defined" in shared.json("runs", "wrong")[0]["reason"]


def test_output_is_passed_on_as_it_is_to_its_own_stream(shared):
    shared.ok("add", "bytes", "--shell", r"printf 'a\000\377\033[2Jb'; printf 'oops\r' >&2; exit 4")
    done = shared.call("run", "bytes", "--wait")
    assert (b"a\0\xff\x1b[2Jb", b"oops\r", 4) == (done.stdout, done.stderr, done.returncode)


def test_no_byte_is_lost_or_doubled_however_fast_runs_end(shared):
    shared.ok("add", "quick", "--overlap", "allow", "--shell", "seq 1 2000; seq 1 20 >&2")
    waiting = [shared.start("run", "quick", "--wait") for _ in range(8)]
    results = {run.communicate(timeout=30) for run in waiting}
    lines = "".join(f"{n}\n" for n in range(1, 2001)).encode()
    assert {(lines, lines[: len("".join(f"{n}\n" for n in range(1, 21)))])} == results


def test_output_comes_while_the_run_is_running(shared):
    gate = shared.folder / "gate"
    shared.ok("add", "gated", "--shell", f"echo first; until [ -e {gate} ]; do sleep 0.05; done; echo last")
    waiting = shared.start("run", "gated", "--wait")
    assert waiting.stdout is not None
    assert b"first\n" == waiting.stdout.readline()
    gate.touch()
    assert (b"last\n", b"") == waiting.communicate(timeout=30)
    assert 0 == waiting.returncode


def test_every_attempt_is_shown_while_waiting(shared):
    shared.ok(
        "add",
        "attempts",
        "--retries",
        "1",
        "--retry-delay",
        "0s",
        "--shell",
        "echo $ROTA_ATTEMPT; exit $((2 - ROTA_ATTEMPT))",
    )
    done = shared.call("run", "attempts", "--wait")
    assert (b"1\n2\n", b"", 0) == (done.stdout, done.stderr, done.returncode)


def test_a_run_that_timed_out_says_so_because_its_output_cannot(shared):
    shared.ok("add", "late", "--timeout", "200ms", "--", "sleep", "30")
    assert "timed out after 200 milliseconds" in shared.fails(124, "run", "late", "--wait")


def test_a_program_that_is_not_there_is_told(shared):
    shared.ok("add", "absent", "--", "no-such-program-1")
    assert "no program named 'no-such-program-1' on PATH" in shared.fails(127, "run", "absent", "--wait")


def test_parameters_become_variables(shared):
    shared.ok("add", "given", "--shell", "echo $ROTA_PARAM_DAY")
    assert "monday\n" == shared.ok("run", "given", "--wait", "--param", "DAY=monday")
    assert "'DAY' is not NAME=VALUE" in shared.fails(2, "run", "given", "--param", "DAY")
    assert "a name is letters" in shared.fails(2, "run", "given", "--param", "d-y=1")


def test_without_an_engine_a_run_is_queued_and_says_so(home):
    home.ok("add", "job", "--shell", "echo done")
    done = home.call("run", "job")
    run = done.stdout.decode().strip()
    assert (0, 26) == (done.returncode, len(run))
    assert "no engine is running" in done.stderr.decode()
    assert "no engine is running" in home.ok("why", run)
    home.serve()
    assert "done\n" == home.ok("logs", "-f", run)


def test_without_an_engine_waiting_ends_at_once_and_queues_nothing(home):
    home.ok("add", "job", "--", "true")
    assert "nothing was queued" in home.fails(5, "run", "job", "--wait")
    assert [] == home.json("runs")


def test_ctrl_c_leaves_the_run_running_and_says_how_to_see_it(served):
    gate = served.folder / "gate"
    served.ok("add", "job", "--shell", f"echo started; until [ -e {gate} ]; do sleep 0.05; done; echo finished")

    def interrupt(master: int, shown: bytes) -> bool:
        if b"started" not in shown:
            return False
        os.write(master, b"\x03")
        return True

    shown = served.at_terminal("run", "job", "--wait", act=interrupt)
    assert 130 == shown.code
    assert "goes on. Watch it with: rota logs -f" in shown.text
    gate.touch()
    assert "started\nfinished\n" == served.ok("logs", "-f", "job")
    assert "succeeded" == served.json("runs", "job")[0]["state"]


class GoneClient:
    """A client whose engine is away, and whose clock is moved by hand."""

    def __init__(self) -> None:
        self.pid: int | None = 1
        self.time = 0.0
        self.clock = self

    def monotonic(self) -> float:
        return self.time

    def served(self) -> Served:
        return Served(self.pid)


def test_an_engine_that_restarts_is_waited_for_and_one_that_is_gone_is_not():
    client = GoneClient()
    watch = _EngineWatch(client, "01RUN", lambda: None)  # type: ignore[arg-type]
    for time, pid in ((2.0, 1), (3.5, None), (6.5, None), (6.9, 2), (8.0, 2), (12.0, None)):
        client.time, client.pid = time, pid
        watch()
    client.time = 12.0 + timedelta(seconds=6).total_seconds()
    with pytest.raises(EngineNotRunning, match="run 01RUN is not over"):
        watch()


def test_a_run_outlives_the_engine_that_somebody_waits_with(home):
    gate = home.folder / "gate"
    engine = home.serve("--on-stop", "leave", "--stop-grace", "0s")
    home.ok("add", "job", "--shell", f"echo started; until [ -e {gate} ]; do sleep 0.05; done; echo finished; exit 9")
    waiting = home.start("run", "job", "--wait")
    assert waiting.stdout is not None
    assert b"started\n" == waiting.stdout.readline()
    engine.send_signal(signal.SIGTERM)
    engine.wait(30)
    home.serve()
    gate.touch()
    assert b"finished\n" == waiting.communicate(timeout=30)[0]
    assert 9 == waiting.returncode


def test_cancelling_ends_what_runs_and_what_waits(served):
    served.ok("add", "job", "--shell", "echo up; exec sleep 60")
    waiting = served.start("run", "job", "--wait")
    assert waiting.stdout is not None
    assert b"up\n" == waiting.stdout.readline()
    served.ok("run", "job")
    told = served.ok("cancel", "job")
    assert "is asked to end." in told
    assert "is cancelled, before it started." in told
    assert b"cancelled by hand" in waiting.communicate(timeout=30)[1]
    assert 1 == waiting.returncode
    assert "no run that is queued, running or waiting" in served.fails(4, "cancel", "job")


def test_a_run_can_be_asked_for_again(served):
    served.ok("add", "job", "--shell", "echo $ROTA_PARAM_X; exit 3")
    served.call("run", "job", "--wait", "--param", "X=1")
    first = served.json("runs")[0]["id"]
    again = served.ok("retry", first[:20]).strip()
    assert "1\n" == served.ok("logs", "-f", again)
    assert ("retry", "failed") == (served.json("runs")[0]["trigger"], served.json("runs")[0]["state"])
    assert first in served.ok("why", again)
    served.fails(3, "retry", "0" * 26)


def test_the_ledger_tells_the_story_of_a_run(served):
    served.ok("add", "job", "--retries", "1", "--retry-delay", "0s", "--shell", "exit 3")
    assert 3 == served.call("run", "job", "--wait").returncode
    run = served.json("runs")[0]["id"]
    told = served.ok("why", run)
    assert "It was asked for by hand at" in told
    assert re.search(r"Attempt 1 failed after .*: exit code 3\.", told)
    assert re.search(r"Attempt 2 failed after .*: exit code 3; all 2 attempts were used\.", told)
    view = json.loads(served.ok("why", run, "--json"))
    assert (run, 1, "failed") == (view["run"]["id"], len(view["attempts"]), view["run"]["state"])
    assert "is a run, and a run has one slot" in served.fails(2, "why", run, "02:30")
    assert "No slot of its schedule is there" in served.ok("why", "job", "02:30")
    assert "rota: TIME: it is no date and time\n  nonsense\n  ^" in served.fails(2, "why", "job", "nonsense")


def test_an_engine_that_is_stopped_is_not_taken_for_one_that_works(home):
    home.ok("add", "often", "--every", "1h", "--", "true")
    engine = home.serve()
    with closing(sqlite3.connect(home.path / "rota.db", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")  # an engine stopped in a write of its own would keep the lock
        engine.send_signal(signal.SIGSTOP)
        for column in ("planned_to", "next_slot", "wake_at"):  # as if an hour had passed
            store.execute(f"UPDATE job SET {column} = {column} - 3700000000")
        store.execute("COMMIT")
    try:
        said = f"the engine (pid {engine.pid}) has not done for"
        assert said in home.call("list").stderr.decode()
        assert said in home.ok("why", "often")
        doctor = home.call("doctor", "--json")
        findings = {each["what"]: each for each in json.loads(doctor.stdout)}
        assert (1, "fail") == (doctor.returncode, findings["engine"]["verdict"])
        waiting = home.start("run", "often", "--wait")
        assert waiting.stderr is not None
        assert said in waiting.stderr.readline().decode()
    finally:
        engine.send_signal(signal.SIGCONT)
    assert 0 == waiting.wait(30)
    waiting.communicate()
    assert b"" == home.call("list").stderr


def test_of_a_job_that_was_removed_it_is_said_that_it_was(home):
    home.ok("add", "old", "--", "true")
    run = home.ok("run", "old").strip()
    home.ok("remove", "old")
    for words in (["retry", run], ["run", "old"], ["show", "old"]):
        assert "job 'old' was removed; its history is left" in home.fails(3, *words)
    errors = home.fails(3, "run", "nothing-like-it")
    assert "no job named 'nothing-like-it'; there are no jobs" in errors
    home.ok("add", "backup", "--", "true")
    assert "no job named 'nothing-like-it'; there are: backup" in home.fails(3, "run", "nothing-like-it")

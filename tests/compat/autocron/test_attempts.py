"""What is told of attempts that fail: when it happens, what it was first, and which limit it has met."""

from __future__ import annotations

import logging
import re
import signal

import pytest

from rota.compat.autocron import AutoCron, Task
from sdk.conftest import until

from .conftest import told

FAILED, AGAIN = "failed (attempt 1 of 3", r"Task 'bad' is tried again in 6\d(\.\d)? seconds \(attempt 2, "


def bad() -> None:
    raise ValueError("boom")


async def bad_coroutine() -> None:
    raise ValueError("boom")


class Custom(Task):
    def execute(self) -> None:
        raise ValueError("boom")


def ways(script) -> list[Task]:
    """Return tasks that fail, of each way in which work is done."""
    said = {"every": "1h", "retries": 2, "retry_delay": 60}
    path = script("raise ValueError('boom')\n")
    return [
        Task("bad", func=bad, **said),
        Task("bad", func=bad_coroutine, **said),
        Task("bad", func=bad, timeout=30, **said),
        Task("bad", script=path, **said),
        Custom("bad", func=bad, **said),
    ]


@pytest.mark.parametrize("way", range(5), ids=["function", "coroutine", "process", "script", "own way"])
def test_an_attempt_that_failed_is_told_of_before_the_next_one(scheduler, script, log, way):
    task = ways(script)[way]
    scheduler.add_task(task)
    scheduler.start(blocking=False)
    until(lambda: re.search(AGAIN, log()), "word of the next attempt")
    assert (0, 1) == told(task)
    assert "boom" in log()
    assert 1 == log().count(FAILED)
    scheduler.stop()
    assert log().count("ValueError: boom") <= 2, "what was told is not told again at the end"


def test_all_attempts_are_told_of_once_and_in_order(scheduler, log):
    calls = []

    def flaky() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionError(f"call {len(calls)}")

    scheduler.add_task("flaky", func=flaky, every="1h", retries=2, retry_delay=0.01)
    assert scheduler.run_task(name="flaky")
    assert (1, 2) == told(scheduler.get_task(name="flaky"))
    words = [r"attempt 1 of 3", r"tried again in .* \(attempt 2", "attempt 2 of 3", r"\(attempt 3", "completed"]
    assert re.search(".*".join(words), log(), re.DOTALL)
    assert [1, 1] == [log().count(f"attempt {number} of 3") for number in (1, 2)]
    assert 2 == log().count("is tried again")


def test_what_the_engine_does_not_say_is_told_at_the_end(scheduler, log, monkeypatch):
    monkeypatch.setattr(logging.getLogger("rota"), "disabled", True)
    scheduler.add_task("bad", func=bad, every="1h", retries=1, retry_delay=0)
    assert not scheduler.run_task(name="bad")
    assert (0, 2) == told(scheduler.get_task(name="bad"))
    assert [1, 1] == [log().count(f"attempt {number} of 2") for number in (1, 2)]


def test_two_schedulers_may_have_a_task_of_one_name(scheduler, folder, log):
    other = AutoCron(log_path=folder / "other.log")
    for each in (scheduler, other):
        each.add_task("bad", func=bad, every="1h", retries=1, retry_delay=60)
        each.start(blocking=False)
    until(lambda: all(1 == each.get_task(name="bad").fail_count for each in (scheduler, other)), "both")
    other.stop()
    scheduler.stop()
    for text in (log(), (folder / "other.log").read_text()):
        assert 1 == text.count("failed (attempt 1 of 2")


@pytest.mark.parametrize("way", range(3), ids=["function", "coroutine", "process"])
def test_the_error_comes_first_and_then_its_traceback_from_the_function_on(scheduler, script, log, way):
    task = ways(script)[way]
    task.retries = 0
    scheduler.add_task(task)
    assert not scheduler.run_task(name="bad")
    text = log()
    assert text.index("ERROR - Task 'bad' failed (attempt 1 of 1") < text.index("[bad] Traceback")
    frames = re.findall(r'\[bad\]   File "[^"]*?([^/"]+)", line', text)
    assert {"test_attempts.py"} == {frame for frame in frames if frame != "awaiting.py"}
    assert "raise ValueError" in task.last_output


def test_what_a_function_has_called_of_ours_stays_in_its_traceback(scheduler, log):
    def calls_ours() -> None:
        Task("t", func=print, every="no interval")

    scheduler.add_task("calls", func=calls_ours, every="1h")
    assert not scheduler.run_task(name="calls")
    frames = re.findall(r'\[calls\]   File "[^"]*?([^/"]+)", line', log())
    assert ["test_attempts.py", "task.py"] == frames[:2]


@pytest.mark.parametrize("is_script", [True, False], ids=["script", "function"])
def test_a_limit_of_the_processor_is_named(scheduler, script, log, is_script):
    def busy() -> None:
        while True:
            pass

    what = {"script": script("while True: pass\n")} if is_script else {"func": busy}
    scheduler.add_task("busy", every="1h", timeout=40, max_cpu_percent=2.5, **what)
    assert not scheduler.run_task(name="busy")
    code = 128 + signal.SIGXCPU
    said = f"max_cpu_percent=2.5 of timeout=40 is 1 s of processor time, and it is used up (exit code {code})"
    assert said == str(scheduler.get_task(name="busy").last_error)
    assert said in log()


def test_who_heeds_no_signal_meets_its_limit_of_the_processor_all_the_same(scheduler, script):
    path = script("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass\n")
    scheduler.add_task("busy", script=path, every="1h", timeout=40, max_cpu_percent=2.5)
    assert not scheduler.run_task(name="busy")
    said = str(scheduler.get_task(name="busy").last_error)
    assert said.startswith("exit code 137: ")
    assert said.endswith("perhaps its limit: max_cpu_percent=2.5 of timeout=40 is 1 s of processor time")


@pytest.mark.parametrize("is_script", [True, False], ids=["script", "function"])
def test_a_limit_of_memory_is_named(scheduler, script, is_script):
    what = {"script": script("bytearray(900 << 20)\n")} if is_script else {"func": lambda: bytearray(900 << 20)}
    scheduler.add_task("greedy", every="1h", max_memory_mb=300, **what)
    assert not scheduler.run_task(name="greedy")
    said = str(scheduler.get_task(name="greedy").last_error)
    assert said.endswith("; its memory is limited by max_memory_mb=300")


def test_a_script_that_fails_for_another_reason_has_met_no_limit(scheduler, script):
    path = script("raise SystemExit(3)\n")
    scheduler.add_task("fails", script=path, every="1h", max_memory_mb=300, timeout=40, max_cpu_percent=2.5)
    assert not scheduler.run_task(name="fails")
    assert "exit code 3" == str(scheduler.get_task(name="fails").last_error)

"""Functions of a program: in threads, on a loop, in processes of their own; what they return and how they end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import rota
from rota import RunFailed, Scheduler, State

from .conftest import until


def double(number: int = 2) -> int:
    return 2 * number


async def later(word: str = "later") -> str:
    await asyncio.sleep(0.01)
    return word


def fail() -> None:
    raise ValueError("boom")


def note_when_late(path: str) -> None:
    time.sleep(3)
    Path(path).write_text("late")


def leave_a_child(path: str) -> None:
    child = subprocess.Popen(["sleep", "60"])
    Path(path).write_text(str(child.pid))
    child.wait()


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_function_runs_when_it_is_triggered_and_its_result_is_in_the_run(scheduler):
    assert "double" == scheduler.add(double)
    handle = scheduler.trigger("double")
    assert (4, State.SUCCEEDED) == (handle.result(10), handle.state)


def test_arguments_are_given_to_the_function(scheduler):
    scheduler.add(double, args=[21])
    scheduler.add(later, kwargs={"word": "now"})
    assert (42, "now") == (scheduler.trigger("double").result(10), scheduler.trigger("later").result(10))


def test_what_a_store_cannot_keep_is_given_to_the_function_all_the_same(scheduler):
    found = []
    scheduler.add(found.append, "collect", args=[threading.main_thread()])
    scheduler.trigger("collect").wait(10)
    assert [threading.main_thread()] == found


def test_an_exception_is_in_the_run_with_its_type_its_message_and_its_traceback(scheduler):
    scheduler.add(fail)
    handle = scheduler.trigger("fail")
    run = handle.wait(10)
    assert (State.FAILED, 1, "ValueError: boom") == (run.state, run.exit_code, run.reason)
    assert "in fail\n    raise ValueError" in handle.output("stderr")
    with pytest.raises(RunFailed, match="ValueError: boom") as told:
        handle.result()
    assert run.id == told.value.run.id


@pytest.mark.parametrize("apart", [False, True])
def test_a_result_that_cannot_be_kept_does_not_fail_its_run(scheduler, apart):
    scheduler.add(lambda: "x" * 300_000, "long", apart=apart)
    scheduler.add(lambda: {1, 2}, "set", apart=apart)
    for name, note in (("long", "longer than 262144 characters and was not kept"), ("set", "cannot be kept as JSON")):
        handle = scheduler.trigger(name)
        with pytest.raises(rota.NotKept, match=f"what it returned is not there: .*{note}"):
            handle.result(20)
        assert State.SUCCEEDED == handle.state
        assert note in handle.run.reason


def test_threads_are_used_again_and_a_thread_that_hangs_is_in_nobody_s_way(scheduler):
    end, names = threading.Event(), set()
    scheduler.add(lambda: end.wait(30), "hangs")
    scheduler.add(lambda: names.add(threading.get_ident()), "quick")
    scheduler.trigger("hangs")
    for _ in range(20):
        scheduler.trigger("quick").wait(10)
    end.set()
    assert len(names) < 20


def test_a_function_with_a_timeout_is_really_ended_and_so_is_its_child(scheduler, tmp_path):
    late, pid = tmp_path / "late", tmp_path / "pid"
    scheduler.add(note_when_late, args=[str(late)], timeout=1)
    scheduler.add(leave_a_child, args=[str(pid)], timeout=4)  # so that there is a child, however busy the machine is
    handles = [scheduler.trigger(name) for name in ("note_when_late", "leave_a_child")]
    assert [State.TIMED_OUT] * 2 == [handle.wait(30).state for handle in handles]
    assert not alive(int(pid.read_text()))
    assert not late.exists(), "four seconds later"


def test_a_function_with_variables_a_directory_or_a_umask_has_a_process_of_its_own(scheduler, tmp_path):
    def told() -> list[str]:
        os.write(1, os.environ["TOKEN"].encode())
        Path("made").touch()
        return [os.environ["WORD"], os.environ["TOKEN"], os.getcwd(), oct(Path("made").stat().st_mode & 0o777)]

    (tmp_path / "token").write_text("s3cret-token\n")
    (tmp_path / "vars").write_text("WORD=from a file\n")
    token = rota.Secret(f"file:{tmp_path}/token")
    scheduler.add(told, env={"TOKEN": token}, env_file=tmp_path / "vars", cwd=tmp_path, umask=0o077)
    handle = scheduler.trigger("told")
    assert ["from a file", "***", str(tmp_path), "0o600"] == handle.result(20), handle.output("stderr")
    assert "***" == handle.output()
    assert "TOKEN" not in os.environ


def test_a_closure_is_sent_to_a_process_by_value(scheduler):
    number = 21
    scheduler.add(lambda: (number * 2, os.getpid()), "closure", timeout="10s")
    result, pid = scheduler.trigger("closure").result(20)
    assert 42 == result
    assert os.getpid() != pid


def test_what_cannot_be_sent_runs_in_a_thread_with_a_warning_that_says_what_that_means(scheduler):
    lock = threading.Lock()

    def locked() -> int:
        with lock:
            return os.getpid()

    with pytest.warns(RuntimeWarning, match=r"cannot be sent to a process .* a timeout ends its run, but cannot end"):
        scheduler.add(locked, timeout="10s")
    assert os.getpid() == scheduler.trigger("locked").result(10)


def test_a_thread_that_is_cancelled_is_asked_and_then_left_to_itself(scheduler):
    asked, end = threading.Event(), threading.Event()

    def stubborn() -> None:
        calling = rota.calling()
        until(calling.cancelled, "somebody asks")
        asked.set()
        end.wait(20)

    scheduler.add(stubborn, kill_after="0.2s")
    handle = scheduler.trigger("stubborn")
    until(lambda: handle.state is State.RUNNING, "it runs")
    handle.cancel()
    run = handle.wait(10)
    end.set()
    assert asked.is_set()
    assert State.CANCELLED == run.state
    assert "its thread could not be ended" in run.reason


def test_a_coroutine_is_cancelled_at_once(scheduler):
    ended = []

    async def patient() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    scheduler.add(patient)
    handle = scheduler.trigger("patient")
    until(lambda: handle.state is State.RUNNING, "it runs")
    handle.cancel()
    assert (State.CANCELLED, [True]) == (handle.wait(10).state, ended)


def test_what_a_plain_function_leaves_to_be_awaited_is_cancelled_as_a_coroutine_is(scheduler):
    began = threading.Event()

    def plain():
        began.set()
        return asyncio.sleep(60)

    scheduler.add(plain)
    handle = scheduler.trigger("plain")
    assert began.wait(10)
    handle.cancel()
    assert State.CANCELLED == handle.wait(5).state


def test_an_exit_in_a_function_ends_its_run_and_nothing_else(scheduler):
    async def leave() -> None:
        sys.exit(3)

    scheduler.add(leave)
    scheduler.add(lambda: sys.exit("nothing to do"), "said")
    scheduler.add(sys.exit, "well")
    scheduler.add(later)
    assert (State.FAILED, 3) == ((run := scheduler.trigger("leave").wait(10)).state, run.exit_code)
    said = scheduler.trigger("said")
    assert (State.FAILED, "nothing to do\n") == (said.wait(10).state, said.output("stderr"))
    assert State.SUCCEEDED == scheduler.trigger("well").wait(10).state
    assert "later" == scheduler.trigger("later").result(10), "the loop goes on"


def test_async_jobs_work_from_inside_a_running_loop():
    async def main() -> tuple[str, State]:
        with Scheduler() as scheduler:
            scheduler.add(later)
            handle = scheduler.trigger("later")
            run = await handle
            return handle.result(), run.state

    assert ("later", State.SUCCEEDED) == asyncio.run(main())


def test_in_an_async_with_coroutine_functions_run_on_the_callers_own_loop():
    async def main() -> list[object]:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()  # what belongs to the loop can be used by a job

        async def work() -> bool:
            ended.set()
            return asyncio.get_running_loop() is loop

        async with Scheduler() as scheduler:
            scheduler.add(work)
            scheduler.add(lambda: asyncio.sleep(60), "patient")
            handle, patient = scheduler.trigger("work"), scheduler.trigger("patient")
            await ended.wait()
            run = await handle
            patient.cancel()
            return [handle.result(), run.state, (await patient).state, loop.is_running()]

    assert [True, State.SUCCEEDED, State.CANCELLED, True] == asyncio.run(main())

"""Tasks that a scheduler runs: the engine does retries and timeout, an attempt the hooks and the log around it."""

from __future__ import annotations

import ast
import os
import time
from typing import Any

import pytest

import rota
from rota.process.identity import is_zombie
from rota.sdk.declared import DECLARED

from .conftest import until

State = rota.State


class Heard:
    """What hooks were told, in this program."""

    def __init__(self) -> None:
        self.starts: list[rota.TaskInfo] = []
        self.errors: list[tuple[int, str]] = []
        self.ends: list[rota.TaskInfo] = []

    @property
    def hooks(self) -> dict[str, Any]:
        return {"on_start": self.starts.append, "on_error": self.error, "on_finish": self.ends.append}

    def error(self, info: rota.TaskInfo, error: BaseException) -> None:
        self.errors.append((info.attempt, f"{type(error).__name__}: {error}"))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_the_job_takes_retries_and_timeout_of_the_task(scheduler):
    @rota.task(retries=rota.Retry(3, 1.5, backoff=1), timeout="30s", name="the task")
    def work() -> None: ...

    assert "the task" == scheduler.add(work)
    policy = scheduler.get("the task").stored.job.policy
    assert (3, 1.5, 1) == (policy.retries.count, policy.retries.delay.total_seconds(), policy.retries.backoff)
    assert (30, 2) == (policy.timeout.total_seconds(), policy.kill_after.total_seconds())
    scheduler.add(work, "its own", retries=1, timeout="5s")
    policy = scheduler.get("its own").stored.job.policy
    assert (1, 5, 10) == (policy.retries.count, policy.timeout.total_seconds(), policy.kill_after.total_seconds())
    scheduler.add(work, "its own delay", retry_delay=4)
    retries = scheduler.get("its own delay").stored.job.policy.retries
    assert (3, 4) == (retries.count, retries.delay.total_seconds())


def test_the_engine_does_the_retries_and_the_hooks_hear_of_each_attempt(scheduler, heard):
    @rota.task(retries=2, retry_delay=0.01, required=False, **heard.hooks)
    def work(limit: int) -> str | None:
        if len(heard.errors) < limit:
            raise ValueError(f"failure {len(heard.errors) + 1}")
        return rota.task_id()

    handle = scheduler.trigger(scheduler.add(work, args=[1]))
    assert handle.id == handle.result(20)
    assert [State.FAILED, State.SUCCEEDED] == [attempt.state for attempt in handle.attempts()]
    assert [(1, "ValueError: failure 1")] == heard.errors
    assert [(handle.id, 1)] == [(info.task_id, info.attempt) for info in heard.starts]
    assert [(handle.id, 2, handle.id, None)] == [
        (info.task_id, info.attempt, info.result, info.error) for info in heard.ends
    ]


def test_after_the_last_attempt_the_end_is_told_once(scheduler, heard):
    @rota.task(retries=1, retry_delay=0.01, **heard.hooks)
    async def work() -> None:
        raise ValueError("again")

    seen = []
    name = scheduler.add(work)
    scheduler.on_failure(seen.append)
    run = scheduler.trigger(name).wait(20)
    assert State.FAILED is run.state
    until(lambda: seen, "all who listen have heard")
    assert [(1, "ValueError: again"), (2, "ValueError: again")] == heard.errors
    assert [2] == [info.attempt for info in heard.ends]


def test_of_an_attempt_that_was_ended_the_program_tells(scheduler, heard):
    name = scheduler.add(rota.task(timeout=0.5, kill_after=0.3, name="slow", **heard.hooks)(time.sleep), args=[60])
    run = scheduler.trigger(name).wait(20)
    assert State.TIMED_OUT is run.state
    until(lambda: heard.ends, "the end is told")
    assert [(1, "TaskTimeout: timed out after 500 milliseconds")] == heard.errors
    assert [(run.id, rota.TaskTimeout)] == [(info.task_id, type(info.error)) for info in heard.ends]


def test_of_an_attempt_that_died_the_program_tells(scheduler, heard):
    def dies() -> None:
        os._exit(1)

    run = scheduler.trigger(scheduler.add(rota.task(**heard.hooks)(dies), apart=True)).wait(20)
    until(lambda: heard.ends, "the end is told")
    assert [(1, f"RunFailed: run {run.id} of dies failed: exit code 1")] == heard.errors


def test_a_cancel_is_told_as_well(scheduler, heard):
    @rota.task(**heard.hooks)
    async def work() -> None:
        import asyncio

        await asyncio.sleep(60)

    handle = scheduler.trigger(scheduler.add(work))
    until(lambda: heard.starts, "it has begun")
    handle.cancel("no more")
    handle.wait(20)
    until(lambda: heard.ends, "the end is told")
    assert ["RunFailed"] == [type(info.error).__name__ for info in heard.ends]


def test_in_a_process_the_attempt_tells_and_knows_its_id(program):
    program.write(
        """
        import rota

        def say(*what):
            print(*what, flush=True)

        @rota.task(
            timeout=60,
            retries=1,
            retry_delay=0.01,
            on_start=lambda info: say("start", info.attempt),
            on_error=lambda info, error: say("error", info.attempt, error),
            on_finish=lambda info: say("end", info.attempt, info.error),
        )
        def work():
            print(rota.task_id(), flush=True)
            raise ValueError("no")

        with rota.Scheduler() as scheduler:
            handle = scheduler.trigger(scheduler.add(work))
            handle.wait(60)
            first, second = handle.output(attempt=1), handle.output(attempt=2)
            print((first + second).replace(handle.id, "ID").split())
        """
    )
    said = program.run().splitlines()[-1]
    expected = ["start", "1", "ID", "error", "1", "no", "ID", "error", "2", "no", "end", "2", "no"]
    assert expected == ast.literal_eval(said)


def test_either_order_of_decorators_means_the_same(scheduler):
    @rota.task(retries=2)
    @scheduler.job(every="1h")
    def below() -> None: ...

    @scheduler.job(every="1h")
    @rota.task(retries=2)
    def above() -> None: ...

    @rota.task(retries=2, timeout=30)
    @rota.job(every="1h", retries=1)
    def declared_below() -> None: ...

    @rota.job(every="1h", retries=1)
    @rota.task(retries=2, timeout=30)
    def declared_above() -> None: ...

    try:
        assert [2, 2] == [scheduler.get(name).stored.job.policy.retries.count for name in ("below", "above")]
        for made in (declared_below, declared_above):
            declared = DECLARED.pop(made.__name__)
            assert declared.function is made
            assert {"every": "1h", "retries": 1, "timeout": 30, "kill_after": 2} == dict(declared.options)
    finally:
        DECLARED.clear()


def test_arguments_that_no_store_can_hold_are_one_attempt_as_well(scheduler, heard):
    made = rota.task(retries=5, retry_delay=0, **heard.hooks)(lambda what: 1 / 0)
    run = scheduler.trigger(scheduler.add(made, "odd", args=[object()], retries=0)).wait(20)
    assert (State.FAILED, "ZeroDivisionError: division by zero") == (run.state, run.reason)
    assert [1] == [info.attempt for info in heard.ends]


def test_a_decorator_around_a_task_is_called_as_it_is(scheduler, heard):
    import functools

    task = rota.task(name="inner", **heard.hooks)(lambda: "inner")

    @functools.wraps(task)
    def around() -> str:
        return f"around {task()}"

    handle = scheduler.trigger(scheduler.add(around, "around"))
    assert "around inner" == handle.result(20)
    assert handle.id != heard.ends[0].task_id


def test_a_task_called_within_a_run_has_all_of_its_own_attempts(scheduler, heard):
    @rota.task(retries=1, retry_delay=0, required=False, **heard.hooks)
    def inner() -> None:
        raise ValueError("inner")

    def outer() -> list[str | None]:
        return [rota.task_id(), inner()]

    handle = scheduler.trigger(scheduler.add(outer))
    assert [handle.id, None] == handle.result(20)
    assert [1, 2] == [attempt for attempt, _ in heard.errors]


def test_rota_call_does_one_attempt_for_another_engine(program):
    program.write(
        """
        import rota

        @rota.task(retries=5, retry_delay=60, on_finish=lambda info: print("end", info.attempt, info.task_id))
        def work(value):
            print("attempt", value, rota.task_id())
            if value:
                raise ValueError("no")
        """,
        "parts.py",
    )
    program.write("import sys, rota.call; sys.exit(rota.call.main(['parts:work', sys.argv[1]]))", "call.py")
    program.env |= {"ROTA_RUN_ID": "RUN", "ROTA_ATTEMPT": "2", "ROTA_MAX_ATTEMPTS": "3"}
    assert "attempt 0 RUN\nend 2 RUN\n" == program.run("call.py", '{"args": [0]}')
    failed = program.start("call.py", '{"args": [1]}')
    said, _ = failed.communicate(timeout=60)
    assert 1 == failed.returncode
    assert "attempt 1 RUN\n" == said[:14]
    assert "end 2" not in said
    assert said.rstrip().endswith("ValueError: no")


def test_the_end_of_a_run_is_the_end_of_the_process_of_a_task_that_it_calls(scheduler, tmp_path):
    @rota.task(timeout=1000)
    def inner() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(1000)

    def outer() -> None:
        inner()

    handle = scheduler.trigger(scheduler.add(outer, apart=True, kill_after=0.3))
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the inner one runs")
    handle.cancel()
    assert State.CANCELLED is handle.wait(30).state
    pid = int((tmp_path / "pid").read_text())
    assert not os.path.exists(f"/proc/{pid}") or is_zombie(pid)

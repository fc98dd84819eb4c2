"""`rota.task`, called directly: retries, hooks, log, id and timeout."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import time
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import rota
from rota.errors import BadJob


class Flaky:
    """Fails so many times, and remembers when it was called."""

    def __init__(self, failures: int, error: type[BaseException] = ValueError) -> None:
        self.failures, self.error = failures, error
        self.times: list[float] = []

    def __call__(self) -> str:
        self.times.append(time.monotonic())
        if len(self.times) <= self.failures:
            raise self.error(f"failure {len(self.times)}")
        return "done"


def told(records: list[logging.LogRecord]) -> list[tuple[str, int]]:
    return [(record.event, record.attempt) for record in records]


@pytest.fixture
def records(caplog) -> Iterator[list[logging.LogRecord]]:
    caplog.set_level(logging.INFO, "rota.task")
    found: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = found.append
    logging.getLogger("rota.task").addHandler(handler)
    yield found
    logging.getLogger("rota.task").removeHandler(handler)


# -- a function like before -------------------------------------------------------------------------------------------


def test_a_task_is_the_function_that_it_was():
    @rota.task(retries=1)
    def fetch(url: str, *, most: int = 3) -> list[str]:
        """Fetch it."""
        return [url] * most

    assert ("fetch", "Fetch it.") == (fetch.__name__, fetch.__doc__)
    assert "(url: 'str', *, most: 'int' = 3) -> 'list[str]'" == str(inspect.signature(fetch))
    assert {"url": str, "most": int, "return": list[str]} == typing.get_type_hints(fetch)
    assert not inspect.iscoroutinefunction(fetch)
    assert ["u", "u"] == fetch("u", most=2)


def test_a_bare_decorator_makes_a_task_as_well():
    @rota.task
    def plain() -> str | None:
        return rota.task_id()

    assert plain() != plain()


def test_a_coroutine_function_stays_one():
    @rota.task
    async def slowly(value: int) -> int:
        await asyncio.sleep(0)
        return value

    assert inspect.iscoroutinefunction(slowly)
    assert 4 == asyncio.run(slowly(4))


def test_a_task_may_be_a_method():
    class Client:
        def __init__(self, name: str) -> None:
            self.name = name

        @rota.task
        def here(self, what: str) -> str:
            return f"{self.name} {what}"

        @rota.task(timeout=30)
        def apart(self, what: str) -> tuple[str, bool]:
            return f"{self.name} {what}", os.getpid() != own

    own = os.getpid()
    assert "me there" == Client("me").here("there")
    assert ("me there", True) == Client("me").apart("there")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retires": 3}, r"task 'work': there is no option 'retires'; did you mean 'retries'\?"),
        ({"every": "5m"}, r"task 'work': there is no option 'every'; "),
        ({"retries": -1}, r"task 'work': retries is -1; it must be 0 or more"),
        ({"retries": "3"}, r"task 'work': retries is '3'; give a whole number, or a rota\.Retry"),
        ({"timeout": 0}, r"task 'work': timeout is 0s; it must be longer"),
        ({"on_error": "log"}, r"task 'work': on_error is 'log', which cannot be called; give a function"),
        ({"name": "-x"}, r"job name '-x': a leading '-' would read as an option"),
    ],
)
def test_words_that_mean_nothing_are_refused_where_the_task_is_made(options, said):
    def work() -> None: ...

    with pytest.raises(BadJob, match=said):
        rota.task(**options)(work)


def test_what_is_no_function_is_refused():
    with pytest.raises(BadJob, match="'report' is none"):
        rota.task("report")

    def lines() -> Any:
        yield 1

    with pytest.raises(BadJob, match="lines is a generator"):
        rota.task(lines)


# -- attempts ---------------------------------------------------------------------------------------------------------


def test_retries_wait_longer_each_time():
    flaky = Flaky(2)
    assert "done" == rota.task(retries=3, retry_delay=0.1, backoff=3, name="flaky")(flaky)()
    first, second, third = flaky.times
    assert second - first >= 0.1
    assert third - second >= 0.3


def test_what_is_raised_in_the_end_is_the_last_exception():
    flaky = Flaky(9)
    with pytest.raises(ValueError, match=r"^failure 3$"):
        rota.task(retries=rota.Retry(2, 0.01), name="flaky")(flaky)()
    assert 3 == len(flaky.times)


def test_a_task_that_is_not_required_returns_none_in_the_end(records):
    assert rota.task(required=False, name="flaky")(Flaky(1))() is None
    assert "failed: ValueError: failure 1" in records[-1].getMessage()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_program_is_not_tried_again(error):
    flaky, ends = Flaky(1, error), []
    with pytest.raises(error):
        rota.task(retries=3, retry_delay=0, name="flaky", on_finish=ends.append, required=False)(flaky)()
    assert (1, [error]) == (len(flaky.times), [type(info.error) for info in ends])


def test_who_ends_a_program_in_a_pause_between_attempts_is_told_as_well():
    ends: list[rota.TaskInfo] = []

    @rota.task(retries=3, retry_delay=60, on_finish=ends.append)
    async def work() -> None:
        raise ValueError("no")

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work(), 0.05)

    asyncio.run(main())
    assert [(1, asyncio.CancelledError)] == [(info.attempt, type(info.error)) for info in ends]


def test_a_coroutine_is_tried_again_while_others_go_on():
    beats, flaky = [], Flaky(1)

    @rota.task(retries=1, retry_delay=0.2)
    async def work() -> str:
        return flaky()

    async def main() -> str:
        async def beat() -> None:
            while True:
                beats.append(1)
                await asyncio.sleep(0.01)

        beating = asyncio.create_task(beat())
        result = await work()
        beating.cancel()
        return result

    assert "done" == asyncio.run(main())
    assert len(beats) > 2


def test_a_cancelled_coroutine_is_not_tried_again():
    calls = []

    @rota.task(retries=3, retry_delay=0)
    async def work() -> None:
        calls.append(1)
        await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(work())
        while not calls:
            await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert [1] == calls


def test_a_decorator_between_two_tasks_is_not_passed_by():
    def around(function: Any) -> Any:
        @functools.wraps(function)
        def call() -> str:
            return f"around {function()}"

        return call

    made = rota.task(timeout=30)(around(rota.task(lambda: "inner")))
    assert "around inner" == made()


# -- id, log and hooks ------------------------------------------------------------------------------------------------


def test_an_id_is_there_while_the_task_is_and_sorts_by_time():
    @rota.task
    def inner() -> str | None:
        return rota.task_id()

    @rota.task
    def outer() -> list[str | None]:
        return [rota.task_id(), inner(), rota.task_id()]

    assert rota.task_id() is None
    first, second, third = outer()
    assert first == third
    assert first < second
    assert rota.task_id() is None


def test_each_step_is_one_record_with_fields(records, capfd):
    ids = []
    with pytest.raises(ValueError, match="failure 2"):
        rota.task(retries=1, retry_delay=0.01, name="flaky", on_start=lambda info: ids.append(info.task_id))(Flaky(9))()
    assert [("start", 1), ("error", 1), ("retry", 1), ("error", 2), ("finish", 2)] == told(records)
    assert {("flaky", *ids)} == {(record.task, record.task_id) for record in records}
    assert records[2].delay >= 0.01
    assert [None, "ValueError: failure 1"] == [record.error for record in records[:2]]
    assert records[1].exc_info is not None
    assert ("", "") == capfd.readouterr()


def test_nothing_is_printed_where_no_logging_is_set_up(program):
    program.write(
        """
        import rota

        @rota.task(required=False)
        def fails():
            raise ValueError("quietly")

        print(fails())
        """
    )
    assert "None\n" == program.run()


def test_a_logger_may_be_one_s_own(caplog):
    rota.task(logger="mine-of-tasks", name="flaky")(Flaky(0))()
    rota.task(logger=logging.getLogger("others-of-tasks"), name="flaky")(Flaky(0))()
    assert [] == caplog.records  # their level is WARNING
    rota.task(logger="mine-of-tasks", name="flaky", required=False)(Flaky(1))()
    assert {"mine-of-tasks"} == {record.name for record in caplog.records}


def test_hooks_are_told_with_as_much_as_they_take():
    heard: list[Any] = []

    async def on_finish(info: rota.TaskInfo) -> None:
        await asyncio.sleep(0)
        heard.append(("finish", info.attempt, info.result, info.error))

    task = rota.task(
        name="flaky",
        retries=1,
        retry_delay=0,
        on_start=lambda: heard.append("start"),
        on_error=lambda info, error: heard.append((info.attempt, info.error is error, str(error))),
        on_finish=on_finish,
    )(Flaky(1))
    assert "done" == task()
    assert ["start", (1, True, "failure 1"), ("finish", 2, "done", None)] == heard

    async def inside_a_loop() -> str:
        return task()

    assert "done" == asyncio.run(inside_a_loop())
    assert ("finish", 1, "done", None) == heard[-1]


def test_a_hook_that_fails_changes_nothing_and_is_in_the_log(records):
    async def on_finish() -> None:
        raise OSError("no network")

    assert "done" == rota.task(name="flaky", on_start=lambda: 1 / 0, on_finish=on_finish)(Flaky(0))()
    failed = [record for record in records if record.levelno == logging.ERROR]
    assert ["[flaky] on_start failed", "[flaky] on_finish failed"] == [record.getMessage() for record in failed]


def test_a_coroutine_s_hooks_are_awaited_on_its_loop():
    loops = []

    async def hook() -> None:
        loops.append(asyncio.get_running_loop())

    @rota.task(on_start=hook, on_finish=hook)
    async def work() -> None:
        loops.append(asyncio.get_running_loop())

    asyncio.run(work())
    assert 3 == len(loops)
    assert 1 == len(set(map(id, loops)))

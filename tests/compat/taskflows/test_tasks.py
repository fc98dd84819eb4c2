"""`@task`, `run_task`, TaskLogger and Alerts: names, defaults, results and exceptions as Taskflows has them."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

import rota
from rota.compat.taskflows import (
    Alerts,
    TaskflowsError,
    TaskLogger,
    TaskTimeout,
    ValidationError,
    alerts,
    get_current_task_id,
    run_task,
    task,
)
from rota.compat.taskflows.tasks import Alerts as AlertsOfTasks
from sdk.conftest import until


class Notifier:
    def __init__(self) -> None:
        self.messages: list[str] = []

    def notify(self, message: str) -> None:
        self.messages.append(message)


def test_the_words_and_their_defaults_are_those_of_taskflows():
    given = {name: each.default for name, each in inspect.signature(task).parameters.items()}
    assert [
        ("name", None),
        ("required", False),
        ("retries", 0),
        ("timeout", None),
        ("alerts", None),
        ("logger", None),
    ] == [*given.items()][:6]
    assert ["func", *list(given)[:6]] == list(inspect.signature(run_task).parameters)[:7]
    assert AlertsOfTasks is Alerts
    assert ["start", "error", "finish"] == Alerts(send_to=print).send_on


def test_a_task_that_is_not_required_returns_none_when_it_fails():
    @task()
    def fails() -> None:
        raise ValueError("no")

    assert fails() is None


def test_one_that_is_required_raises_what_its_last_attempt_raised():
    calls = []

    @task(required=True, retries=2, retry_delay=0)
    def fails() -> None:
        calls.append(1)
        raise ValueError(f"call {len(calls)}")

    with pytest.raises(ValueError, match="call 3"):
        fails()


def test_a_task_knows_its_id():
    @task
    async def work() -> str | None:
        return get_current_task_id()

    assert get_current_task_id() is None
    assert asyncio.run(work())


def test_a_timeout_ends_the_work():
    begun = time.monotonic()

    @task(timeout=1, required=True)
    async def slow() -> None:
        time.sleep(60)

    with pytest.raises(TimeoutError):
        asyncio.run(slow())
    assert time.monotonic() - begun < 50


def test_a_plain_task_in_a_loop_is_awaited():
    @task(required=True)
    def work(value: int) -> tuple[int, str | None]:
        return value, get_current_task_id()

    async def main() -> None:
        made = work(1)
        assert inspect.isawaitable(made)
        value, task_id = await made
        assert (1, True) == (value, bool(task_id))

    asyncio.run(main())
    assert 2 == work(2)[0]


def test_run_task_takes_plain_functions_and_coroutine_functions():
    async def slowly(value: int) -> int:
        return value + 1

    def quickly(value: int) -> tuple[int, bool]:
        return value + 1, threading.current_thread() is threading.main_thread()

    def fails() -> None:
        raise OSError("no")

    assert 2 == asyncio.run(run_task(slowly, value=1))
    assert (2, False) == asyncio.run(run_task(quickly, "quick", True, 0, None, None, None, 1))
    assert asyncio.run(run_task(fails)) is None
    with pytest.raises(OSError, match="no"):
        asyncio.run(run_task(fails, required=True))
    assert 2 == asyncio.run(run_task(quickly, timeout=60, value=1))[0]


def test_a_call_of_run_task_that_can_only_fail_is_refused_with_a_sentence():
    def work(b: int) -> int:
        return b

    for call, why in (
        (
            lambda: run_task(work, 1, b=2),
            r"run_task\(work, 1\): what follows the function is the task's name; give work",
        ),
        (lambda: run_task(work, name="n", args=(1,)), r"run_task\(work\): missing a required argument: 'b'; give work"),
        (
            lambda: run_task(work, b=1, args=(1,)),
            "got an unexpected keyword argument 'args'; give work what it takes by",
        ),
    ):
        with pytest.raises(ValidationError, match=why):
            asyncio.run(call())
    assert 2 == asyncio.run(run_task(max, "greater", True, 0, None, None, None, 1, 2))


def test_a_timeout_is_one_of_taskflows_and_of_rota_s():
    heard = []

    class Hears(TaskLogger):
        def on_task_error(self, error: Exception) -> None:
            heard.append(error)

    @task(timeout=0.5, required=True, logger=Hears)
    def slow() -> None:
        time.sleep(60)

    @task(timeout=0.5, required=True, logger=Hears)
    async def slow_coroutine() -> None:
        time.sleep(60)

    for call in (slow, lambda: asyncio.run(slow_coroutine())):
        with pytest.raises(TaskTimeout, match=r"took longer than 0\.5s") as caught:
            call()
        assert isinstance(caught.value, TaskflowsError)
        assert isinstance(caught.value, rota.TaskTimeout)
    assert [TaskTimeout, TaskTimeout] == [type(error) for error in heard]


def test_an_exception_of_the_task_s_own_is_what_it_was():
    error = rota.RotaError("mine")

    @task(required=True)
    def fails() -> None:
        raise error

    with pytest.raises(rota.RotaError) as caught:
        fails()
    assert error is caught.value


def test_a_call_that_leaves_no_answer_and_words_that_mean_nothing_are_taskflows_errors():
    @task(timeout=30, required=True)
    def ends() -> None:
        os._exit(3)

    with pytest.raises(TaskflowsError):
        ends()
    with pytest.raises(ValidationError):
        task(retries=-1)(ends)


def test_a_task_is_a_task_of_rota_s_for_a_scheduler():
    @task(name="load", retries=2, retry_delay=0.01)
    def load() -> str | None:
        if (run := rota.calling()) is not None and run.attempt < 3:
            raise ValueError("not yet")
        return get_current_task_id()

    with rota.Scheduler() as scheduler:
        handle = scheduler.trigger(scheduler.add(load))
        assert handle.id == handle.result(20)
        assert 3 == len(handle.attempts())


# -- alerts and loggers -----------------------------------------------------------------------------------------------


def test_an_alert_has_the_task_s_id_and_the_way_to_its_log():
    notifier, heard = Notifier(), []

    @task(alerts=[Alerts(send_to=[notifier, heard.append], send_on="error"), notifier])
    def fails() -> None:
        ids.append(get_current_task_id())
        raise ValueError("no such day")

    ids: list[str | None] = []
    fails()
    assert 1 == len(heard)
    assert 4 == len(notifier.messages)
    subject, message, task_line, log_line = heard[0].splitlines()
    assert ("ValueError in task fails", "ValueError: no such day") == (subject, message)
    assert f"Task: {ids[0]}" == task_line
    assert f"Logs: this program's own, from 'rota.task' with the task_id {ids[0]}" == log_line


def test_the_alert_of_a_run_says_how_to_see_what_it_wrote():
    notifier = Notifier()
    with rota.Scheduler() as scheduler:
        made = task(name="load", alerts=Alerts(notifier, "finish"), timeout=None)(lambda: "loaded")
        run = scheduler.trigger(scheduler.add(made)).wait(20)
        slow = task(name="slow", alerts=Alerts(notifier, "error"), timeout=0.5)(slowly)
        late = scheduler.trigger(scheduler.add(slow)).wait(20)
        until(lambda: len(notifier.messages) == 2, "both are told")
    assert f"Task: {run.id}\nLogs: rota logs {run.id}" in notifier.messages[0]
    assert "Result: loaded" in notifier.messages[0]
    assert f"Logs: rota logs {late.id}" in notifier.messages[1]


def slowly() -> None:
    time.sleep(60)


def test_an_alert_that_fails_is_in_the_log_and_changes_nothing(caplog):
    def broken(message: str) -> None:
        raise OSError("no network")

    assert 1 == task(alerts=broken)(lambda: 1)()
    assert ["[<lambda>] an alert was not sent: Starting: <lambda>"] == [caplog.records[0].getMessage()]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"send_to": 3}, "3 cannot be told anything; give an object with notify"),
        ({"send_to": print, "send_on": "begin"}, "send_on has 'begin'; it may have start, error, finish"),
    ],
)
def test_alerts_that_would_reach_nobody_are_refused(given, said):
    with pytest.raises(ValidationError, match=said):
        Alerts(**given)


def test_an_alert_to_a_url_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(alerts, "find_spec", lambda name: None)
    with pytest.raises(TaskflowsError, match=r"needs apprise: pip install 'rota\[notify\]'"):
        Alerts("mailto://me@example.org")


@pytest.mark.filterwarnings("ignore")  # of apprise's own
def test_an_alert_to_a_url_gets_there():
    pytest.importorskip("apprise")
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given: Any) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"json://127.0.0.1:{server.server_port}"
            task(name="load", alerts=Alerts(url, "finish"))(lambda: 1)()
        finally:
            server.shutdown()
            thread.join()
    assert ["Finished: load"] == [each["title"] for each in received]
    with pytest.raises(ValidationError, match="apprise does not know what to do with nonsense"):
        Alerts("nonsense://x")


def test_a_logger_s_hooks_may_be_coroutines_and_await_their_base():
    told: list[Any] = []

    class Mine(TaskLogger):
        async def on_task_start(self) -> None:
            await super().on_task_start()
            told.append(("start", self.task_id))

        async def on_task_error(self, error: Exception) -> None:
            await super().on_task_error(error)
            told.append(("error", str(error), len(self.errors)))

        async def on_task_finish(self, success: bool, return_value: Any = None, retries: int = 0) -> None:
            await super().on_task_finish(success, return_value, retries)
            told.append(("finish", success, return_value, retries))

    def work() -> str | None:
        if len(told) < 2:
            raise ValueError("once")
        return get_current_task_id()

    async def async_work() -> str | None:
        return work()

    notifier = Notifier()
    for call in (
        task(logger=Mine, retries=1, retry_delay=0, alerts=notifier)(work),
        lambda: asyncio.run(task(logger=Mine, retries=1, retry_delay=0, alerts=notifier)(async_work)()),
    ):
        told.clear()
        task_id = call()
        assert [("start", task_id), ("error", "once", 1), ("finish", True, task_id, 1)] == told
    assert 6 == len(notifier.messages)


def test_a_logger_is_one_for_each_call():
    made: list[TaskLogger] = []

    class Mine(TaskLogger):
        def on_task_start(self) -> Any:
            made.append(self)
            return super().on_task_start()

    work = task(name="work", logger=Mine)(lambda: None)
    work()
    work()
    assert made[0] is not made[1]
    assert ("work", False, [], 5000) == (made[0].name, made[0].required, made[0].errors, made[0].error_msg_max_length)
    assert isinstance(asyncio.run(TaskLogger.create(name="older", required=True)), TaskLogger)
    with pytest.raises(ValidationError, match="give its class"):
        task(logger=TaskLogger("one"))(lambda: None)

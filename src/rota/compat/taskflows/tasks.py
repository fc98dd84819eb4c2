"""`@task`, and what comes with it: a task of rota's, told of by a TaskLogger."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, overload

import rota
from rota.compat.taskflows.alerts import Alerts, Sending, alerts_of
from rota.compat.taskflows.exceptions import ValidationError, in_ours, ours
from rota.sdk.tasks import stand_in
from rota.sdk.times import now

_P = ParamSpec("_P")
_R = TypeVar("_R")
_RETRY_DELAY = 1.0
_BACKOFF = 2.0


class TaskLogger:
    """Is told how one call of a task goes, and sends its alerts.

    Give a subclass to `@task(logger=…)`: one is made for each call. What you override may be plain or a coroutine, and
    may call, or await, that of its base.
    """

    def __init__(
        self,
        name: str,
        required: bool = False,
        alerts: Any = None,
        error_msg_max_length: int = 5000,
        task_id: str | None = None,
    ) -> None:
        self.name, self.required, self.error_msg_max_length = name, required, error_msg_max_length
        self.alerts: list[Alerts] = alerts_of(alerts)
        self.errors: list[BaseException] = []
        self.task_id = task_id or rota.task_id() or ""
        self.start_time: datetime = now("UTC")
        self.run_id: str | None = None
        """The run of rota's that the task belongs to; None where it is called by a program of its own."""
        self._sending = Sending(name)

    @classmethod
    async def create(cls, **words: Any) -> TaskLogger:
        """Make one, as older versions did."""
        return cls(**words)

    def on_task_start(self) -> Any:
        """Hear that the task starts."""
        self.start_time = now("UTC")
        return self._alert("start", f"Starting: {self.name}")

    def on_task_error(self, error: Exception) -> Any:
        """Hear that an attempt has failed."""
        self.errors.append(error)
        return self._alert("error", f"{type(error).__name__} in task {self.name}", self._shown(error))

    def on_task_finish(self, success: bool, return_value: Any = None, retries: int = 0) -> Any:
        """Hear how the task has ended, with how many retries."""
        took = now("UTC") - self.start_time
        lines = [f"{'Succeeded' if success else 'Failed'} after {took}, {retries} retries"]
        if return_value is not None:
            lines.append(self._cut(f"Result: {return_value}"))
        lines += [self._shown(error) for error in self.errors]
        return self._alert("finish", f"Finished: {self.name}", *lines)

    def wait_for_alerts(self) -> Sending:
        """Return the alerts that are on their way, to be waited for or awaited."""
        return self._sending

    def _alert(self, event: str, subject: str, *lines: str) -> Sending:
        targets = [target for alert in self.alerts if event in alert.send_on for target in alert.send_to]
        if targets:
            message = "\n".join([subject, *lines, f"Task: {self.task_id}", self._how_to_see_the_log()])
            self._sending.send(targets, subject, message)
        return self._sending

    def _how_to_see_the_log(self) -> str:
        """Return how: of a run it is kept, else it is where the program's logging puts it."""
        if self.run_id:
            return f"Logs: rota logs {self.run_id}"
        return f"Logs: this program's own, from 'rota.task' with the task_id {self.task_id}"

    def _shown(self, error: BaseException) -> str:
        return self._cut(f"{type(error).__name__}: {error}")

    def _cut(self, text: str) -> str:
        longest = self.error_msg_max_length
        return text if len(text) <= longest else f"{text[:longest]}…"


class _Told:
    """Passes on to a TaskLogger what rota's hooks are told, with one for each call."""

    def __init__(self, make: Callable[[rota.TaskInfo], TaskLogger]) -> None:
        self._make = make
        self._at_work: dict[str, TaskLogger] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_make": self._make, "_at_work": {}}

    def _of(self, info: rota.TaskInfo) -> TaskLogger:
        """Return a call's own; where the call began in another process, it is made here."""
        found = self._at_work.get(info.task_id)
        return found or self._at_work.setdefault(info.task_id, self._make(info))

    def start(self, info: rota.TaskInfo) -> Any:
        return _left(self._of(info).on_task_start())

    def error(self, info: rota.TaskInfo, error: Exception) -> Any:
        return _left(self._of(info).on_task_error(ours(error)))

    def finish(self, info: rota.TaskInfo) -> Any:
        logger = self._of(info)
        self._at_work.pop(info.task_id, None)
        told = logger.on_task_finish(success=info.error is None, return_value=info.result, retries=info.attempt - 1)
        told, sending = _left(told), logger.wait_for_alerts()
        return _both(told, sending) if told is not None or sending.is_under_way else None


def _left(told: Any) -> Any:
    """Return what is still to be awaited now; alerts have time until the end of the task."""
    return told if inspect.isawaitable(told) and not isinstance(told, Sending) else None


async def _both(told: Any, alerts: Sending) -> None:
    if told is not None:
        await told
    await alerts


def get_current_task_id() -> str | None:
    """Return the id of the task that the caller works for; None outside of one."""
    return rota.task_id()


@overload
def task(name: Callable[_P, _R], /) -> Callable[_P, _R]: ...


@overload
def task(
    name: str | None = None,
    required: bool = False,
    retries: int = 0,
    timeout: float | None = None,
    alerts: Any = None,
    logger: Any = None,
    *,
    retry_delay: float = _RETRY_DELAY,
    backoff: float = _BACKOFF,
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...


def task(
    name: str | Callable[..., Any] | None = None,
    required: bool = False,
    retries: int = 0,
    timeout: float | None = None,
    alerts: Any = None,
    logger: Any = None,
    *,
    retry_delay: float = _RETRY_DELAY,
    backoff: float = _BACKOFF,
) -> Any:
    """Make a task of a function or a coroutine function.

    One that is not `required` returns None when its last attempt fails; else that attempt's exception is raised.
    Retries wait `retry_delay` seconds, each time `backoff` times as long. A timeout ends the attempt's own process and
    everything in it. `logger` is one of Python's, or a subclass of TaskLogger.

    A plain task that is called where an event loop runs gives something to await, and holds up no loop. Who is
    cancelled while he awaits it does not end it: only its timeout does.
    """
    if callable(name):
        return task()(name)

    def make(function: Callable[..., Any]) -> Callable[..., Any]:
        made = _made(function, name, required, retries, timeout, alerts, logger, retry_delay, backoff)
        return made if inspect.iscoroutinefunction(function) else _awaitable_on_a_loop(made)

    return make


def _awaitable_on_a_loop(made: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(made)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return made(*args, **kwargs)
        return loop.create_task(asyncio.to_thread(made, *args, **kwargs))

    return stand_in(made, call)


def _made(
    function: Callable[..., Any],
    name: Any,
    required: bool,
    retries: int,
    timeout: float | None,
    alerts: Any,
    logger: Any,
    retry_delay: float = _RETRY_DELAY,
    backoff: float = _BACKOFF,
) -> Callable[..., Any]:
    """Make a task of rota's whose hooks are a TaskLogger's, and whose exceptions are those of these modules."""
    known, kind = alerts_of(alerts), TaskLogger
    if isinstance(logger, type) and issubclass(logger, TaskLogger):
        kind, logger = logger, None
    if isinstance(logger, TaskLogger):
        raise ValidationError("logger is a TaskLogger; give its class, because each call has one of its own")

    def begin(info: rota.TaskInfo) -> TaskLogger:
        made = kind(name=info.name, required=required, alerts=known, task_id=info.task_id)
        made.run_id = info.run_id
        return made

    told = _Told(begin)
    words: dict[str, Any] = {"name": name, "logger": _checked(logger), "timeout": timeout or None}
    try:
        made = rota.task(
            **{word: value for word, value in words.items() if value is not None},
            required=required,
            retries=rota.Retry(retries, retry_delay, backoff),
            on_start=told.start,
            on_error=told.error,
            on_finish=told.finish,
        )(function)
    except rota.RotaError as error:
        raise ValidationError(str(error)) from None
    return _raising_ours(made)


def _raising_ours(made: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(made):

        @functools.wraps(made)
        async def wait(*args: Any, **kwargs: Any) -> Any:
            with in_ours():
                return await made(*args, **kwargs)

        return stand_in(made, wait)

    @functools.wraps(made)
    def call(*args: Any, **kwargs: Any) -> Any:
        with in_ours():
            return made(*args, **kwargs)

    return stand_in(made, call)


def _checked(logger: Any) -> logging.Logger | str | None:
    if logger is None or isinstance(logger, (logging.Logger, str)):
        return logger
    raise ValidationError(f"logger is {logger!r}; give one of Python's, or a subclass of TaskLogger")


async def run_task(
    func: Callable[..., Any],
    name: str | None = None,
    required: bool = False,
    retries: int = 0,
    timeout: float | None = None,
    alerts: Any = None,
    logger: Any = None,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call a function or a coroutine function as a task, once, without decorating it; it holds up no event loop.

    What the function is to be given goes by keyword, or after `logger`. What it does not take is refused here.
    """
    _check_call(func, name, args, kwargs)
    function = func if inspect.iscoroutinefunction(func) else _off_the_loop(func)
    return await _made(function, name, required, retries, timeout, alerts, logger)(*args, **kwargs)


def _check_call(func: Callable[..., Any], name: Any, args: Any, kwargs: Any) -> None:
    """Refuse a call that can only fail: one that is not required would return None, and nobody would know why."""
    known = getattr(func, "__name__", repr(func))
    how = f"give {known} what it takes by keyword, such as run_task({known}, value=1)"
    if name is not None and not isinstance(name, str):
        raise ValidationError(f"run_task({known}, {name!r}): what follows the function is the task's name; {how}")
    try:
        inspect.signature(func).bind(*args, **kwargs)
    except TypeError as error:
        raise ValidationError(f"run_task({known}): {error}; {how}") from None
    except ValueError:  # a few built-in functions do not say what they take
        return


def _off_the_loop(func: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(func)
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(func, *args, **kwargs)

    return call

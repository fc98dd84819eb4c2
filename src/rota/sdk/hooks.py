"""What is told of a task while it goes: a line in the log for each step, and the program's own hooks."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from rota.call import told
from rota.schedule.duration import format_duration
from rota.sdk.schedules import span

LOG = logging.getLogger("rota.task")
LOG.addHandler(logging.NullHandler())  # nothing is printed unless the program says so

Hook = Callable[..., object]
Finish = Callable[[Any], Awaitable[Any]]


class TaskInfo(msgspec.Struct, frozen=True):
    """What a hook is told of a task."""

    name: str
    task_id: str
    attempt: int
    """Which one this is, from 1; at the end, the last one."""
    duration: float = 0.0
    """Seconds: of the attempt that failed, or at the end of all of it, with its pauses."""
    error: BaseException | None = None
    """What the attempt, or at the end the task, failed with."""
    result: Any = None
    run_id: str | None = None
    """The run that it belongs to: its own, or the one that it is called in; None outside of one."""


class Hooks(msgspec.Struct, frozen=True):
    """Who is told of a task, and where it is written down."""

    log: logging.Logger
    on_start: Hook | None = None
    on_error: Hook | None = None
    on_finish: Hook | None = None

    async def started(self, info: TaskInfo, finish: Finish) -> None:
        """Tell that a task begins."""
        self._say(logging.INFO, "start", info, "starts")
        await self._tell("on_start", self.on_start, info, finish, info)

    async def failed(self, info: TaskInfo, finish: Finish) -> None:
        """Tell that an attempt has failed."""
        assert info.error is not None, "an attempt that failed has failed with something"
        text = f"attempt {info.attempt} failed after {info.duration:.3f}s: {told(info.error)}"
        self._say(logging.WARNING, "error", info, text)
        await self._tell("on_error", self.on_error, info, finish, info, info.error)

    def tries_again(self, info: TaskInfo, delay: float) -> None:
        """Say that there is going to be another attempt."""
        text = f"attempt {info.attempt + 1} follows in {format_duration(span(round(delay, 3)))}"
        self._say(logging.INFO, "retry", info, text, delay=delay)

    async def ended(self, info: TaskInfo, finish: Finish) -> None:
        """Tell how a task ended."""
        if info.error is None:
            self._say(logging.INFO, "finish", info, f"succeeded in {info.duration:.3f}s")
        else:
            many = "" if info.attempt == 1 else f" after {info.attempt} attempts"
            self._say(logging.ERROR, "finish", info, f"failed{many}: {told(info.error)}")
        await self._tell("on_finish", self.on_finish, info, finish, info)

    def _say(self, level: int, event: str, info: TaskInfo, text: str, **more: Any) -> None:
        fields = {
            "event": event,
            "task": info.name,
            "task_id": info.task_id,
            "attempt": info.attempt,
            "duration": info.duration,
            "error": None if info.error is None else told(info.error),
            **more,
        }
        # An attempt's failure brings its traceback; the end says again what it was, and no more.
        trace = info.error if event == "error" else None
        self.log.log(level, "[%s] %s", info.name, text, exc_info=trace, extra=fields)

    async def _tell(self, name: str, hook: Hook | None, info: TaskInfo, finish: Finish, *given: object) -> None:
        """Call a hook with as much as it takes; what it does wrong is in the log, and changes nothing else."""
        if hook is None:
            return
        try:
            answer = hook(*given[: most_arguments(hook, len(given))])
            if inspect.isawaitable(answer):
                await finish(answer)
        except Exception:
            self.log.exception("[%s] %s failed", info.name, name, extra={"task": info.name, "task_id": info.task_id})


def most_arguments(function: Hook, most: int) -> int:
    """Return how many arguments somebody's function takes, of those there are; it need not take all of them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a few built-in ones do not tell
        return most
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return most
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)

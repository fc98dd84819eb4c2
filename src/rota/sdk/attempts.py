"""How a task goes: called directly with all of its attempts, or one attempt of a run that an engine looks after.

Both are written once, for functions and for coroutine functions; what differs is how a step is done (`Steps`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from rota.clock import SystemClock
from rota.errors import NotCarried, TaskTimeout
from rota.ids import RunIds
from rota.model.policy import Retries
from rota.model.run import State
from rota.plan.retry import GiveUp, decide_retry
from rota.process.inside import CALLING
from rota.sdk.awaiting import finished
from rota.sdk.current import TASK_ID, Sent, run_id
from rota.sdk.deadlines import Deadline, await_within, call_within
from rota.sdk.functions import target_of
from rota.sdk.hooks import Hooks, TaskInfo

_CLOCK = SystemClock()
_FAILED = 1
"""The code that a process ends with when its function has raised something."""


class Work(Protocol):
    """What is known of a task here."""

    name: str
    function: Callable[..., Any]
    call: Callable[..., Any]
    retries: Retries
    deadline: Deadline | None
    required: bool
    hooks: Hooks


class Steps(Protocol):
    """What is done one way in plain code, and another on an event loop."""

    async def perform(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call the function once, here."""

    async def perform_within(self, deadline: Deadline, work: Work, sent: Sent, args: Any, kwargs: Any) -> Any:
        """Call the function once, for no longer than it may take."""

    async def pause(self, seconds: float) -> None:
        """Wait."""

    async def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Await what a hook has returned."""


class Plain:
    """Steps that are done when they are awaited: see awaiting.driven."""

    async def perform(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call it."""
        return function(*args, **kwargs)

    async def perform_within(self, deadline: Deadline, work: Work, sent: Sent, args: Any, kwargs: Any) -> Any:
        """Call it in a process of its own."""
        return call_within(deadline, f"task {work.name!r}", sent, work.function, args, kwargs)

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        _CLOCK.sleep(seconds)

    async def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Await it on a loop of its own."""
        return finished(awaitable)


class OnLoop:
    """Steps that hold up no event loop."""

    async def perform(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call and await it."""
        return await function(*args, **kwargs)

    async def perform_within(self, deadline: Deadline, work: Work, sent: Sent, args: Any, kwargs: Any) -> Any:
        """Await it in a process of its own."""
        return await await_within(deadline, f"task {work.name!r}", sent, work.function, args, kwargs)

    async def pause(self, seconds: float) -> None:
        """Let others go on meanwhile."""
        import asyncio

        await asyncio.sleep(seconds)

    async def finish(self, awaitable: Awaitable[Any]) -> Any:
        """Await it."""
        return await awaitable


class _Ids:
    """Ids that sort by the time they were made, for many threads."""

    def __init__(self) -> None:
        self._ids, self._lock = RunIds(), threading.Lock()

    def new(self) -> str:
        with self._lock:
            return self._ids.new(_CLOCK.now())


_IDS = _Ids()


async def run_directly(work: Work, steps: Steps, args: Any, kwargs: Any) -> Any:
    """Do all of a task: attempts with pauses between them, until one succeeds or none is left."""
    course = _Course(work, steps)
    before = TASK_ID.set(course.info.task_id)
    try:
        return await course.run(args, kwargs)
    except GeneratorExit:  # nobody drives this any more, so nothing can be told
        raise
    except Exception as error:
        await course.tell_end(error=error)
        if work.required:
            raise
        return None
    except BaseException as error:  # Ctrl-C, an exit or a cancel: nothing is tried again
        await course.tell_end(error=error)
        raise
    finally:
        TASK_ID.reset(before)


class _Course:
    """One direct call of a task on its way through its attempts."""

    def __init__(self, work: Work, steps: Steps) -> None:
        self._work, self._steps = work, steps
        self._begun = _CLOCK.monotonic()
        self.info = TaskInfo(work.name, _IDS.new(), 1, run_id=run_id())

    async def run(self, args: Any, kwargs: Any) -> Any:
        await self._work.hooks.started(self.info, self._steps.finish)
        while True:
            since = _CLOCK.monotonic()
            try:
                result = await self._perform(args, kwargs)
            except Exception as error:
                delay = await self._pause_after(error, since)
                if delay is None:
                    raise
            else:
                await self.tell_end(result=result)
                return result
            await self._steps.pause(delay)
            self.info = msgspec.structs.replace(self.info, attempt=self.info.attempt + 1)

    async def _perform(self, args: Any, kwargs: Any) -> Any:
        work = self._work
        if work.deadline is None:
            return await self._steps.perform(work.function, args, kwargs)
        # What can be imported is imported by its process; everything else goes with what it refers to.
        by_name = target_of(work.call) != ""
        sent = Sent(work.call if by_name else work.function, self.info.task_id)
        return await self._steps.perform_within(work.deadline, work, sent, args, kwargs)

    async def _pause_after(self, error: Exception, since: float) -> float | None:
        """Tell of a failed attempt, and return the pause before the next one; None when there is none."""
        failed = msgspec.structs.replace(self.info, duration=_CLOCK.monotonic() - since, error=error)
        await self._work.hooks.failed(failed, self._steps.finish)
        if isinstance(error, NotCarried):  # it did what it should; to do it again would only do it twice
            return None
        state = State.TIMED_OUT if isinstance(error, TaskTimeout) else State.FAILED
        decision = decide_retry(self._work.retries, self.info.attempt, state, _FAILED, _chance())
        if isinstance(decision, GiveUp):
            return None
        delay = decision.delay.total_seconds()
        self._work.hooks.tries_again(failed, delay)
        return delay

    async def tell_end(self, *, error: BaseException | None = None, result: Any = None) -> None:
        await _tell_end(self._work, self._steps, self.info, self._begun, error=error, result=result)


async def _tell_end(
    work: Work, steps: Steps, info: TaskInfo, begun: float, *, error: BaseException | None = None, result: Any = None
) -> None:
    told = msgspec.structs.replace(info, duration=_CLOCK.monotonic() - begun, error=error, result=result)
    await work.hooks.ended(told, steps.finish)


def _chance() -> float:
    """Return a number in [0, 1) that spreads retries."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


async def run_attempt(work: Work, steps: Steps, args: Any, kwargs: Any) -> Any:
    """Do one attempt of a run: the engine that called for it looks after timeout, retries and the record.

    In the program the run is in a context, in a process of its own in the environment. Only who has been called by an
    engine comes here, so neither is a guess.
    """
    run, known = CALLING.get(), run_id()
    if run is not None:
        attempt, most = run.attempt, run.max_attempts
    else:
        attempt, most = int(os.environ.get("ROTA_ATTEMPT", "1")), int(os.environ.get("ROTA_MAX_ATTEMPTS", "1"))
    info = TaskInfo(work.name, known or _IDS.new(), attempt, run_id=known)
    begun = _CLOCK.monotonic()
    TASK_ID.set(info.task_id)
    if info.attempt == 1:
        await work.hooks.started(info, steps.finish)
    try:
        result = await steps.perform(work.function, args, kwargs)
    except Exception as error:
        failed = msgspec.structs.replace(info, duration=_CLOCK.monotonic() - begun, error=error)
        await work.hooks.failed(failed, steps.finish)
        if info.attempt >= most:
            await work.hooks.ended(failed, steps.finish)
        raise
    except SystemExit as end:
        if not end.code:
            await _tell_end(work, steps, info, begun)
        raise
    await _tell_end(work, steps, info, begun, result=result)
    return result

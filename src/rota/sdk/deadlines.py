"""A call that may take so long and no longer, for who waits for its answer.

It has a process of its own, which is ended with everything that it has started. What cannot be sent there has a thread,
or as a coroutine the caller's own loop: then the wait for it ends at the timeout. A coroutine is cancelled as well; a
thread cannot be ended, and goes on until it ends by itself.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from rota.errors import TaskTimeout
from rota.process.apart import Apart
from rota.sdk.functions import by_value, warn_of_a_thread


class Deadline(NamedTuple):
    """How long a call may take, and how long it has to end when it is asked to, in seconds."""

    timeout: float
    kill_after: float


def call_within(
    deadline: Deadline, name: str, sent: Callable[..., Any], function: Callable[..., Any], args: Any, kwargs: Any
) -> Any:
    """Call a function: `sent` in its process, or else `function` in a thread."""
    payload = _payload(name, sent, args, kwargs)
    if payload is None:
        return _in_thread(deadline, name, lambda: function(*args, **kwargs))
    with Apart(payload, name) as call:
        return call.result(*deadline)


async def await_within(
    deadline: Deadline, name: str, sent: Callable[..., Any], function: Callable[..., Any], args: Any, kwargs: Any
) -> Any:
    """Do the same for a coroutine function, and hold up no event loop meanwhile."""
    payload = _payload(name, sent, args, kwargs)
    if payload is None:
        return await _in_this_loop(deadline, name, function(*args, **kwargs))
    with Apart(payload, name) as call:
        return await _answer_of(call, deadline)


def _payload(name: str, sent: Callable[..., Any], args: Any, kwargs: Any) -> bytes | None:
    try:
        return by_value(sent, args, kwargs)
    except Exception as error:  # noqa: BLE001 -- whatever an object's own way of pickling throws
        warn_of_a_thread(name, error)
        return None


def _late(deadline: Deadline, name: str, what: str) -> TaskTimeout:
    return TaskTimeout(f"{name} took longer than {deadline.timeout:g}s; {what}")


def _in_thread(deadline: Deadline, name: str, call: Callable[[], Any]) -> Any:
    done: Future[Any] = Future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            done.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is raised where the answer is awaited
            done.set_exception(error)

    threading.Thread(target=work, name=name, daemon=True).start()
    try:
        return done.result(deadline.timeout)
    except TimeoutError:
        if done.done():  # the function's own
            raise
        raise _late(deadline, name, "its thread could not be ended, and goes on in the program") from None


async def _in_this_loop(deadline: Deadline, name: str, coroutine: Any) -> Any:
    import asyncio

    task = asyncio.ensure_future(coroutine)
    try:
        await asyncio.wait({task}, timeout=deadline.timeout)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=deadline.kill_after)
        raise _late(deadline, name, "it was cancelled" if task.done() else "it was cancelled, and does not heed that")
    except asyncio.CancelledError:
        task.cancel()
        raise


async def _answer_of(call: Apart, deadline: Deadline) -> Any:
    """Wait for a call's answer in a thread; whoever is cancelled meanwhile waits until nothing of it is left."""
    import asyncio

    loop = asyncio.get_running_loop()
    answered: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def work() -> None:
        answer: tuple[Any, BaseException | None]
        try:
            answer = call.result(*deadline), None
        except BaseException as error:  # noqa: BLE001 -- whatever it is, it is raised where the answer is awaited
            answer = None, error
        with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits any more
            loop.call_soon_threadsafe(answered.set_result, answer)

    threading.Thread(target=work, name="rota task", daemon=True).start()
    try:
        result, error = await asyncio.shield(answered)
    except asyncio.CancelledError:
        call.interrupt()
        while not answered.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(answered)
        raise
    if error is not None:
        raise error
    return result

"""Plain code that meets something to be awaited: it is awaited on an event loop of its own."""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Awaitable, Coroutine
from typing import Any


def finished(result: Any) -> Any:
    """Return what a function returned; what is still to be awaited is awaited on an event loop of its own."""
    if not inspect.isawaitable(result):
        return result
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    if running_loop() is None:
        return asyncio.run(_coroutine(result))
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as apart:  # the caller's own loop cannot wait for another
        return apart.submit(context.run, asyncio.run, _coroutine(result)).result()


def running_loop() -> Any:
    """Return the event loop that turns in this thread; None when there is none."""
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def driven(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine whose awaits never wait, in the caller's own thread, and return its result.

    What goes the same way with and without an event loop is written once, as a coroutine; without one, each of its
    steps is done when it is awaited.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("a step has waited for an event loop, and there is none")


def _coroutine(awaitable: Awaitable[Any]) -> Coroutine[Any, Any, Any]:
    async def wait() -> Any:
        return await awaitable

    return wait()

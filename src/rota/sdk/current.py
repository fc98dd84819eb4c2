"""Which task the present code works for, here and in a process of its own."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from typing import Any

from rota.process.inside import CALLING

TASK_ID: contextvars.ContextVar[str | None] = contextvars.ContextVar("rota_task_id", default=None)


def task_id() -> str | None:
    """Return the id of the task that the caller works for: its own, or in a scheduled run that of the run.

    None where there is neither. In a process of a task's or a run's own it is the same as in the program.
    """
    return TASK_ID.get() or run_id()


def run_id() -> str | None:
    """Return the id of the run that the caller works for, here or in a process of its own; None outside of one."""
    run = CALLING.get()
    return run.run_id if run is not None else os.environ.get("ROTA_RUN_ID")


class Sent:
    """What a task's own process calls: its function, which knows there whose it is.

    A function that can be imported is the task there, because that is what its name stands for.
    """

    def __init__(self, function: Callable[..., Any], task_id: str) -> None:
        self._function, self._task_id = function, task_id

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        TASK_ID.set(self._task_id)
        task = getattr(self._function, "__rota_task__", None)
        if task is not None and task.call is self._function:
            return task.function(*args, **kwargs)
        return self._function(*args, **kwargs)

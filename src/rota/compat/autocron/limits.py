"""A task's limits, and what may be said of a run that has met one."""

from __future__ import annotations

import math
import re
import signal
from typing import TYPE_CHECKING

from rota import State

if TYPE_CHECKING:
    from rota import Attempt, Run
    from rota.compat.autocron.task import Task

_NO_MEMORY = re.compile(r"\bMemoryError\b|bad_alloc|[Oo]ut of memory|[Cc]annot allocate memory")
_BY_SIGNAL = 128


def cpu_seconds(task: Task) -> int | None:
    """Return how much processor time a run may have: its percentage of the time that it may take."""
    if task.max_cpu_percent is None or task.timeout is None:
        return None
    return max(1, math.ceil(task.timeout * task.max_cpu_percent / 100))


def why(task: Task, ended: Run | Attempt, said: str) -> str:
    """Return why a run or an attempt did not succeed; `said` is the end of what it wrote to standard error.

    Nobody records which limit ended a process, so it is told by what the limit leaves: SIGXCPU comes from no other
    place, and SIGKILL follows for who goes on. A lack of memory is what the program itself tells.
    """
    reason = ended.reason or ended.state.value
    if ended.state is not State.FAILED:
        return reason
    seconds, code = cpu_seconds(task), ended.exit_code
    if seconds is not None:
        limit = f"max_cpu_percent={task.max_cpu_percent:g} of timeout={task.timeout:g} is {seconds} s of processor time"
        if code == _BY_SIGNAL + signal.SIGXCPU:
            return f"{limit}, and it is used up (exit code {code})"
        if code == _BY_SIGNAL + signal.SIGKILL:
            return f"{reason}; perhaps its limit: {limit}"
    if task.max_memory_mb is not None and _NO_MEMORY.search(f"{reason}\n{said}"):
        return f"{reason}; its memory is limited by max_memory_mb={task.max_memory_mb}"
    return reason

"""How the work of a task is done: in a thread, in a process of its own, within its limits.

A function runs in a thread of the program, where it sees the program's variables, unless something is to be kept that
only a process can keep: a timeout, a limit, a clean environment, safe mode. A script is always a process.
"""

from __future__ import annotations

import contextvars
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import rota
from rota.compat.autocron.errors import TaskExecutionError
from rota.compat.autocron.limits import cpu_seconds, why
from rota.sdk.awaiting import finished

if TYPE_CHECKING:
    from rota import Run
    from rota.compat.autocron.task import Task

SAFE_MODE = "AUTOCRON_SAFE_MODE"
_LOOK = 0.1
_AT_WORK: contextvars.ContextVar[str] = contextvars.ContextVar("autocron_at_work", default="")
"""The task that the present thread works for."""
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", SAFE_MODE)
_ROTA = ("MARK", "JOB", "RUN_ID", "ATTEMPT", "SLOT", "TRIGGER", "LATENESS")
"""Without these a process that a script has started could not be found and ended."""
_CLEAN = (*_KEPT, *(f"ROTA_{word}" for word in _ROTA))


class Work:
    """What the thread or the process of a run calls."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.errors: dict[str, BaseException] = {}
        """Exceptions of runs in this program, by run."""
        self._program = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "errors": {}}

    def __call__(self) -> Any:
        """Do the work once."""
        task, calling = self.task, rota.calling()
        _AT_WORK.set(task.task_id)
        try:
            _keep_within_limits(task, own_process=os.getpid() != self._program)
            return finished(task.execute())
        except Exception as error:
            if calling is not None:
                self.errors[calling.run_id] = error
            raise

    def error_of(self, run: Run, why: str) -> BaseException:
        """Return what ended a run: the exception itself where it was raised in this program."""
        return self.errors.pop(run.id, None) or TaskExecutionError(why)


def execute(task: Task) -> Any:
    """Run a task's function or script, and return what comes of it.

    A run of the scheduler has the limits already. Somebody who calls `task.execute()` by hand has them, too, but for a
    function that has none: that is called as any function is.
    """
    if _AT_WORK.get() != task.task_id and (task.func is None or needs_process(task)):
        return _execute_by_itself(task)
    if task.func is not None:
        return finished(task.func())
    code = _run_script(task)
    if code:
        raise TaskExecutionError(f"exit code {code}")
    return None


def _run_script(task: Task) -> int:
    """Run a script for who overrides `execute`, and return its code; it ends when the run is asked to."""
    calling = rota.calling()
    with subprocess.Popen(argv_of(task), env={**os.environ, **environment_of(task)}) as process:
        while True:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                if calling is not None and calling.cancelled():
                    process.terminate()
                    calling = None


def _execute_by_itself(task: Task) -> Any:
    """Run a task once on an engine that is there for nothing else."""
    with rota.Scheduler(capacity=1) as engine:
        options = {"timeout": task.timeout, "env": environment_of(task), "max_output": task.max_output_bytes // 2}
        what = Work(task) if task.func is not None else argv_of(task)
        handle = engine.trigger(engine.add(what, "task", apart=True, **options))  # type: ignore[arg-type]
        run = handle.wait()
        if run.state is not rota.State.SUCCEEDED:
            said = handle.output("stderr").strip().splitlines()[-1:]
            reason = why(task, run, "".join(said))
            raise TaskExecutionError(": ".join([reason, *said]) if task.func is None else reason)
        return handle.result() if task.func is not None else handle.output()


def needs_process(task: Task) -> bool:
    """Tell whether a function must have a process of its own."""
    return task.timeout is not None or task.safe_mode or _needs_limits(task)


def _needs_limits(task: Task) -> bool:
    return task.max_memory_mb is not None or task.max_cpu_percent is not None or task.clean_env


def environment_of(task: Task) -> dict[str, str]:
    """Return the variables that a task has besides the program's own."""
    return {SAFE_MODE: "1"} if task.safe_mode else {}


def argv_of(task: Task) -> list[str]:
    """Return how a script is started: Python by this Python, everything else by itself, within the task's limits."""
    script = os.path.expanduser(task.script or "")
    is_python = script.lower().endswith(".py")
    argv = [sys.executable, script] if is_python else [script if "/" in script else f"./{script}"]
    if not _needs_limits(task):
        return argv
    lines = []
    if task.max_memory_mb is not None:
        lines.append(f"ulimit -v {task.max_memory_mb * 1024} || exit 126")
    if (seconds := cpu_seconds(task)) is not None:
        # SIGXCPU says what has happened, as SIGKILL does not; that comes a second later, for who goes on all the same.
        lines.append(f"ulimit -S -t {seconds} && ulimit -H -t {seconds + 1} || exit 126")
    clean = " ".join(f'${{{name}+"{name}=${name}"}}' for name in _CLEAN)
    lines.append(f'exec env -i {clean} "$@"' if task.clean_env else 'exec "$@"')
    return ["/bin/sh", "-c", "; ".join(lines), task.name, *argv]


def _keep_within_limits(task: Task, *, own_process: bool) -> None:
    """In a function's own process, before it is called: what argv_of does for a script."""
    import resource

    if not _needs_limits(task):
        return
    if not own_process:
        raise TaskExecutionError(
            f"task {task.name!r} has limits that only a process can keep, and its function cannot be sent to one; "
            "take the limits away, or make it a function that can be imported"
        )
    if task.clean_env:
        for name in set(os.environ) - set(_CLEAN):
            del os.environ[name]
    if task.max_memory_mb is not None:
        resource.setrlimit(resource.RLIMIT_AS, (task.max_memory_mb << 20,) * 2)
    if (seconds := cpu_seconds(task)) is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))

"""The scheduler of the whole program, and the decorator that adds to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack, overload

from rota.compat.autocron import child
from rota.compat.autocron.errors import SchedulingError
from rota.compat.autocron.files import is_interval
from rota.compat.autocron.runner import AutoCron

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LOCK = threading.Lock()
_SHARED: list[AutoCron] = []


class Said(TypedDict, total=False):
    """What a task may be told besides what it is and when it is due: see `AutoCron.add_task`."""

    name: str
    retries: int
    retry_delay: float
    timeout: float | None
    notify: str | list[str] | None
    email_config: dict[str, Any] | None
    on_success: Callable[..., Any] | None
    on_failure: Callable[..., Any] | None
    timezone: str | tzinfo | None
    safe_mode: bool
    max_memory_mb: int | None
    max_cpu_percent: float | None
    overlap_policy: str
    max_instances: int
    misfire_grace_time: float | None
    coalesce: bool
    clean_env: bool
    max_output_bytes: int
    notifier: Any


@overload
def schedule(
    what: None = None, every: str | None = None, cron: str | None = None, **said: Unpack[Said]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...


@overload
def schedule(
    what: Callable[_P, _R], every: str | None = None, cron: str | None = None, **said: Unpack[Said]
) -> Callable[_P, _R]: ...


@overload
def schedule(
    what: str, every: None = None, cron: None = None, **said: Unpack[Said]
) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]: ...


@overload
def schedule(what: str, every: str, cron: None = None, **said: Unpack[Said]) -> str: ...


@overload
def schedule(what: str, every: None = None, *, cron: str, **said: Unpack[Said]) -> str: ...


def schedule(
    what: str | Callable[..., Any] | None = None,
    every: str | None = None,
    cron: str | None = None,
    retries: int = 0,
    retry_delay: float = 60,
    timeout: float | None = None,
    notify: str | list[str] | None = None,
    email_config: dict[str, Any] | None = None,
    on_success: Callable[..., Any] | None = None,
    on_failure: Callable[..., Any] | None = None,
    timezone: str | tzinfo | None = None,
    **more: Any,
) -> Any:
    """Schedule the function below, `@schedule(every="5m")`, or a script, `schedule("script.py", every="5m")`.

    The function stays what it was; a script's task id is returned. `@schedule("5m")` is the same as `every="5m"`.
    Everything else that `AutoCron.add_task` may be told, may be told here. In the process of a function nothing is
    added, and the id is empty.
    """
    said = {word: value for word, value in locals().items() if word not in ("what", "more")} | more
    if every is None and cron is None:
        if not isinstance(what, str):
            raise SchedulingError("schedule wants to know when: every='5m', or cron='0 9 * * *'")
        said["every" if is_interval(what) else "cron"], what = what, None

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        if not child.is_one():
            _add_function(function, said)
        return function

    if what is None:
        return add
    if callable(what):
        return add(what)
    name = said.pop("name", None) or os.path.splitext(os.path.basename(what))[0]
    return "" if child.is_one() else _shared().add_task(name, script=what, **said)


def _add_function(function: Callable[..., Any], said: dict[str, Any]) -> None:
    """Add a function; the same one anew, from a cell or a module that was run again, takes its own place."""
    scheduler = _shared()
    place = (function.__module__, getattr(function, "__qualname__", ""))
    if "<locals>" not in place[1]:
        for task in scheduler.list_tasks():
            if (getattr(task.func, "__module__", None), getattr(task.func, "__qualname__", None)) == place:
                scheduler.remove_task(task.task_id)
    name = said.get("name") or getattr(function, "__name__", None) or type(function).__name__
    scheduler.add_task(**{**said, "name": name, "func": function})


def _shared() -> AutoCron:
    with _LOCK:
        if not _SHARED:
            _SHARED.append(AutoCron())
        return _SHARED[0]


def get_global_scheduler() -> AutoCron | None:
    """Return the scheduler that `schedule` adds to; None as long as nothing was scheduled."""
    return _SHARED[0] if _SHARED else None


def start_scheduler(blocking: bool = True) -> None:
    """Start the scheduler that `schedule` adds to."""
    if child.is_one():
        return
    if not _SHARED:
        raise RuntimeError("there is nothing to start: decorate a function with @schedule first")
    _SHARED[0].start(blocking=blocking)


def reset_global_scheduler() -> None:
    """Stop the scheduler that `schedule` adds to, and forget it and its tasks."""
    with _LOCK:
        gone, _SHARED[:] = _SHARED[:], []
    for scheduler in gone:
        scheduler.stop()

"""Tasks in files: what `save_tasks` writes and `load_tasks` reads, and autocron.yaml for `from_config`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from rota import RotaError
from rota.compat.autocron.errors import SchedulingError, TimeParseError
from rota.compat.autocron.logger import AutoCronLogger
from rota.compat.autocron.task import Task
from rota.compat.autocron.utils import get_autocron_home, parse_interval
from rota.sdk.saved import SUFFIXES, read_document, write_document
from rota.sdk.times import now

VERSION = "1.0"
_LEFT_OUT = dict.fromkeys(("notify", "email_config", "max_memory_mb", "max_cpu_percent")) | {
    "timezone": "local",
    "safe_mode": False,
    "clean_env": False,
    "max_output_bytes": 1_000_000,
}
"""What need not be in a file as long as it says nothing."""
_SECTIONS = ("scheduler", "logging", "tasks", "notifications")
_SCHEDULER = ("max_workers", "timezone", "use_os_scheduler", "log_path", "log_level")
_TASK = (
    *("name", "script", "schedule", "every", "cron", "enabled", "description", "retries", "retry_delay", "timeout"),
    *("notify", "email", "email_config", "safe_mode", "max_memory_mb", "max_cpu_percent", "timezone", "overlap_policy"),
    *("max_instances", "misfire_grace_time", "coalesce", "clean_env", "max_output_bytes"),
)
_NOT_GIVEN_ON = ("schedule", "email", "enabled", "description")


def path_of(path: str | os.PathLike[str] | None) -> str:
    """Return where tasks are kept: there, or in the home directory."""
    found = os.path.abspath(os.path.expanduser(get_autocron_home() / "tasks.yaml" if path is None else path))
    if not found.lower().endswith(SUFFIXES):
        raise SchedulingError(f"Unsupported file format: {found}; its name must end in {', '.join(SUFFIXES)}")
    return found


def save(path: str, tasks: Iterable[Task]) -> str:
    """Write the tasks that have a script, and return the file's path."""
    kept = []
    for task in tasks:
        data = task.to_dict()
        kept.append({key: value for key, value in data.items() if key not in _LEFT_OUT or value != _LEFT_OUT[key]})
    try:
        return write_document(path, {"version": VERSION, "saved_at": now().isoformat(), "tasks": kept})
    except OSError as error:
        raise SchedulingError(f"the tasks cannot be saved in {path}: {error.strerror or error}") from error


def load(path: str, logger: AutoCronLogger) -> list[Task]:
    """Return the tasks of a file; one that is wrong is left out, and the log says why."""
    data = _read(path, "Task file not found")
    tasks = data.get("tasks") if isinstance(data, dict) else None
    if not isinstance(tasks, list):
        raise SchedulingError(f"Invalid task file format: {path} must have a list of tasks, as save_tasks writes it")
    version = str(data.get("version", VERSION))
    if version.partition(".")[0] != VERSION.partition(".")[0]:
        raise SchedulingError(f"{path} has version {version}, and this reads {VERSION}")
    found = []
    for each in tasks:
        try:
            found.append(Task.from_dict(each))
        except (ValueError, TypeError, RotaError) as error:
            logger.error("a task in %s is left out: %s", path, error)  # noqa: TRY400 -- the reason, not a traceback
    return found


def read_config(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what autocron.yaml says about the scheduler, and about each task, as their constructors are told it."""
    path = os.path.abspath(os.path.expanduser(path))
    data = _read(path, "Configuration file not found")
    if not isinstance(data, dict):
        raise SchedulingError(f"{path} must have the sections {', '.join(_SECTIONS)}")
    _check_keys(data, _SECTIONS, path)
    scheduler, logging = _section(data, "scheduler", path), _section(data, "logging", path)
    _check_keys(scheduler, _SCHEDULER, f"{path}: scheduler")
    about = {key: value for key, value in scheduler.items() if value is not None}
    for key, words in (("log_path", ("path", "file", "log_path")), ("log_level", ("level", "log_level"))):
        about.update((key, str(logging[word])) for word in words if logging.get(word))
    tasks = data.get("tasks") or []
    if not isinstance(tasks, list) or not all(isinstance(each, dict) for each in tasks):
        raise SchedulingError(f"{path}: tasks must be a list such as [{{name: …, script: …, schedule: 5m}}]")
    return about, [_task(each, path) for each in tasks]


def _task(data: dict[str, Any], path: str) -> dict[str, Any]:
    where = f"{path}: task {data.get('name')!r}"
    _check_keys(data, _TASK, where)
    said = {key: value for key, value in data.items() if key not in _NOT_GIVEN_ON and value is not None}
    if data.get("schedule") is not None:
        text = str(data["schedule"])
        said["every" if is_interval(text) else "cron"] = text
    if "every" not in said and "cron" not in said:
        raise SchedulingError(f"{where} needs a schedule, such as 5m or '0 9 * * *'")
    if data.get("email") is not None:
        said["email_config"] = data["email"]
    if isinstance(said.get("script"), str):
        # A script is looked for beside the file first, and then where the program is.
        script = os.path.expanduser(said["script"])
        beside = os.path.normpath(os.path.join(os.path.dirname(path), script))
        said["script"] = beside if os.path.exists(beside) else script
    said["enabled"] = data.get("enabled", True) not in (False, "no", "off", "false")
    return said


def is_interval(text: str) -> bool:
    """Tell an interval from a cron expression."""
    try:
        parse_interval(text)
    except TimeParseError:
        return False
    return True


def _read(path: str, missing: str) -> Any:
    try:
        return read_document(path)
    except FileNotFoundError:
        raise SchedulingError(f"{missing}: {path}") from None
    except (OSError, RotaError) as error:
        raise SchedulingError(f"{path} cannot be read: {error}") from error


def _section(data: dict[str, Any], name: str, path: str) -> dict[str, Any]:
    found = data.get(name) or {}
    if not isinstance(found, dict):
        raise SchedulingError(f"{path}: {name} must be a mapping")
    return found


def _check_keys(data: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in data:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise SchedulingError(
                f"{where}: unknown key {key!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"it may be {', '.join(known)}")
            )

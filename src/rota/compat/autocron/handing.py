"""Tasks that are handed over to the system's own scheduler.

What cron starts is `once`, with a file that says what the task is: so nothing of a task is lost on the way but what
lives in the program, which may not be there then: callbacks, and a notifier of its own. Other adapters start the script
alone; a task with a timeout or limits, which nobody would keep there, is not given to them. A task belongs to the
system's scheduler until it is removed, also when the program has ended.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import datetime
from hashlib import sha256

from rota import Cron, RotaError
from rota.compat.autocron.adapter import OSAdapter
from rota.compat.autocron.crontab import UnixAdapter
from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.logger import AutoCronLogger
from rota.compat.autocron.task import Task
from rota.compat.autocron.utils import get_autocron_home, sanitize_task_name
from rota.sdk.crontabs import cron_fields, is_host_zone
from rota.sdk.saved import write_document
from rota.sdk.times import next_slot, now

_SHORT = 40
_STAYS = ("on_success", "on_failure", "notifier")
"""What lives in the program."""
_UNKNOWN = (*_STAYS, "retries", "notify")
"""What is unknown to who starts the script alone."""
_LIMITS = ("timeout", "safe_mode", "max_memory_mb", "max_cpu_percent", "clean_env")
"""What nobody keeps there."""


class Handing:
    """Hands tasks over; see `task.House`."""

    def __init__(self, adapter: OSAdapter, logger: AutoCronLogger) -> None:
        self.adapter, self._logger = adapter, logger
        self.tasks: dict[str, Task] = {}
        """The tasks that were handed over, by name."""

    def take(self, task: Task) -> bool:
        """Hand a task over, and tell whether that could be done; the log says why not."""
        if task.func is not None or task.has_own_way:
            why = "only a script can be started without the program"
        elif task.name in self.tasks:
            why = "another task of this name was handed over already"
        else:
            try:
                if task.enabled:
                    self._create(task)
            except OSAdapterError as error:
                why = str(error)
            else:
                self.tasks[task.name] = task
                task.belong_to(self)
                self._say_what_stays(task)
                return True
        self._logger.warning("'%s' is not handed over to the system, and runs in this program: %s", task.name, why)
        return False

    def _say_what_stays(self, task: Task) -> None:
        words = _STAYS if isinstance(self.adapter, UnixAdapter) else _UNKNOWN
        stays = [word for word in words if getattr(task, word)]
        stays += ["overlap_policy"] if task.overlap_policy != "skip" else []
        if stays:
            self._logger.warning("'%s': the system's scheduler does not know %s", task.name, ", ".join(stays))

    def _create(self, task: Task) -> None:
        if not is_host_zone(task.zone):
            raise OSAdapterError(f"its times are those of {task.zone}, and the system's scheduler has its own")
        fields = _fields(task)
        script = os.path.abspath(os.path.expanduser(task.script or ""))
        if isinstance(self.adapter, UnixAdapter):
            command = [sys.executable, "-m", "rota.compat.autocron.once", self._keep(task, script)]
            try:
                self.adapter.create_command(task.name, command, fields)
            except OSAdapterError:
                _forget(task.name)
                raise
            return
        limits = [word for word in _LIMITS if getattr(task, word)]
        if limits:
            raise OSAdapterError(f"nobody would keep its {', '.join(limits)} there")
        if not script.lower().endswith(".py"):
            raise OSAdapterError("it starts Python scripts only")
        self.adapter.create_scheduled_task(
            task_name=task.name, script_path=script, cron_expr=fields, python_executable=sys.executable
        )

    def _keep(self, task: Task, script: str) -> str:
        """Write down what `once` is to run, and return where."""
        said = task.to_dict() | {"script": script}
        log = {"log_path": self._logger.log_path, "log_level": logging.getLevelName(self._logger.logger.level)}
        try:
            return write_document(_place(task.name), {"folder": os.getcwd(), **log, "task": said})
        except OSError as error:
            raise OSAdapterError(f"its definition cannot be written: {error}") from error

    def remove(self, task: Task) -> None:
        """Take a task away from the system's scheduler."""
        self._take_away(task)
        task.belong_to(None)
        self.tasks.pop(task.name, None)
        _forget(task.name)

    # -- what a task asks of who runs it ------------------------------------------------------------------------------

    def next_run_of(self, task: Task) -> datetime | None:
        """Return when a task is due next."""
        return next_slot(Cron(_fields(task)), now(task.zone), task.zone)

    def renew(self, task: Task, *, at_once: bool) -> None:  # noqa: ARG002 -- nobody can make cron start it now
        """Go by what a task says now: one that is disabled is not there for the system."""
        if task.enabled:
            self._create(task)
        else:
            self._take_away(task)

    def _take_away(self, task: Task) -> None:
        if self.adapter.can_remove:
            self.adapter.remove_scheduled_task(task.name)
        else:
            self._logger.warning(
                "'%s': %s has no method remove_task, so the system goes on starting it; take it away there by hand",
                task.name,
                type(self.adapter).__name__,
            )


def _fields(task: Task) -> str:
    if task.plan is None:
        raise OSAdapterError("it has no schedule")
    try:
        return cron_fields(task.plan)
    except RotaError as error:
        raise OSAdapterError(str(error)) from error


def _forget(name: str) -> None:
    for path in (_place(name), f"{_place(name)}.lock"):
        if os.path.exists(path):
            os.unlink(path)


def _place(name: str) -> str:
    """Return where a task's definition is kept; names that look alike as file names have places of their own."""
    known = sha256(name.encode()).hexdigest()[:8]
    return str(get_autocron_home() / "scheduled" / f"{sanitize_task_name(name)[:_SHORT]}-{known}.json")

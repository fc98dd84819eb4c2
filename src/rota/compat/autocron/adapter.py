"""What the system's own schedulers have in common, for AutoCron: create, remove, list, exists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from rota.compat.autocron.errors import OSAdapterError

_SPELLINGS = (
    ("create_scheduled_task", "create_task"),
    ("remove_scheduled_task", "remove_task"),
    ("list_scheduled_tasks", "list_tasks"),
)
Runner = Callable[..., Any]
"""Runs a command as `subprocess.run` does; another one can be given, and sees every command line."""


class OSAdapter(ABC):
    """A scheduler of the system's.

    A subclass says how a task is created, and perhaps how it is removed, and which tasks there are. Each method has two
    names, and whichever a subclass defines is the other, too.
    """

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for pair in _SPELLINGS:
            for one, other in (pair, pair[::-1]):
                if one in cls.__dict__ and other not in cls.__dict__:
                    setattr(cls, other, cls.__dict__[one])

    @abstractmethod
    def create_scheduled_task(
        self, task_name: str, script_path: str, cron_expr: str, python_executable: str | None = None
    ) -> bool:
        """Have a script started by Python at the times of a cron expression; one of this name is replaced."""

    def create_task(
        self, task_name: str, script_path: str, cron_expr: str, python_executable: str | None = None
    ) -> bool:
        """Do as `create_scheduled_task` does."""
        return self.create_scheduled_task(task_name, script_path, cron_expr, python_executable)

    @property
    def can_remove(self) -> bool:
        """Tell whether the subclass says how a task is removed."""
        return type(self).remove_scheduled_task is not OSAdapter.remove_scheduled_task

    def remove_scheduled_task(self, task_name: str) -> bool:
        """Take a task away, and tell whether it was there."""
        raise OSAdapterError(f"{type(self).__name__} cannot remove {task_name!r}: it has no method remove_task")

    def remove_task(self, task_name: str) -> bool:
        """Do as `remove_scheduled_task` does."""
        return self.remove_scheduled_task(task_name)

    def list_scheduled_tasks(self) -> list[str]:
        """Return the names of the tasks that were created here, and not those of others."""
        raise OSAdapterError(f"{type(self).__name__} cannot list its tasks: it has no method list_tasks")

    def list_tasks(self) -> list[str]:
        """Do as `list_scheduled_tasks` does."""
        return self.list_scheduled_tasks()

    def task_exists(self, task_name: str) -> bool:
        """Tell whether there is a task of exactly this name."""
        return task_name in self.list_scheduled_tasks()


def run_command(runner: Runner, argv: Sequence[str], advice: str, **how: Any) -> Any:
    """Run a system's command; one that is not there is told with what helps."""
    try:
        return runner(list(argv), check=False, capture_output=True, **how)
    except FileNotFoundError:
        raise OSAdapterError(f"there is no program {argv[0]!r} here; {advice}") from None
    except OSError as error:
        raise OSAdapterError(f"{argv[0]} cannot be started: {error}") from error


def text_of(said: bytes | str | None) -> str:
    """Return what a command wrote; bytes that are no UTF-8 come back as they were when they are written again."""
    return said.decode("utf-8", "surrogateescape") if isinstance(said, bytes) else said or ""

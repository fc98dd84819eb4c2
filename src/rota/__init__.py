"""rota: a scheduler that never loses, doubles or hides a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rota.errors import (
    BadJob,
    BadSchedule,
    Conflict,
    EngineNotRunning,
    JobExists,
    NoSuchJob,
    NoSuchRun,
    NotKept,
    RotaError,
    TaskTimeout,
)

if TYPE_CHECKING:
    from rota.config.actions import Action
    from rota.control.questions import JobLine
    from rota.model.policy import CatchUp, Overlap
    from rota.model.run import Attempt, Run, State
    from rota.observe.notifiers.email import Email
    from rota.observe.notifiers.notifier import Notifier
    from rota.process.inside import Calling
    from rota.schedule.custom import Schedule
    from rota.sdk.calling import calling
    from rota.sdk.current import task_id
    from rota.sdk.declared import job, serve
    from rota.sdk.hooks import TaskInfo
    from rota.sdk.options import Secret
    from rota.sdk.runs import Handle, RunFailed
    from rota.sdk.scheduler import Scheduler
    from rota.sdk.schedules import At, Calendar, Cron, Every, Priority, Retry
    from rota.sdk.tasks import task

__all__ = [
    "Action",
    "At",
    "Attempt",
    "BadJob",
    "BadSchedule",
    "Calendar",
    "Calling",
    "CatchUp",
    "Conflict",
    "Cron",
    "Email",
    "EngineNotRunning",
    "Every",
    "Handle",
    "JobExists",
    "JobLine",
    "NoSuchJob",
    "NoSuchRun",
    "NotKept",
    "Notifier",
    "Overlap",
    "Priority",
    "Retry",
    "RotaError",
    "Run",
    "RunFailed",
    "Schedule",
    "Scheduler",
    "Secret",
    "State",
    "TaskInfo",
    "TaskTimeout",
    "__version__",
    "calling",
    "job",
    "serve",
    "task",
    "task_id",
]

__version__ = "0.1.0"

_WHERE = {
    "Action": "rota.config.actions",
    "At": "rota.sdk.schedules",
    "Attempt": "rota.model.run",
    "Calendar": "rota.sdk.schedules",
    "Calling": "rota.process.inside",
    "CatchUp": "rota.model.policy",
    "Cron": "rota.sdk.schedules",
    "Email": "rota.observe.notifiers.email",
    "Every": "rota.sdk.schedules",
    "Handle": "rota.sdk.runs",
    "JobLine": "rota.control.questions",
    "Notifier": "rota.observe.notifiers.notifier",
    "Overlap": "rota.model.policy",
    "Priority": "rota.sdk.schedules",
    "Retry": "rota.sdk.schedules",
    "Run": "rota.model.run",
    "RunFailed": "rota.sdk.runs",
    "Schedule": "rota.schedule.custom",
    "Scheduler": "rota.sdk.scheduler",
    "Secret": "rota.sdk.options",
    "State": "rota.model.run",
    "TaskInfo": "rota.sdk.hooks",
    "calling": "rota.sdk.calling",
    "job": "rota.sdk.declared",
    "serve": "rota.sdk.declared",
    "task": "rota.sdk.tasks",
    "task_id": "rota.sdk.current",
}


def __getattr__(name: str) -> Any:
    """Import a public name when somebody asks for it: the command line and the engine need none of them."""
    if name not in _WHERE:
        raise AttributeError(f"module 'rota' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_WHERE[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Name what is public, whether it was imported already or not."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})

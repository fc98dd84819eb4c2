"""Programs of AutoCron run on rota when they import from here what they imported from `autocron`."""

from __future__ import annotations

from rota import __version__
from rota.compat.autocron.declaring import get_global_scheduler, reset_global_scheduler, schedule, start_scheduler
from rota.compat.autocron.errors import AutoCronError, ScheduleError, SchedulingError, TaskExecutionError
from rota.compat.autocron.runner import AutoCron
from rota.compat.autocron.task import Task

__all__ = [
    "AutoCron",
    "AutoCronError",
    "ScheduleError",
    "SchedulingError",
    "Task",
    "TaskExecutionError",
    "__version__",
    "get_global_scheduler",
    "reset_global_scheduler",
    "schedule",
    "start_scheduler",
]

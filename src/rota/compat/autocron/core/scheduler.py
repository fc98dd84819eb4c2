"""The same as rota.compat.autocron.scheduler, where newer programs import it from."""

from __future__ import annotations

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
    "get_global_scheduler",
    "reset_global_scheduler",
    "schedule",
    "start_scheduler",
]

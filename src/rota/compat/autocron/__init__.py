"""Programs of AutoCron run on rota when they import from here what they imported from `autocron`."""

from __future__ import annotations

from rota import __version__
from rota.compat.autocron.dashboard import Dashboard, TaskAnalytics, live_monitor, show_dashboard, show_task
from rota.compat.autocron.declaring import get_global_scheduler, reset_global_scheduler, schedule, start_scheduler
from rota.compat.autocron.errors import AutoCronError, ScheduleError, SchedulingError, TaskExecutionError
from rota.compat.autocron.runner import AutoCron
from rota.compat.autocron.task import Task

__all__ = [
    "AutoCron",
    "AutoCronError",
    "Dashboard",
    "ScheduleError",
    "SchedulingError",
    "Task",
    "TaskAnalytics",
    "TaskExecutionError",
    "__version__",
    "get_global_scheduler",
    "live_monitor",
    "reset_global_scheduler",
    "schedule",
    "show_dashboard",
    "show_task",
    "start_scheduler",
]

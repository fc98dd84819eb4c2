"""The names of tasks_loop, on rota's engine: a program of its users changes its import line, and nothing else.

State survives a restart. It lives in a home of rota's beside the jobs' directory (`.rota`; ROTA_HOME names another),
whichever of `run()`, `run_once()` and `execute_job()` is used: a program that is started again knows when each job ran
last, which retry is owed, and what a killed predecessor has left running. `rota list`, `rota runs` and `rota logs` show
it. Where there is no directory to write to, all is in memory, and the log says so.

Times are as they were: a job that never ran is due at once, one that ran is due when a slot of its schedule has passed
since. Cron is real cron, and nothing waits for the next poll: a due job starts when there is a place.
"""

from rota.compat.tasks_loop.config import SchedulerConfig
from rota.compat.tasks_loop.job import Job, JobResult, JobState, Priority
from rota.compat.tasks_loop.task_scheduler import TaskScheduler

__all__ = ["Job", "JobResult", "JobState", "Priority", "SchedulerConfig", "TaskScheduler"]

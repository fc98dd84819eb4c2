"""Tasks on rota's engine: each is a job, from a start of the scheduler to its stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

import rota
from rota.compat.autocron.attempts import Word
from rota.compat.autocron.logger import AutoCronLogger
from rota.compat.autocron.outcome import Aftermath
from rota.compat.autocron.task import Task
from rota.compat.autocron.utils import LONGEST_DELAY
from rota.compat.autocron.work import Work, argv_of, environment_of, needs_process
from rota.sdk.options import Options
from rota.sdk.times import now

_FOR_EVER = timedelta(days=36_525)
_LONGEST_NAME = 150


class _Rest(logging.Handler):
    """Hands to a task log what the engine says; of the tasks themselves, the log tells in its own words.

    That an attempt has failed and another one follows, nobody else says at once: so that is passed on from here.
    """

    def __init__(self, logger: AutoCronLogger, tasks: Container[str], failed: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._logger, self._tasks, self._failed = logger, tasks, failed

    def emit(self, record: logging.LogRecord) -> None:
        run_id: str = getattr(record, "rota_run", "")
        if getattr(record, "rota_job", "") not in self._tasks:
            self._logger.logger.log(record.levelno, "%s", record.getMessage())
        elif record.levelno >= logging.ERROR and run_id:
            self._failed(run_id)


class Engine:
    """Runs tasks."""

    def __init__(self, places: int, after: Aftermath) -> None:
        self.scheduler = rota.Scheduler(capacity=places)
        self._after = after
        self._jobs: dict[str, str] = {}
        """The name of a task's job, by the task's id."""
        self._works: dict[str, Work] = {}
        """What a job calls, by its name; those of tasks that were removed, too: their last run may go on."""
        self._word = Word(self._tell_attempts)
        self._rest = _Rest(after.logger, self._works, self._word.take)
        logging.getLogger("rota").addHandler(self._rest)
        self.scheduler.on_success(self._follow)
        self.scheduler.on_failure(self._follow)

    def _follow(self, run: rota.Run) -> None:
        self._after.follow(self.scheduler, self._works[run.job], run)

    def _tell_attempts(self, run_id: str) -> None:
        try:
            handle = self.scheduler.handle(run_id)
            run = handle.run
        except rota.NoSuchRun:  # it is another scheduler's, in the same program, with a task of the same name
            return
        if not handle.is_done:
            self._after.tell_attempts(self._works[run.job], handle)

    def add(self, task: Task) -> None:
        """Make a job of a task."""
        job = task.name
        if job in self._works or job.startswith("-") or len(job) > _LONGEST_NAME:
            job = f"{job[:_LONGEST_NAME]} {task.task_id}".lstrip("- ")
        self._put(task, job, Work(task))
        self._jobs[task.task_id] = job

    def _put(self, task: Task, job: str, work: Work) -> None:
        self._works[job] = work
        is_script = task.func is None and not task.has_own_way
        what = argv_of(task) if is_script else work
        options = cast("Options", _options(task))
        self.scheduler.add(what, job, apart=not is_script and needs_process(task), replace=True, **options)

    def begin(self, tasks: Iterable[Task]) -> None:
        """Run at once what is due: an interval that is new, or what was missed a short time ago."""
        for task in tasks:
            if task.enabled and _is_owed(task, now()):
                self.scheduler.trigger(self._jobs[task.task_id])
            task.belong_to(self)

    def renew(self, task: Task, *, at_once: bool) -> None:
        """Give a task's job the definition that it has now."""
        job = self._jobs[task.task_id]
        self._put(task, job, self._works[job])
        if at_once:
            self.scheduler.trigger(job)

    def next_run_of(self, task: Task) -> datetime | None:
        """Return when a task is due next."""
        coming = self.scheduler.coming(self._jobs[task.task_id], most=1)
        return coming[0] if coming else None

    def remove(self, task: Task) -> None:
        """Start no more runs of a task; the one that runs goes on."""
        task.belong_to(None)
        self.scheduler.remove(self._jobs.pop(task.task_id))

    def run(self, task: Task, *, wait: bool) -> bool:
        """Run a task now, and tell whether it succeeded, or only that it was begun."""
        handle = self.scheduler.trigger(self._jobs[task.task_id])
        if not wait:
            return True
        run = handle.wait()
        self._after.wait_for(run.id)
        return run.state is rota.State.SUCCEEDED

    def stop(self, patience: float, tasks: Iterable[Task]) -> None:
        """Start nothing more, give what runs its time, end what is left, and tell of all of it."""
        self.scheduler.stop(patience)
        for task in tasks:
            task.belong_to(None)
        logging.getLogger("rota").removeHandler(self._rest)
        self._word.close()
        self.scheduler.close()


def _options(task: Task) -> dict[str, Any]:
    """Return what a task says in rota's words."""
    many = task.overlap_policy == "allow" and task.max_instances > 1
    return {
        **_schedule(task, now()),
        "timezone": task.zone,
        "retries": rota.Retry(task.retries, task.retry_delay, max_delay=max(LONGEST_DELAY, task.retry_delay)),
        "timeout": task.timeout,
        # A function in a thread is not there to be asked to end: nothing is gained by giving it time to do so.
        "kill_after": 0 if task.func is not None and not needs_process(task) else None,
        # rota's `allow` knows no limit; `skip` with a limit is what AutoCron's `allow` with one means.
        "overlap": "skip" if many else task.overlap_policy,
        "max_instances": task.max_instances,
        "grace": _FOR_EVER if task.misfire_grace_time is None else task.misfire_grace_time,
        "catch_up": "latest" if task.coalesce else "all",
        "max_output": max(1, task.max_output_bytes // 2),
        "env": environment_of(task),
        "enabled": task.enabled,
    }


def _schedule(task: Task, present: datetime) -> dict[str, Any]:
    """Return when a task is due: by its schedule, from the next run that it knows of."""
    due = task.planned
    if isinstance(task.plan, rota.Every):
        if due is None or (due <= present and task.last_run is None):
            due = present
        anchor = due if due <= present else due - timedelta(seconds=task.interval_seconds)
        return {"every": rota.Every(task.plan.interval, anchor)}
    if task.plan is None:
        return {"at": due} if due is not None and due > present else {}
    if due is None or due <= present or due == task.due_after(present):
        return {"cron": task.plan}
    return {"cron": task.plan, "at": due, "not_before": due}  # somebody has said when it is to run next


def _is_owed(task: Task, present: datetime) -> bool:
    due, grace = task.planned, task.misfire_grace_time
    if due is None or due > present:
        return False
    is_new = task.last_run is None and task.schedule_type == "interval"
    return is_new or grace is None or (present - due).total_seconds() <= grace

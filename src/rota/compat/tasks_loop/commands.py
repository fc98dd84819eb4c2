"""The commands of jobs on rota's engine, and what its store remembers of them.

The engine turns while something is to be run, and its home keeps what happened for whoever comes next. What a killed
program left running is not started again: it is waited for, and its end is the job's.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rota import Handle, RotaError, Run, Scheduler, State
from rota.compat.tasks_loop.config import SchedulerConfig
from rota.compat.tasks_loop.due import wall_time
from rota.compat.tasks_loop.job import Job, JobResult, JobState
from rota.sdk.options import Options
from rota.sdk.times import now

_LOG = logging.getLogger(__name__)
_HOME = ".rota"
_STORES = ("rota.db", "rota.store")
"""What shows that a home has been used: its store, or what it remembers of one elsewhere."""
_ATTEMPT = "attempt"
_LOOK = 0.5
_GRACE = 10.0
_ACTIVE = frozenset({State.QUEUED, State.RUNNING, State.WAITING})
_TRIED_AGAIN = frozenset({State.FAILED, State.TIMED_OUT, State.LOST})


class LeftRunning(BaseException):
    """The scheduler was told to stop, and leaves this command to the next one: nothing failed, and nothing ended."""


class Outcome(NamedTuple):
    """How a command went, and whether its policy of retries has a say in what follows."""

    result: JobResult
    may_retry: bool


class Commands:
    """Runs commands; may be used from many threads."""

    def __init__(self, config: SchedulerConfig, stopping: threading.Event) -> None:
        self._config, self._stopping = config, stopping
        self.ending = threading.Event()
        """Set when nothing is to be left running either."""
        self._lock = threading.Lock()
        self._users = 0
        self._scheduler: Scheduler | None = None
        self._recalled: dict[str, Job] = {}
        self.left: set[str] = set()
        """Jobs that something is left running of, and nobody follows."""

    # -- the home -----------------------------------------------------------------------------------------------------

    @property
    def home(self) -> Path | None:
        """Where state is kept; None where there is no directory for it."""
        named = os.environ.get("ROTA_HOME")
        home = Path(named).expanduser() if named else Path(self._config.jobs_dir).absolute().parent / _HOME
        place = home if home.is_dir() else home.parent
        return home if place.is_dir() and os.access(place, os.W_OK) else None

    @contextmanager
    def open(self) -> Iterator[Scheduler]:
        """Have the engine turn; one inside of another is the same."""
        with self._lock:
            if self._scheduler is None:
                home = self.home
                if home is None:
                    _LOG.warning("there is no directory to keep a home in: state is in memory, and ends with this")
                self._scheduler = Scheduler(home, capacity=max(self._config.max_concurrent_jobs, 100)).start()
            self._users += 1
            scheduler = self._scheduler
        try:
            yield scheduler
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._scheduler = None
                    scheduler.stop(wait=False)
                    scheduler.close()

    # -- running ------------------------------------------------------------------------------------------------------

    def run(self, job: Job) -> Outcome:
        """Run a job's command to its end, or follow the one that is running already."""
        try:
            with self.open() as scheduler:
                self.left.discard(job.id)
                self._add(scheduler, job)
                active = scheduler.history(job.id, 1, "active")
                if active:
                    handle = scheduler.handle(active[0].id)
                else:
                    handle = scheduler.trigger(job.id, **{_ATTEMPT: str(job.retry_count + 1)})
                run = self._follow(handle, job)
                return Outcome(self._result(handle, run, self._timeout(job)), run.state in _TRIED_AGAIN)
        except RotaError as error:
            _LOG.error("job %s cannot be run: %s", job.id, error)
            return Outcome(JobResult(False, wall_time(now()), f"Execution error: {error}"), may_retry=False)

    def _timeout(self, job: Job) -> float:
        return self._config.default_timeout_seconds if job.timeout_seconds is None else job.timeout_seconds

    def _add(self, scheduler: Scheduler, job: Job) -> None:
        """Give the engine the job as it is now; when it is due is the API's to say, so it has no schedule there."""
        told = ": ".join(part for part in (job.name, job.description) if part)
        options = Options(priority=job.priority.value, description=f"{told} (due by {job.schedule!r})")
        timeout = self._timeout(job)
        if timeout:
            options["timeout"] = timeout
        scheduler.add(job.command, job.id, replace=True, **options)

    def _follow(self, handle: Handle, job: Job) -> Run:
        """Wait for the end; once the scheduler is to stop only for so long, and when it is to end not even that."""
        looks = int(_GRACE / _LOOK)
        try:
            while looks and not self.ending.is_set():
                with suppress(TimeoutError):
                    return handle.wait(_LOOK)
                looks -= self._stopping.is_set()
        except KeyboardInterrupt:
            self._end(handle)
            raise
        if self.ending.is_set():
            return self._end(handle)
        _LOG.warning("job %s is left running; the next scheduler takes it over", job.id)
        self.left.add(job.id)
        raise LeftRunning(job.id)

    def _end(self, handle: Handle) -> Run:
        handle.cancel("the program was interrupted")
        return handle.wait()

    def _result(self, handle: Handle, run: Run, timeout: float) -> JobResult:
        """Say in the API's words how a run went; what it wrote is in its message, as far as rota keeps it."""
        out, err = handle.output().strip(), handle.output("stderr").strip()
        match run.state:
            case State.SUCCEEDED:
                message = out
            case State.FAILED:
                message = err or run.reason
            case State.TIMED_OUT:
                said = f"Job timed out after {timeout:g} seconds"
                message = "\n".join(part for part in (said, out, err) if part)
            case _:
                message = run.reason
        ended = now() if run.ended_at is None else run.ended_at
        return JobResult(run.state is State.SUCCEEDED, wall_time(ended), message, run.duration or 0.0)

    # -- remembering --------------------------------------------------------------------------------------------------

    def recall(self, jobs: Iterable[Job]) -> None:
        """Give jobs that are new to this program the state that they had in the one before."""
        new = [job for job in jobs if self._recalled.get(job.id) is not job]
        if not new:
            return
        self._recalled |= {job.id: job for job in new}
        new = [job for job in new if job.last_run is None and job.state is JobState.PENDING]
        home = self.home
        with self._lock:
            scheduler = self._scheduler
        if not new or (scheduler is None and (home is None or not any((home / name).exists() for name in _STORES))):
            return
        if scheduler is not None:
            self._recall(scheduler, new)
            return
        with closing(Scheduler(home)) as reader:
            self._recall(reader, new)

    def _recall(self, scheduler: Scheduler, new: list[Job]) -> None:
        last = {line.stored.name: line.last for line in scheduler.jobs()}
        for job in new:
            run = last.get(job.id)
            if run is None:
                continue
            if run.state in _ACTIVE:
                self.left.add(job.id)
                continue
            job.record_result(self._result(scheduler.handle(run.id), run, self._timeout(job)))
            if not job.last_result or not job.last_result.success:
                tries = run.params.get(_ATTEMPT, "1")
                job.retry_count = int(tries) if run.state in _TRIED_AGAIN and tries.isdigit() else job.max_retries + 1

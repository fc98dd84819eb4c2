"""The scheduler of tasks_loop: which jobs are due, in which order, and how many at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from rota import RotaError
from rota.compat.tasks_loop.commands import Commands, LeftRunning
from rota.compat.tasks_loop.config import SchedulerConfig
from rota.compat.tasks_loop.due import AT_ONCE, due_at, instant_of, owes_retry, retry_at, slot_after, wall_time
from rota.compat.tasks_loop.job import Job, JobResult, JobState
from rota.compat.tasks_loop.log import set_up
from rota.compat.tasks_loop.places import Places
from rota.compat.tasks_loop.signals import told_to_stop
from rota.sdk.times import now

_LOG = logging.getLogger(__name__)
_SUFFIXES = (".yaml", ".yml")
_LONGEST_REST = 1.0


class TaskScheduler:
    """Runs the jobs of a directory, and those that a program puts into `jobs`, when they are due.

    A subclass may do its own things in `execute_job`: the scheduler calls that, once for each attempt.
    """

    retry_delay_seconds = 10.0
    """The pause before the first retry; each one after it is twice as long."""

    def __init__(self, config: SchedulerConfig | None = None) -> None:
        self.config = config or SchedulerConfig.default()
        self.jobs: dict[str, Job] = {}
        self._running = False
        self._stopping = threading.Event()
        self._places: Places | None = None
        self._commands = Commands(self.config, self._stopping)
        self._told: set[tuple[str, str]] = set()
        set_up(self.config)

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def load_jobs(self) -> int:
        """Read the directory of jobs, and return how many there are; a bad file is said and left out."""
        directory = Path(self.config.jobs_dir)
        if not directory.is_dir():
            _LOG.warning("there is no directory of jobs %s", directory)
            return 0
        places: dict[str, Path] = {}
        for path in sorted(directory.iterdir()):
            if path.suffix.lower() not in _SUFFIXES or path.name.startswith(".") or not path.is_file():
                continue
            try:
                job = Job.from_yaml(path)
            except (OSError, ValueError) as error:
                _LOG.error("%s is left out, the others run: %s", path, error)
                continue
            if job.id in places:
                first = places[job.id]
                _LOG.error("%s is left out: its id %r is that of %s; give one of them another", path, job.id, first)
                continue
            places[job.id] = path
            self._take(job)
        _LOG.info("jobs loaded from %s: %d", directory, len(places))
        return len(places)

    def _take(self, job: Job) -> None:
        """Put a job that was read in the place of the one before; how that went stays, and what runs is left alone."""
        before = self.jobs.get(job.id)
        if before is not None:
            if before.state is JobState.RUNNING:
                return
            job.state, job.retry_count = before.state, before.retry_count
            job.last_run, job.last_result = before.last_run, before.last_result
        self.jobs[job.id] = job

    def get_jobs_due(self) -> list[Job]:
        """Return the jobs that are due now and not running, the most urgent first."""
        jobs, instant = list(self.jobs.values()), now()
        self._commands.recall(jobs)
        due = [job for job in jobs if (at := self._due_at(job)) is not None and at <= instant]
        return sorted(due, key=lambda job: job.priority)

    def _due_at(self, job: Job) -> datetime | None:
        if not job.enabled or job.state is JobState.RUNNING:
            return None
        if job.id in self._commands.left:
            return AT_ONCE
        try:
            return due_at(job, self.retry_delay_seconds)
        except RotaError as error:
            if (job.id, job.schedule) not in self._told:
                self._told.add((job.id, job.schedule))
                _LOG.error("job %s is never due: %s", job.id, error)
            return None

    # -- executing ----------------------------------------------------------------------------------------------------

    def execute_job(self, job: Job) -> JobResult:
        """Run a job's command once, to its end, and record how it went; a timeout ends all that it has started."""
        _LOG.info("executing job %s (%s)", job.id, job.name)
        job.state = JobState.RUNNING
        result, may_retry = self._commands.run(job)
        job.record_result(result)
        if not result.success and not may_retry:
            job.retry_count = max(job.retry_count, job.max_retries + 1)
        return result

    def _perform(self, job: Job) -> None:
        """Execute a job by whatever a program has made of `execute_job`, and see that its end is on record.

        What fails after the command has run is not the command's failure: it is not run again for that.
        """
        if not owes_retry(job):
            job.reset_state()
        job.state = JobState.RUNNING
        self._commands.left.discard(job.id)
        before, failures = job.last_result, job.retry_count
        try:
            result = self.execute_job(job)
            if not isinstance(result, JobResult):
                raise TypeError(f"execute_job returned {result!r} and no JobResult")  # noqa: TRY301 -- said like others
        except LeftRunning:
            job.state = JobState.PENDING
            return
        except Exception as error:  # noqa: BLE001 -- whatever a program's own `execute_job` throws
            _LOG.exception("executing job %s failed", job.id)
            if job.last_result is not None and job.last_result is not before:
                return
            result = JobResult(False, wall_time(now()), f"Execution error: {error}")
        if job.last_result is not result:
            job.retry_count = failures
            job.record_result(result)
        self._tell_of_skip(job, result)

    def _tell_of_skip(self, job: Job, result: JobResult) -> None:
        """Say which slot passed while the job ran: it is not made up for."""
        ended = instant_of(result.timestamp)
        with suppress(RotaError):  # a schedule that is wrong was told already
            slot = slot_after(job.schedule, ended - timedelta(seconds=result.duration_seconds))
            if slot is not None and slot <= ended:
                _LOG.warning("job %s was still running at %s: that slot is skipped", job.id, wall_time(slot))

    def run_once(self) -> int:
        """Execute all jobs that are due, with their retries, and return how many there were.

        While `run()` is under way it starts those that there is a place for, and returns.
        """
        due = self.get_jobs_due()
        if self._places is not None:
            return len(self._start(due))
        begun: set[str] = set()
        if not due:
            return 0
        with self._at_work() as places:
            while not self._stopping.is_set():
                waiting = [job for job in due if job.id not in places and (job.id not in begun or owes_retry(job))]
                if not waiting and not places.busy:
                    break
                whens = {job.id: AT_ONCE if job.id not in begun else self._retry_at(job) for job in waiting}
                started = self._start([job for job in waiting if whens[job.id] <= now()])
                begun.update(started)
                if not started:
                    places.wait(self._rest(whens.values()))
        return len(begun)

    def _retry_at(self, job: Job) -> datetime:
        return retry_at(job, self.retry_delay_seconds)

    def _start(self, jobs: list[Job]) -> list[str]:
        """Start as many of these as there are places for, and return their ids."""
        places = self._places
        if places is None:
            return []
        wanted = [job for job in jobs if job.id not in places]
        return [job.id for job in wanted[: places.free] if not self._stopping.is_set() and places.start(job)]

    def _rest(self, whens: Iterable[datetime | None]) -> float:
        """Return for how many seconds nothing new becomes due, as far as can be told; something may end before."""
        longest = max(0.01, min(_LONGEST_REST, self.config.poll_interval_seconds))
        if self._places is None or not self._places.free:
            return longest
        instant = now()
        return min([longest, *((when - instant).total_seconds() for when in whens if when and when > instant)])

    # -- the daemon ---------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Load the jobs, and run what is due until `stop()`, SIGTERM or Ctrl-C.

        What is running then has ten seconds; after that it is left running, for the next scheduler to take over. A
        second signal ends it.
        """
        if self._places is not None:
            raise RuntimeError("this scheduler is at work already")
        with told_to_stop(self.stop, self._commands.ending.set), self._at_work() as places:
            self._running = True
            _LOG.info("the scheduler runs; state is in %s", self._commands.home or "memory")
            try:
                self.load_jobs()
                while not self._stopping.is_set():
                    self._turn()
                    places.wait(self._rest(self._due_at(job) for job in list(self.jobs.values())))
            finally:
                self._running = False
        _LOG.info("the scheduler has stopped")

    def _turn(self) -> None:
        try:
            self.run_once()
        except Exception:  # noqa: BLE001 -- a subclass may throw anything, and other jobs are to run
            _LOG.exception("the scheduler goes on after a fault")

    def stop(self) -> None:
        """Start nothing more, and let `run()` come to its end; from any thread."""
        places = self._places
        if places is not None:
            _LOG.info("the scheduler was asked to stop")
            self._stopping.set()
            places.wake()

    @contextmanager
    def _at_work(self) -> Iterator[Places]:
        """Have the engine turn, and places to work in; at the end nothing of this scheduler goes on in a thread."""
        with self._commands.open():
            places = self._places = Places(self.config.max_concurrent_jobs, self._perform)
            try:
                yield places
            except KeyboardInterrupt:  # nobody has said `run()`, so nobody is to find anything running
                self._commands.ending.set()
                raise
            finally:
                self._stopping.set()
                places.join()
                self._places = None
                for told in (self._stopping, self._commands.ending):
                    told.clear()

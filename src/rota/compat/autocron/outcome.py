"""What follows a run: the task's figures, the log, and who wanted to hear of it.

An attempt that failed is told of when that happens, also while the run goes on. At a run's end, figures and log come
first and cannot fail. Callbacks are the program's: they have a thread of their own for each run. Notifiers reach over a
network: each has a few threads and a line that is not endless. So one that fails or hangs is in nobody's way, and
changes no result.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import rota
from rota.compat.autocron.errors import NotificationError, TaskExecutionError
from rota.compat.autocron.limits import why
from rota.compat.autocron.logger import AutoCronLogger
from rota.compat.autocron.notifications import channel_of, channels_of, failure_text, success_text
from rota.compat.autocron.task import Task
from rota.compat.autocron.traces import without_our_frames
from rota.compat.autocron.work import Work
from rota.sdk.awaiting import finished
from rota.sdk.hooks import most_arguments

_REMEMBERED = 1_000
_LINES = 1_000
"""At most so many lines of an attempt's output go to the log; what was kept of it is all in `task.last_output`."""
_LAST_WORDS = 5
"""At the end of so many lines a program says what was wrong."""
_PATIENCE = 15.0
"""Whoever runs a task by hand waits at most so many seconds for its notifiers."""


class _End(NamedTuple):
    """How an attempt went."""

    attempt: int
    state: rota.State
    at: datetime
    why: str
    """Why it failed; empty when it did what it should."""
    lines: list[str]
    """What it wrote."""


class _Course:
    """How far a run has been told of."""

    def __init__(self) -> None:
        self.over = threading.Event()
        """Set when all that follows the run has been done."""
        self.telling = threading.Lock()
        """Held by who tells of it: the thread that hears of attempts, or the one that hears of ends."""
        self._told: set[tuple[int, rota.State]] = set()

    def new(self, ends: list[_End]) -> list[_End]:
        """Return the ends that nobody was told of, and take them for told."""
        found = [end for end in ends if (end.attempt, end.state) not in self._told]
        self._told.update((end.attempt, end.state) for end in found)
        return found


class Aftermath:
    """Looks after what follows the runs of one scheduler."""

    def __init__(self, logger: AutoCronLogger) -> None:
        self.logger = logger
        self._lock = threading.Lock()
        self._courses: OrderedDict[str, _Course] = OrderedDict()
        self._telling: set[threading.Thread] = set()
        self._told: WeakKeyDictionary[Task, list[Any]] = WeakKeyDictionary()
        """The notifiers of each task; those of one that was removed, too, as long as its last run goes on."""
        self._teller: Any = None
        self.analytics: Any = None
        """Who keeps figures over many runs: an object with `record_execution`."""

    def prepare(self, task: Task) -> list[NotificationError]:
        """Get a task's notifiers ready, and return why some cannot be."""
        found, wrong = [] if task.notifier is None else [task.notifier], []
        for name in channels_of(task):
            try:
                found.append(channel_of(task, name))
            except NotificationError as error:
                wrong.append(NotificationError(f"notify={name!r}: {error}"))
        self._told[task] = found
        if found and self._teller is None:
            from rota.sdk.notifying import Teller

            self._teller = Teller(lambda text, job, _run: self.logger.error("'%s': %s", job, text))
        return wrong

    def tell_attempts(self, work: Work, handle: rota.Handle) -> None:
        """Tell of the attempts of a run that have failed so far; another one follows."""
        task, course = work.task, self._course(handle.id)
        with course.telling:
            for end in course.new(_ends(task, handle)):
                task.note_failure(TaskExecutionError(end.why))
                self._log(task, handle, end)

    def follow(self, engine: rota.Scheduler, work: Work, run: rota.Run) -> None:
        """Do what follows a run that has ended."""
        task, course = work.task, self._course(run.id)
        over = course.over
        try:
            handle = engine.handle(run.id)
            with course.telling:
                ends = _ends(task, handle)
                error = None if not ends[-1].why else work.error_of(run, ends[-1].why)
                new = course.new(ends)
                output = "\n".join(line for end in ends for line in end.lines)
                task.note(run.started_at, sum(bool(end.why) for end in new), error, output)
                for end in new:
                    self._log(task, handle, end)
            if error is None:
                self.logger.log_task_success(task.name, task.task_id, run.duration or 0.0)
            failed = sum(bool(end.why) for end in ends)
            self._record(task, run, failed, error)
        except BaseException:
            over.set()
            raise
        thread = threading.Thread(target=self._tell, args=(task, run, failed, error, over), daemon=True)
        self._telling.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the program is ending, and starts no more threads
            self._telling.discard(thread)
            self._tell(task, run, failed, error, over)

    def wait_for(self, run_id: str) -> None:
        """Wait until all that follows a run has been done."""
        self._course(run_id).over.wait()

    def wait(self, seconds: float) -> None:
        """Give those who are being told of runs their time, each at most so long."""
        for thread in list(self._telling):
            if thread is not threading.current_thread():
                thread.join(seconds)
        if self._teller is not None:
            self._teller.close(seconds)

    def _course(self, run_id: str) -> _Course:
        with self._lock:
            found = self._courses.setdefault(run_id, _Course())
            while len(self._courses) > _REMEMBERED:
                self._courses.popitem(last=False)
            return found

    def _log(self, task: Task, handle: rota.Handle, end: _End) -> None:
        """Say how an attempt went: first that it failed, if it did, and then what it wrote."""
        if end.why:
            self.logger.log_task_failure(task.name, task.task_id, end.why, end.attempt, task.retries + 1)
        for line in end.lines[:_LINES]:
            self.logger.info("[%s] %s", task.name, line)
        if len(end.lines) > _LINES:
            self.logger.info("[%s] … and %d more lines", task.name, len(end.lines) - _LINES)
        pause = _pause_after(end, handle.run)
        if pause is not None:
            self.logger.log_task_retry(task.name, task.task_id, end.attempt + 1, pause)

    def _record(self, task: Task, run: rota.Run, failed: int, error: BaseException | None) -> None:
        if self.analytics is None:
            return
        try:
            self.analytics.record_execution(
                task_name=task.name,
                success=error is None,
                duration=run.duration or 0.0,
                error=None if error is None else str(error),
                retry_count=max(0, failed - (error is not None)),
            )
        except Exception as fault:  # noqa: BLE001 -- figures that cannot be kept are no run's fault
            self.logger.warning("the figures of '%s' were not kept: %s", task.name, fault)

    def _tell(self, task: Task, run: rota.Run, failed: int, error: BaseException | None, over: threading.Event) -> None:
        try:
            if error is None:
                self._call(task, "on_success", task.on_success)
                title, message = success_text(task.name, run.duration or 0.0)
            else:
                self._call(task, "on_failure", task.on_failure, error)
                title, message = failure_text(task.name, failed, error)
            notifiers = self._told.get(task, [])
            for told in [self._teller.tell(each, message, title, task.name, run.id) for each in notifiers]:
                told.wait(_PATIENCE)
        finally:
            over.set()
            self._telling.discard(threading.current_thread())

    def _call(self, task: Task, name: str, function: Callable[..., Any] | None, *given: object) -> None:
        if function is None:
            return
        try:
            finished(function(*given[: most_arguments(function, len(given))]))
        except Exception as fault:  # noqa: BLE001 -- what a callback does wrong is no run's fault
            self.logger.error("%s of '%s' failed: %s: %s", name, task.name, type(fault).__name__, fault)  # noqa: TRY400


def _ends(task: Task, handle: rota.Handle) -> list[_End]:
    """Return how the attempts of a run have ended so far. A run that was cancelled in a pause has one end more."""
    ends: list[_End] = []
    for each in handle.attempts():
        is_known = bool(ends) and ends[-1].attempt == each.attempt
        lines = [] if is_known else list(_lines(task, handle, each.attempt))
        reason = "" if each.state is rota.State.SUCCEEDED else why(task, each, "\n".join(lines[-_LAST_WORDS:]))
        ends.append(_End(each.attempt, each.state, each.ended_at, reason, lines))
    return ends


def _pause_after(end: _End, run: rota.Run) -> float | None:
    """Return for how many seconds a run rests after an attempt that failed; None when no other one follows."""
    if run.attempt == end.attempt and run.state in (rota.State.WAITING, rota.State.QUEUED):
        again = run.ready_at or end.at  # it is queued when its pause is over already
    elif run.attempt == end.attempt + 1 and run.started_at is not None:
        again = run.started_at
    else:
        return None
    return round(max(0.0, (again - end.at).total_seconds()), 1)


def _lines(task: Task, handle: rota.Handle, attempt: int) -> Iterator[str]:
    """Yield what an attempt of a run has written."""
    is_ours = task.func is not None or task.has_own_way
    for stream in ("stdout", "stderr"):
        text = handle.output(stream, attempt)
        yield from (without_our_frames(text) if is_ours and stream == "stderr" else text).splitlines()

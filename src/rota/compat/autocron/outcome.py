"""What follows a run: the task's figures, the log, and who wanted to hear of it.

Figures and log come first and cannot fail. Callbacks are the program's: they have a thread of their own for each run.
Notifiers reach over a network: each has a few threads and a line that is not endless. So one that fails or hangs is in
nobody's way, and changes no result.
"""

from __future__ import annotations

import inspect
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import rota
from rota.compat.autocron.errors import NotificationError
from rota.compat.autocron.logger import AutoCronLogger
from rota.compat.autocron.notifications import channel_of, channels_of, failure_text, success_text
from rota.compat.autocron.task import Task
from rota.compat.autocron.work import Work
from rota.sdk.awaiting import finished

_REMEMBERED = 1_000
_LINES = 1_000
"""At most so many lines of a run's output go to the log; what was kept of it is all in `task.last_output`."""
_PATIENCE = 15.0
"""Whoever runs a task by hand waits at most so many seconds for its notifiers."""


class Aftermath:
    """Looks after what follows the runs of one scheduler."""

    def __init__(self, logger: AutoCronLogger) -> None:
        self.logger = logger
        self._lock = threading.Lock()
        self._over: OrderedDict[str, threading.Event] = OrderedDict()
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

    def follow(self, engine: rota.Scheduler, work: Work, run: rota.Run) -> None:
        """Do what follows a run that has ended."""
        task, over = work.task, self._event(run.id)
        try:
            handle = engine.handle(run.id)
            attempts = handle.attempts()
            failed = sum(each.state is not rota.State.SUCCEEDED for each in attempts)
            error = None if run.state is rota.State.SUCCEEDED else work.error_of(run)
            output = list(_lines(handle, len(attempts) or run.attempt))
            task.note(run.started_at, failed, error, "\n".join(output))
            self._log(task, run, attempts, output)
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
        self._event(run_id).wait()

    def wait(self, seconds: float) -> None:
        """Give those who are being told of runs their time, each at most so long."""
        for thread in list(self._telling):
            if thread is not threading.current_thread():
                thread.join(seconds)
        if self._teller is not None:
            self._teller.close(seconds)

    def _event(self, run_id: str) -> threading.Event:
        with self._lock:
            found = self._over.setdefault(run_id, threading.Event())
            while len(self._over) > _REMEMBERED:
                self._over.popitem(last=False)
            return found

    def _log(self, task: Task, run: rota.Run, attempts: list[Any], output: list[str]) -> None:
        for line in output[:_LINES]:
            self.logger.info("[%s] %s", task.name, line)
        if len(output) > _LINES:
            self.logger.info("[%s] … and %d more lines", task.name, len(output) - _LINES)
        for each in attempts:
            if each.state is not rota.State.SUCCEEDED:
                why = each.reason or each.state.value
                self.logger.log_task_failure(task.name, task.task_id, why, each.attempt, task.retries + 1)
        if run.state is rota.State.SUCCEEDED:
            self.logger.log_task_success(task.name, task.task_id, run.duration or 0.0)

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
            finished(function(*given[: _most_arguments(function)]))
        except Exception as fault:  # noqa: BLE001 -- what a callback does wrong is no run's fault
            self.logger.error("%s of '%s' failed: %s: %s", name, task.name, type(fault).__name__, fault)  # noqa: TRY400


def _most_arguments(function: Callable[..., Any]) -> int:
    """Return how many arguments a function can be given; a callback need not take what it does not want to know."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 1
    return sum(each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters)


def _lines(handle: rota.Handle, attempts: int) -> Iterator[str]:
    """Yield what all attempts of a run have written."""
    for attempt in range(1, attempts + 1):
        for stream in ("stdout", "stderr"):
            yield from handle.output(stream, attempt).splitlines()

"""The scheduler with AutoCron's words.

Its engine is there from `start` to `stop`. Before and after that, tasks are only known, and what is said about them is
what the next start goes by. In between, whatever is changed about a task gives its job a new definition.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Self

import rota
from rota.compat.autocron import child, files
from rota.compat.autocron.analytics import TaskAnalytics
from rota.compat.autocron.engine import Engine
from rota.compat.autocron.errors import NotificationError, OSAdapterError, SchedulingError
from rota.compat.autocron.handing import Handing
from rota.compat.autocron.logger import get_logger
from rota.compat.autocron.notifications import EmailNotifier, channels_of, get_notification_manager
from rota.compat.autocron.os_adapters import OSAdapter, get_os_adapter
from rota.compat.autocron.outcome import Aftermath
from rota.compat.autocron.task import Task
from rota.compat.autocron.utils import resolve_timezone, timezone_name

_TELLING = 5.0


class TaskInfo(dict[str, Any]):
    """What can be said of a task: a dictionary whose entries are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


class AutoCron:
    """Runs tasks when they are due."""

    def __init__(
        self,
        log_path: str | os.PathLike[str] | None = None,
        log_level: str = "INFO",
        max_workers: int = 4,
        use_os_scheduler: bool = False,
        timezone: str | tzinfo | None = None,
        poll_interval: float = 0.25,
        shutdown_timeout: float = 5.0,
    ) -> None:
        if isinstance(max_workers, bool) or not isinstance(max_workers, int) or max_workers < 1:
            raise ValueError(f"max_workers must be a whole number of at least 1, not {max_workers!r}")
        name = "autocron" if log_path is None else f"autocron:{os.path.abspath(os.path.expanduser(log_path))}"
        self.logger = get_logger(name, log_path, log_level)
        self.max_workers, self.shutdown_timeout = max_workers, shutdown_timeout
        self.poll_interval = poll_interval  # nothing is polled: a task starts when it is due
        self.timezone, self.tzinfo = timezone_name(timezone), resolve_timezone(timezone)
        self.tasks: dict[str, Task] = {}
        self.notification_manager = get_notification_manager()
        self._after = Aftermath(self.logger)
        self.analytics = TaskAnalytics()
        self._handing: Handing | None = None
        if use_os_scheduler:
            try:
                self._handing = Handing(get_os_adapter(), self.logger)
            except OSAdapterError as error:
                self.logger.warning("use_os_scheduler: %s; this program starts the tasks", error)
        self._engine: Engine | None = None
        self._changing = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        """A function that goes to a process may refer to its scheduler: there it is one that does not run."""
        return {"max_workers": self.max_workers, "timezone": self.timezone, "tasks": self.tasks}

    def __setstate__(self, state: dict[str, Any]) -> None:
        AutoCron.__init__(self, max_workers=state["max_workers"], timezone=state["timezone"])
        self.tasks = state["tasks"]

    # -- tasks --------------------------------------------------------------------------------------------------------

    def add_task(
        self,
        name: str | Task,
        func: Callable[..., Any] | None = None,
        script: str | None = None,
        every: str | None = None,
        cron: str | None = None,
        retries: int = 0,
        retry_delay: float = 60,
        timeout: float | None = None,
        notify: str | list[str] | None = None,
        email_config: dict[str, Any] | None = None,
        on_success: Callable[..., Any] | None = None,
        on_failure: Callable[..., Any] | None = None,
        safe_mode: bool = False,
        max_memory_mb: int | None = None,
        max_cpu_percent: float | None = None,
        timezone: str | tzinfo | None = None,
        overlap_policy: str = "skip",
        max_instances: int = 1,
        misfire_grace_time: float | None = 60.0,
        coalesce: bool = True,
        clean_env: bool = False,
        max_output_bytes: int = 1_000_000,
        notifier: Any = None,
    ) -> str:
        """Add a task, and return its id. A task that was made already, of a class of your own, is added as it is."""
        said = {word: value for word, value in locals().items() if word != "self"}
        try:
            if isinstance(name, Task):
                task = name
            else:
                said["timezone"] = self.timezone if timezone is None else timezone
                task = Task(**said)
            if task.script is not None and not os.path.exists(os.path.expanduser(task.script)):
                raise SchedulingError(f"Script not found: {task.script}")
            if task.email_config is not None and "email" in channels_of(task):
                EmailNotifier(task.email_config)  # which says now what is missing
            self.take_in(task)
        except (ValueError, rota.RotaError, NotificationError) as error:
            raise SchedulingError(f"task {getattr(name, 'name', name)!r} cannot be added: {error}") from error
        return task.task_id

    def take_in(self, task: Task) -> None:
        """Add a task that was made already, whether its script is there now or not."""
        if task.max_cpu_percent is not None and task.timeout is None:
            self.logger.warning("'%s': max_cpu_percent is a part of the timeout, and there is none", task.name)
        if task.plan is None:
            self.logger.warning("'%s' has no schedule, neither every nor cron: it runs when run_task asks", task.name)
        for problem in self._after.prepare(task):
            self.logger.warning("'%s': %s", task.name, problem)
        with self._changing:
            is_handed_over = self._handing is not None and self._handing.take(task)
            if self._engine is not None and not is_handed_over:
                self._engine.add(task)
                self._engine.begin([task])
            self.tasks[task.task_id] = task
        self.logger.log_task_scheduled(task.name, f"{task.schedule_type}={task.schedule_value}")

    def _own_tasks(self) -> list[Task]:
        """Return the tasks that this program starts, and not the system."""
        handed = {} if self._handing is None else self._handing.tasks
        return [task for task in self.list_tasks() if handed.get(task.name) is not task]

    def remove_task(self, task_id: str | None = None, name: str | None = None) -> bool:
        """Take a task away, and tell whether it was there; what runs goes on to its end."""
        with self._changing:
            task = self.get_task(task_id, name)
            if task is None:
                return False
            if self._handing is not None and self._handing.tasks.get(task.name) is task:
                self._handing.remove(task)
            elif self._engine is not None:
                self._engine.remove(task)
            del self.tasks[task.task_id]
        self.logger.log_task_removed(task.name)
        return True

    def get_task(self, task_id: str | None = None, name: str | None = None) -> Task | None:
        """Return a task by its id or its name; a text that is no id is taken for a name."""
        if task_id in self.tasks:
            return self.tasks[task_id]
        wanted = name if name is not None else task_id
        return next((task for task in self.list_tasks() if task.name == wanted), None)

    def list_tasks(self) -> list[Task]:
        """Return all tasks, in the order in which they were added."""
        return list(self.tasks.values())

    def get_tasks(self) -> list[TaskInfo]:
        """Return what can be said of all tasks."""
        return [TaskInfo(task.to_dict()) for task in self.list_tasks()]

    def run_task(self, task_id: str | None = None, name: str | None = None, *, wait: bool = True) -> bool:
        """Run a task now, whether the scheduler was started or not, and tell whether it succeeded.

        Retries, timeout and callbacks are those of any run. Without `wait`, tell only whether it was begun; then the
        scheduler must have been started.
        """
        task = self.get_task(task_id, name)
        if task is None:
            raise SchedulingError(f"there is no task {name if name is not None else task_id!r}")
        if not task.enabled:
            return False
        engine = self._engine
        if engine is not None and task in self._own_tasks():
            return engine.run(task, wait=wait)
        if not wait:
            raise SchedulingError(f"task {task.name!r} cannot be run without waiting: start the scheduler first")
        passing = Engine(1, self._after)
        try:
            passing.add(task)
            passing.scheduler.start()
            return passing.run(task, wait=True)
        finally:
            passing.stop(0.0, ())

    # -- start and stop -----------------------------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Tell whether the scheduler was started."""
        return self._engine is not None

    @property
    def use_os_scheduler(self) -> bool:
        """Tell whether scripts are handed over to the system's own scheduler."""
        return self._handing is not None

    @property
    def os_adapter(self) -> OSAdapter | None:
        """The system's own scheduler, if scripts are handed over to it; another adapter may be put in its place."""
        return None if self._handing is None else self._handing.adapter

    @os_adapter.setter
    def os_adapter(self, adapter: OSAdapter) -> None:
        if self._handing is None:
            self._handing = Handing(adapter, self.logger)
        self._handing.adapter = adapter

    @property
    def analytics(self) -> Any:
        """Who keeps figures of the runs: an object with `record_execution`, or None."""
        return self._after.analytics

    @analytics.setter
    def analytics(self, keeper: Any) -> None:
        self._after.analytics = keeper

    def start(self, blocking: bool = True) -> None:
        """Run tasks when they are due. `blocking` goes on until Ctrl-C, SIGTERM or `stop` in another thread."""
        if child.is_one():
            return
        with self._changing:
            if self._engine is not None:
                self.logger.warning("the scheduler is running already")
                return
            engine = Engine(self.max_workers, self._after)
            try:
                for task in self._own_tasks():
                    engine.add(task)
                engine.scheduler.start()
            except BaseException:
                engine.stop(0.0, ())
                raise
            self._engine = engine
            self.logger.log_scheduler_start()
            engine.begin(self._own_tasks())
        atexit.register(self._stop)
        if blocking:
            try:
                engine.scheduler.start(blocking=True, patience=self.shutdown_timeout)
            finally:
                self._stop()

    def stop(self) -> None:
        """Start nothing more, give what runs `shutdown_timeout` seconds, end what is left, and tell of it."""
        if rota.calling() is None:
            self._stop()
        else:  # a task that waited here would wait for its own end
            threading.Thread(target=self._stop, name="autocron stop").start()

    def _stop(self) -> None:
        with self._changing:
            engine, self._engine = self._engine, None
            if engine is not None:
                atexit.unregister(self._stop)
                engine.stop(self.shutdown_timeout, self._own_tasks())
                self.logger.log_scheduler_stop()
        self._after.wait(_TELLING)  # without the lock: who is told may want to change something

    # -- files --------------------------------------------------------------------------------------------------------

    def save_tasks(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write the tasks that have a script into a YAML or JSON file, and return its path. No secret is written."""
        path = files.path_of(path)
        tasks = self.list_tasks()
        kept = [task for task in tasks if task.script is not None and task.plan is not None]
        left_out = [task.name for task in tasks if task not in kept]
        if left_out:
            self.logger.info("not saved, because only scripts with a schedule can be: %s", ", ".join(left_out))
        return files.save(path, kept)

    def load_tasks(
        self, path: str | os.PathLike[str] | None = None, replace: bool = False, *, merge: bool = True
    ) -> int:
        """Add the tasks of a file to those that there are, or put them in their place; return how many came."""
        path = files.path_of(path)
        found = files.load(path, self.logger)
        with self._changing:
            if replace or not merge:
                for task in self.list_tasks():
                    self.remove_task(task.task_id)
            came = 0
            for task in found:
                if self.get_task(name=task.name) is not None:
                    self.logger.warning("'%s' is there already; the one in %s is left out", task.name, path)
                    continue
                if not os.path.exists(os.path.expanduser(task.script or "")):
                    self.logger.warning("'%s': %s is not there now; the task fails until it is", task.name, task.script)
                self.take_in(task)
                came += 1
            return came

    @classmethod
    def from_config(cls, config_path: str | os.PathLike[str]) -> Self:
        """Make a scheduler of an autocron.yaml."""
        about, tasks = files.read_config(config_path)
        made = cls(**about)
        for said in tasks:
            enabled = said.pop("enabled")
            made.tasks[made.add_task(**said)].enabled = enabled
        return made

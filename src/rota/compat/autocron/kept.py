"""The tasks of the command line: in a file of the user's, which one call at a time changes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rota.compat.autocron import files
from rota.compat.autocron.locking import locked
from rota.compat.autocron.logger import AutoCronLogger, get_logger
from rota.compat.autocron.runner import AutoCron
from rota.compat.autocron.utils import get_autocron_home

_LOOK = 0.5
_COUNTED = ("run_count", "fail_count", "last_run")


def logger_of_the_home(*, console: bool = False) -> AutoCronLogger:
    """Return the log that all calls share."""
    path = get_autocron_home() / "autocron.log"
    return get_logger(f"autocron:{path}", path, console_output=console)


class Kept:
    """The file of tasks."""

    def __init__(self) -> None:
        self.path = files.path_of(None)

    def read(self) -> AutoCron:
        """Return a scheduler that knows the tasks of the file, to be looked at and changed."""
        log = logger_of_the_home()
        made = AutoCron(log_path=log.log_path)
        if os.path.exists(self.path):
            made.tasks = {task.task_id: task for task in files.load(self.path, log)}
        return made

    def ready(self, *, console: bool = False) -> AutoCron:
        """Return a scheduler that is ready to run the tasks of the file."""
        made = AutoCron(log_path=logger_of_the_home(console=console).log_path)
        if os.path.exists(self.path):
            made.load_tasks(self.path)
        return made

    @contextmanager
    def changed(self) -> Iterator[AutoCron]:
        """Give the tasks to who changes them, and keep what comes of it; what fails changes nothing."""
        with locked(f"{self.path}.lock"):
            tasks = self.read()
            yield tasks
            tasks.save_tasks(self.path)

    def keep_counts(self, ran: AutoCron) -> None:
        """Keep how often tasks have run; what was changed about them in between stays as it is."""
        with self.changed() as tasks:
            for task in tasks.list_tasks():
                other = ran.tasks.get(task.task_id)
                if other is not None:
                    for word in _COUNTED:
                        setattr(task, word, getattr(other, word))
                    if other.next_run is not None:
                        task.next_run = other.next_run

    def serve(self) -> None:
        """Run the tasks when they are due, until Ctrl-C or SIGTERM; a change of the file is heeded at once."""
        running, ended = self.ready(console=True), threading.Event()
        before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
        seen = self._state()
        running.start(blocking=False)
        try:
            while not ended.wait(_LOOK):
                if (now := self._state()) != seen:
                    seen = now
                    self._follow(running)
        except KeyboardInterrupt:
            running.logger.info("Stopping")
        finally:
            signal.signal(signal.SIGTERM, before)
            running.stop()
            self.keep_counts(running)

    def _follow(self, running: AutoCron) -> None:
        """Take away the tasks that are no longer in the file, and add those that are new."""
        there = self.read()
        for task in running.list_tasks():
            if task.task_id not in there.tasks:
                running.remove_task(task.task_id)
        for task in there.list_tasks():
            if task.task_id not in running.tasks:
                running.take_in(task)

    def _state(self) -> tuple[int, int]:
        with suppress(FileNotFoundError):
            found = os.stat(self.path)
            return found.st_mtime_ns, found.st_ino
        return 0, 0

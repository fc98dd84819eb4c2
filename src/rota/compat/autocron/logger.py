"""AutoCron's log: a file that rotates, a console with colours, one logger for each name."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import deque
from logging.handlers import RotatingFileHandler
from typing import Any

DEFAULT_NAME = "autocron"
DEFAULT_PATH = "autocron.log"
_COLOURS = {"DEBUG": "36", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_RECENT = 100


class _Coloured(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return f"\x1b[{_COLOURS.get(record.levelname, '0')}m{text}\x1b[0m"


class _Console(logging.StreamHandler[Any]):
    """Writes to what standard error is now; in colours where that is a terminal and nobody has asked for none."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self._plain, self._coloured = logging.Formatter(line), _Coloured(line)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        if self.stream is not None:
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        coloured = "NO_COLOR" not in os.environ and self.stream.isatty()
        return (self._coloured if coloured else self._plain).format(record)


class AutoCronLogger:
    """A logger with words for what happens to tasks; `logger` is Python's own behind it."""

    def __init__(
        self,
        name: str = DEFAULT_NAME,
        log_path: str | os.PathLike[str] | None = None,
        log_level: str | int = "INFO",
        max_bytes: int = 10 * 1024 * 1024,
        backup_count: int = 5,
        console_output: bool = True,
    ) -> None:
        self.name = name
        self.log_path = _absolute(log_path or DEFAULT_PATH)
        self.logger = logging.getLogger(name)
        line = f"%(asctime)s - {name.partition(':')[0].replace('%', '%%')} - %(levelname)s - %(message)s"
        self.logger.propagate = False
        self.close()
        self.set_level(log_level)
        if console_output:
            self.logger.addHandler(_Console(line))
        if self._may_write(asked_for=log_path is not None):
            os.makedirs(os.path.dirname(self.log_path), exist_ok=True)
            # A file that nobody has asked for is made when there is something to write into it.
            file = RotatingFileHandler(
                self.log_path,
                maxBytes=max_bytes,
                backupCount=backup_count,
                encoding="utf-8",
                delay=log_path is None,
                errors="backslashreplace",
            )
            file.setFormatter(logging.Formatter(line))
            self.logger.addHandler(file)

    def _may_write(self, *, asked_for: bool) -> bool:
        return asked_for or os.access(os.path.dirname(self.log_path), os.W_OK)

    def set_level(self, log_level: str | int) -> None:
        """Say from now on only what is at least so important."""
        self.logger.setLevel(log_level.upper() if isinstance(log_level, str) else log_level)

    def close(self) -> None:
        """Let the file and the console go."""
        for handler in list(self.logger.handlers):
            self.logger.removeHandler(handler)
            handler.close()

    # -- Python's words -----------------------------------------------------------------------------------------------

    def debug(self, message: object, *args: object, **more: Any) -> None:
        """Say what only a developer wants to know."""
        self.logger.debug(message, *args, **more)

    def info(self, message: object, *args: object, **more: Any) -> None:
        """Say what happened."""
        self.logger.info(message, *args, **more)

    def warning(self, message: object, *args: object, **more: Any) -> None:
        """Say what somebody should look at."""
        self.logger.warning(message, *args, **more)

    def error(self, message: object, *args: object, **more: Any) -> None:
        """Say what went wrong."""
        self.logger.error(message, *args, **more)

    def critical(self, message: object, *args: object, **more: Any) -> None:
        """Say what cannot wait."""
        self.logger.critical(message, *args, **more)

    def exception(self, message: object, *args: object, **more: Any) -> None:
        """Say what went wrong, with the traceback of what is being handled."""
        self.logger.exception(message, *args, **more)

    # -- words for tasks ----------------------------------------------------------------------------------------------

    def log_task_scheduled(self, task_name: str, schedule: str) -> None:
        """Say that a task was added."""
        self.info("Task '%s' scheduled: %s", task_name, schedule)

    def log_task_removed(self, task_name: str) -> None:
        """Say that a task was removed."""
        self.info("Task '%s' removed", task_name)

    def log_task_start(self, task_name: str, task_id: str) -> None:
        """Say that a task begins."""
        self.info("Task '%s' started (ID: %s)", task_name, task_id)

    def log_task_success(self, task_name: str, task_id: str, duration: float) -> None:
        """Say that a task did what it should."""
        self.info("Task '%s' completed successfully in %.2f seconds (ID: %s)", task_name, duration, task_id)

    def log_task_failure(
        self, task_name: str, task_id: str, error: object, attempt: int = 1, max_attempts: int = 1
    ) -> None:
        """Say that an attempt of a task failed."""
        self.error("Task '%s' failed (attempt %d of %d, ID: %s): %s", task_name, attempt, max_attempts, task_id, error)

    def log_task_retry(self, task_name: str, task_id: str, attempt: int, delay: float) -> None:
        """Say that a task is tried again."""
        self.warning("Task '%s' is tried again in %g seconds (attempt %d, ID: %s)", task_name, delay, attempt, task_id)

    def log_scheduler_start(self) -> None:
        """Say that the scheduler begins."""
        self.info("Scheduler started")

    def log_scheduler_stop(self) -> None:
        """Say that the scheduler ends."""
        self.info("Scheduler stopped")

    def get_recent_logs(self, lines: int = _RECENT) -> list[str]:
        """Return the last lines of the file, without their line ends."""
        for handler in self.logger.handlers:
            handler.flush()
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return [line.rstrip("\n") for line in deque(file, maxlen=lines)]
        except FileNotFoundError:
            return []


_LOGGERS: dict[str, AutoCronLogger] = {}
_LOCK = threading.Lock()


def get_logger(
    name: str = DEFAULT_NAME,
    log_path: str | os.PathLike[str] | None = None,
    log_level: str | int = "INFO",
    **more: Any,
) -> AutoCronLogger:
    """Return the logger of a name, which is made when it is first asked for.

    Whoever asks for another path has the logger go on there; whoever asks for another level than INFO sets it.
    """
    with _LOCK:
        known = _LOGGERS.get(name)
        if known is None or (log_path is not None and _absolute(log_path) != known.log_path):
            known = _LOGGERS[name] = AutoCronLogger(name, log_path, log_level, **more)
        elif log_level != "INFO":
            known.set_level(log_level)
        return known


def _absolute(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.path.expanduser(path))


def reset_logger(name: str | None = None) -> None:
    """Close a logger, or all of them, and forget it."""
    with _LOCK:
        for each in [name] if name is not None else list(_LOGGERS):
            found = _LOGGERS.pop(each, None)
            if found is not None:
                found.close()

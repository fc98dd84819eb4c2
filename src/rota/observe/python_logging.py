"""The log of an engine in somebody's program: Python's own logging, under the name `rota`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "rota"
_LINE, _TIME = "[%(asctime)s] %(levelname)s: %(message)s", "%Y-%m-%d %H:%M:%S"


class PythonLog:
    """See ports.Log. What becomes of the lines is the program's to say, as with any library."""

    def __init__(self, name: str = NAME) -> None:
        self._logger = logging.getLogger(name)

    def info(self, text: str, job: str = "", run: str = "") -> None:
        """Say what happened."""
        self._say(logging.INFO, text, job, run)

    def warning(self, text: str, job: str = "", run: str = "") -> None:
        """Say what somebody should look at."""
        self._say(logging.WARNING, text, job, run)

    def error(self, text: str, job: str = "", run: str = "") -> None:
        """Say what went wrong."""
        self._say(logging.ERROR, text, job, run)

    def reopen(self) -> None:
        """Do nothing: handlers belong to the program."""

    def _say(self, level: int, text: str, job: str, run: str) -> None:
        if self._logger.isEnabledFor(level):
            line = f"[{job}] {text}" if job else text
            self._logger.log(level, "%s", line, extra={"rota_job": job, "rota_run": run})


@contextmanager
def shown_on_stderr() -> Iterator[None]:
    """Write the log to standard error for a while, unless the program has said what becomes of it."""
    logger = logging.getLogger(NAME)
    if logger.hasHandlers():
        yield
        return
    before, shown = logger.level, logging.StreamHandler()
    shown.setFormatter(logging.Formatter(_LINE, _TIME))
    logger.addHandler(shown)
    if before == logging.NOTSET:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(shown)
        logger.setLevel(before)

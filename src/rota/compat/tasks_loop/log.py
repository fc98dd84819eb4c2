"""Where the log of a scheduler goes: to the file that its configuration names, else to the standard error."""

from __future__ import annotations

import logging
import os

from rota.compat.tasks_loop.config import SchedulerConfig

_SHAPE = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
_LEVELS = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}


def set_up(config: SchedulerConfig) -> None:
    """Send Python's logging where the configuration says; a program that has set it up by itself keeps it so."""
    level = str(config.log_level).upper()
    if level not in _LEVELS:
        raise ValueError(f"log_level is {config.log_level!r}; it may be {', '.join(sorted(_LEVELS))}")
    if config.log_file is None:
        logging.basicConfig(level=level, format=_SHAPE)
        return
    path = os.path.abspath(config.log_file)
    root = logging.getLogger()
    if any(getattr(handler, "baseFilename", None) == path for handler in root.handlers):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_SHAPE))
    if not root.handlers:
        root.setLevel(level)
    root.addHandler(handler)

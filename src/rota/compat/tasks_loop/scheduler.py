"""`python -m rota.compat.tasks_loop.scheduler`: the scheduler as a program; and the name that others import it by."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from rota.compat.tasks_loop.config import SchedulerConfig
from rota.compat.tasks_loop.job import Job, JobResult, JobState
from rota.compat.tasks_loop.task_scheduler import TaskScheduler

__all__ = ["Job", "JobResult", "JobState", "SchedulerConfig", "TaskScheduler", "main"]
_CONFIG = os.path.join("config", "scheduler.yaml")


def main(words: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m rota.compat.tasks_loop.scheduler", description="Run the jobs of a directory when they are due."
    )
    parser.add_argument("--config", metavar="FILE", help=f"the configuration ({_CONFIG}, if that is there)")
    path = parser.parse_args(words).config or (_CONFIG if os.path.exists(_CONFIG) else None)
    try:
        scheduler = TaskScheduler(SchedulerConfig.default() if path is None else SchedulerConfig.from_yaml(path))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    scheduler.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Runs one task once: what the system's own scheduler starts for a task that was handed over to it.

`python -m rota.compat.autocron.once FILE`, where the file is the one that `handing` wrote. So the task has its retries,
its timeout with all that it has started, its limits, its log, its figures and its notifications, whoever starts it. It
is not started while it still runs. The exit code is 0 when it did what it should; what went wrong stands on standard
error, too, so that cron mails it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from rota import RotaError
from rota.compat.autocron.analytics import TaskAnalytics
from rota.compat.autocron.locking import Taken, locked
from rota.compat.autocron.logger import get_logger
from rota.compat.autocron.runner import AutoCron
from rota.compat.autocron.task import Task
from rota.sdk.saved import read_document


def main(words: list[str]) -> int:
    """Run the task of a file, and return the exit code."""
    if len(words) != 1:
        sys.stderr.write("usage: python -m rota.compat.autocron.once FILE\n")
        return 2
    path = os.path.abspath(words[0])
    try:
        kept = read_document(path)
    except (OSError, RotaError) as error:
        sys.stderr.write(f"there is no task to run: {error}; if it was removed, take its line out of the crontab\n")
        return 1
    log = get_logger(f"autocron:{kept['log_path']}", kept["log_path"], kept["log_level"], console_output=False)
    try:
        with locked(f"{path}.lock", wait=False):
            return _run(path, kept)
    except Taken:
        log.warning("Task '%s' is due and still runs; it is not started again", kept["task"]["name"])
        return 0


def _run(path: str, kept: dict[str, Any]) -> int:
    os.chdir(kept["folder"])
    scheduler = AutoCron(log_path=kept["log_path"], log_level=kept["log_level"])
    # The home of who handed it over, whatever HOME the system's scheduler has set.
    scheduler.analytics = TaskAnalytics(os.path.join(os.path.dirname(os.path.dirname(path)), "analytics.json"))
    task = Task.from_dict(kept["task"])
    scheduler.take_in(task)
    well = scheduler.run_task(task.task_id)
    if not well:
        sys.stderr.write(f"task {task.name!r} failed: {task.last_error}\n{task.last_output}\n")
    scheduler.stop()
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

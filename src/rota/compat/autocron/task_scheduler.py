"""Tasks in Windows' Task Scheduler, through its program `schtasks`.

A task is described in XML, because the program's own words know too few schedules. A cron expression becomes triggers
that are due at exactly its times; one for which there are none is refused, and never approximated.
"""

from __future__ import annotations

import ntpath
import os
import re
import subprocess
import sys
import tempfile
from csv import reader

from rota import Cron, RotaError
from rota.compat.autocron.adapter import OSAdapter, Runner, run_command, text_of
from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.task_xml import CannotExpress, task_xml
from rota.compat.autocron.utils import is_windows
from rota.sdk.crontabs import cron_numbers

_ADVICE = "it is part of Windows"
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_CODED = re.compile(r"\.([0-9a-f]+)\.")
_LONGEST_NAME = 200


class WindowsAdapter(OSAdapter):
    """Windows' Task Scheduler."""

    TASK_PREFIX = "AutoCron_"

    def __init__(self, runner: Runner | None = None) -> None:
        if runner is None and not is_windows():
            raise OSAdapterError("WindowsAdapter works on Windows only")
        self._runner = runner or subprocess.run

    def create_scheduled_task(
        self, task_name: str, script_path: str, cron_expr: str, python_executable: str | None = None
    ) -> bool:
        """Have a script started by Python at the times of a cron expression; one of this name is replaced."""
        name = self._full(task_name)
        script = script_path if ntpath.isabs(script_path) else os.path.abspath(script_path)
        try:
            document = task_xml(task_name, [python_executable or sys.executable, script], cron_numbers(Cron(cron_expr)))
        except (RotaError, CannotExpress) as error:
            raise OSAdapterError(f"Windows' Task Scheduler cannot start {task_name!r}: {error}") from error
        with tempfile.TemporaryDirectory(prefix="autocron-") as folder:
            path = os.path.join(folder, "task.xml")
            with open(path, "w", encoding="utf-16") as file:
                file.write(document)
            self._run("/Create", "/TN", name, "/XML", path, "/F")
        return True

    def remove_scheduled_task(self, task_name: str) -> bool:
        """Take a task away, and tell whether it was there."""
        if not self.task_exists(task_name):
            return False
        self._run("/Delete", "/TN", self._full(task_name), "/F")
        return True

    def list_scheduled_tasks(self) -> list[str]:
        """Return the names of AutoCron's tasks."""
        rows = reader(self._run("/Query", "/FO", "CSV", "/NH").splitlines())
        names = [row[0].lstrip("\\") for row in rows if row]
        ours = [name.removeprefix(self.TASK_PREFIX) for name in names if name.startswith(self.TASK_PREFIX)]
        return list(dict.fromkeys(_CODED.sub(lambda found: chr(int(found[1], 16)), name) for name in ours))

    def _full(self, task_name: str) -> str:
        """Return the name that Windows knows a task by: letters that it may not have there stand as `.20.`."""
        name = self.TASK_PREFIX + _ODD.sub(lambda found: f".{ord(found[0]):x}.", task_name)
        if not task_name or len(name) > _LONGEST_NAME:
            raise OSAdapterError(f"the name {task_name[:40]!r} is {'too long' if task_name else 'empty'}")
        return name

    def _run(self, *words: str) -> str:
        done = run_command(self._runner, ["schtasks", *words], _ADVICE, text=True)
        if done.returncode:
            said = text_of(done.stderr).strip() or f"exit code {done.returncode}"
            raise OSAdapterError(f"schtasks {words[0]}: {said}")
        return text_of(done.stdout)

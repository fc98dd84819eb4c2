"""Tasks in the user's crontab.

Each is one line, as AutoCron writes it: `FIELDS COMMAND # AutoCron: NAME`. A name that could be taken for something
else there is written as a JSON string. All other lines stay byte for byte as they are, also those that were commented
out. Two programs that change the crontab at the same time do so one after the other, as far as both are of this kind.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence

from rota import Cron, RotaError
from rota.compat.autocron.adapter import OSAdapter, Runner, run_command, text_of
from rota.compat.autocron.errors import OSAdapterError
from rota.compat.autocron.locking import locked
from rota.compat.autocron.utils import get_autocron_home, is_linux, is_macos
from rota.sdk.crontabs import cron_fields

_ADVICE = "install cron (Debian: apt install cron), or leave use_os_scheduler out"
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_LONGEST = 900
"""Debian's cron reads lines of up to 998 letters."""


class UnixAdapter(OSAdapter):
    """cron, on Linux and macOS."""

    CRON_COMMENT = "# AutoCron:"

    def __init__(self, runner: Runner | None = None) -> None:
        if runner is None and not (is_linux() or is_macos()):
            raise OSAdapterError("UnixAdapter works on Linux and macOS only")
        self._runner = runner or subprocess.run

    def create_scheduled_task(
        self, task_name: str, script_path: str, cron_expr: str, python_executable: str | None = None
    ) -> bool:
        """Have a script started by Python at the times of a cron expression; one of this name is replaced."""
        script = os.path.abspath(os.path.expanduser(script_path))
        return self.create_command(task_name, [python_executable or sys.executable, script], cron_expr)

    def create_command(self, task_name: str, argv: Sequence[str], cron_expr: str) -> bool:
        """Have any command started at the times of a cron expression; the task of this name is replaced."""
        try:
            fields = cron_fields(Cron(cron_expr))
        except RotaError as error:
            raise OSAdapterError(f"cron cannot start {task_name!r}: {error}") from error
        line = f"{fields} {_for_cron(shlex.join(argv))} {self.CRON_COMMENT} {_written(task_name)}"
        if len(line.encode()) > _LONGEST:
            raise OSAdapterError(
                f"the line of {task_name!r} is longer than the {_LONGEST} letters that every cron reads"
            )

        def put(lines: list[str]) -> list[str]:
            ours = [at for at, each in enumerate(lines) if self._name_in(each) == task_name]
            kept = [each for at, each in enumerate(lines) if at not in ours[1:]]
            if ours:
                kept[ours[0]] = line + "\n"
                return kept
            if kept and not kept[-1].endswith("\n"):
                kept[-1] += "\n"
            return [*kept, line + "\n"]

        return self._change(put)

    def remove_scheduled_task(self, task_name: str) -> bool:
        """Take a task away, and tell whether it was there."""
        return self._change(lambda lines: [each for each in lines if self._name_in(each) != task_name])

    def list_scheduled_tasks(self) -> list[str]:
        """Return the names of AutoCron's tasks in the crontab."""
        return [name for name in map(self._name_in, self._read()) if name is not None]

    def _change(self, change: Callable[[list[str]], list[str]]) -> bool:
        """Change the crontab's lines, and tell whether that changed anything."""
        try:
            with locked(get_autocron_home() / "crontab.lock"):
                before = self._read()
                after = change(list(before))
                if after != before:
                    self._write("".join(after))
        except OSError as error:
            raise OSAdapterError(f"the crontab cannot be changed: {error}") from error
        return after != before

    def _read(self) -> list[str]:
        # In C's language: `no crontab for …` must be understood here, and stands for an empty one.
        done = run_command(self._runner, ["crontab", "-l"], _ADVICE, env={**os.environ, "LC_ALL": "C"})
        if done.returncode == 0:
            return _LINES.findall(text_of(done.stdout))
        said = text_of(done.stderr).strip()
        if "no crontab" in said:
            return []
        raise OSAdapterError(f"the crontab cannot be read: {said or f'exit code {done.returncode}'}")

    def _write(self, text: str) -> None:
        given = text.encode("utf-8", "surrogateescape")
        done = run_command(self._runner, ["crontab", "-"], _ADVICE, input=given)
        if done.returncode:
            said = text_of(done.stderr).strip() or f"exit code {done.returncode}"
            raise OSAdapterError(f"the crontab cannot be written: {said}")

    def _name_in(self, line: str) -> str | None:
        """Return the name of the task that a line is; None where it is none of AutoCron's."""
        before, mark, name = line.rpartition(f" {self.CRON_COMMENT} ")
        if not mark or before.lstrip().startswith("#"):
            return None
        name = name.strip()
        if name.startswith('"'):
            try:
                return str(json.loads(name))
            except ValueError:
                return name  # AutoCron itself has written a name with a quotation mark as it was
        return name


def _written(name: str) -> str:
    """Return a name as it stands at the end of a line."""
    plain = name.isprintable() and name == name.strip() and not any(sign in name for sign in '"#%') and name
    return name if plain else json.dumps(name).replace("%", "\\u0025").replace("#", "\\u0023")


def _for_cron(command: str) -> str:
    """Return a command as it can stand in a line of cron's, where a '%' would end it, and a line end, too.

    cron takes the backslash before a '%' away, and so do some before another backslash. Where a command has these, the
    shell prints it from what is safe everywhere, and then runs it.
    """
    if any(sign in command for sign in ("\n", "\\%", "\\\\")):
        text = command.replace("\\", "\\0134").replace("\n", "\\n").replace("%", "\\0045")
        command = f'eval "$(printf %b {shlex.quote(text)})"'
    return command.replace("%", "\\%")

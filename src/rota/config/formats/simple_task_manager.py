"""Simple Task Manager's config.yaml: task directories with an executable run.sh, each on a cron expression.

```yaml
scheduler:
  log_file: ~/scheduler.log
  default_timeout: 300
tasks:
  - {name: calendar-sync, path: tasks/calendar-sync, cron: "0 * * * *", args: [--days, 30], timeout: 60, enabled: true}
```

Its rules are kept where they are its rules: a path counts from the file, numbers in `args` become text, a task with
something wrong is told and left out while the others run, and a file without tasks is refused. Its faults are not: its
cron counted weekdays from Monday and wanted day-of-month and day-of-week both; here cron is cron.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from rota.config.absolute import absolute
from rota.config.formats.building import Names, finished, mapping_of, tried
from rota.config.formats.fields import Faults, Fields
from rota.config.formats.registry import Source
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Node, Sequence
from rota.model.action import Command
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy

DEFAULT_TIMEOUT = timedelta(seconds=300)
RUN = "run.sh"
_TASK = ("name", "path", "cron", "args", "timeout", "enabled", "description")
_SCHEDULER = ("log_file", "default_timeout")
_LEFT_OUT = "this task is left out, the others run"


class SimpleTaskManager:
    """Reads config.yaml of Simple Task Manager."""

    name = "simple-task-manager"

    def recognises(self, path: str, node: Node) -> bool:
        """Tell a list of tasks that have a directory, or a config.yaml with tasks or a scheduler."""
        if not isinstance(node, Mapping) or {"jobs", "services"} & set(node.entries):
            return False
        if os.path.basename(path) in ("config.yaml", "config.yml"):
            return "tasks" in node.entries or "scheduler" in node.entries
        tasks = node.entries["tasks"].node if "tasks" in node.entries else None
        if not isinstance(tasks, Sequence):
            return False
        keys = [set(item.entries) for item in tasks.items if isinstance(item, Mapping)]
        return any("path" in each for each in keys) or (any("cron" in each for each in keys) and not _scripts(keys))

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the tasks as jobs, in the order of the file."""
        faults = Faults(problems, source.text)
        root = mapping_of(source.node, faults, Mark(source.path, 1, 1), "configuration")
        if root is None:
            return Jobset(self.name)
        fields = Fields(root, faults, "configuration")
        fields.check_keys(("scheduler", "tasks"))
        settings, default = _scheduler(fields, source.directory)
        found, names = Jobset(self.name, settings=settings), Names()
        for node in _tasks(fields):
            faults = Faults(problems, source.text, _LEFT_OUT, found.left_out)
            task = _Task(node, faults, source.directory, found)
            job = task.read(names, default)
            if job is not None:
                found.jobs.append(job)
            elif task.known is not None:
                found.skipped.append(task.known)
            else:
                found.nameless = True
        return found


def _scripts(keys: list[set[str]]) -> bool:
    return any("script" in each for each in keys)


def _scheduler(fields: Fields, directory: str) -> tuple[dict[str, Any], timedelta | None]:
    scheduler = fields.inner("scheduler", "scheduler")
    if scheduler is None:
        return {}, DEFAULT_TIMEOUT
    scheduler.check_keys(_SCHEDULER)
    settings = {}
    log_file = scheduler.text("log_file")
    if log_file:
        settings["log_file"] = absolute(directory, log_file)
    return settings, scheduler.limit("default_timeout", DEFAULT_TIMEOUT)


def _tasks(fields: Fields) -> list[Node]:
    node = fields.node_of("tasks")
    if isinstance(node, Sequence) and node.items:
        return node.items
    example = "such as: tasks: [{name: hello, path: tasks/hello, cron: '0 9 * * *'}]"
    if node is None:
        fields.faults.add(fields.at("tasks"), "there are no tasks in this file", example)
    elif isinstance(node, Sequence):
        fields.faults.add(node.mark, "tasks is an empty list, so there is nothing to run", example)
    else:
        fields.faults.add(node.mark, "tasks must be a list", example)
    return []


class _Task:
    """Reads one task."""

    def __init__(self, node: Node, faults: Faults, directory: str, found: Jobset) -> None:
        self.node, self.faults, self.directory, self.found = node, faults, directory, found
        self.known: str | None = None
        """The task's name, if it has one of its own; a name that another task has is no help to find it by."""

    def read(self, names: Names, default: timedelta | None) -> FoundJob | None:
        """Return the task as a job, or tell what is wrong with it."""
        mapping = mapping_of(self.node, self.faults, self.node.mark, "task")
        if mapping is None:
            return None
        task = Fields(mapping, self.faults, "task")
        task.check_keys(_TASK)
        name = task.text("name", required=True)
        if name and names.claim(name, task.at("name"), self.faults):
            self.known = name
        args, timeout = task.texts("args", "[--days, 30]"), task.limit("timeout", default)
        enabled = task.flag("enabled", True)
        spec, directory = self._schedule(task), self._directory(task, enabled=enabled)
        if not self.faults.sound:
            return None
        assert name, "required"
        assert spec, "required and tried"
        job = Job(
            name=name,
            action=Command((f"./{RUN}", *args)),
            schedules=(spec,),
            policy=Policy(timeout=timeout),
            description=task.text("description") or "",
            enabled=enabled,
            cwd=directory,
        )
        return finished(job, task.at("name"), self.faults, task.mark)

    def _schedule(self, task: Fields) -> ScheduleSpec | None:
        cron = task.text("cron", required=True, hint="such as '0 9 * * *'")
        spec = tried(self.faults, task.place("cron"), "cron", "cron", cron) if cron else None
        if spec:
            _tell_days(spec.text.split(), task)
        return spec

    def _directory(self, task: Fields, *, enabled: bool) -> str:
        """Return where the task runs, and look for what will be started; of a disabled task nothing is started."""
        path = task.text("path", required=True)
        if not path:
            return ""
        directory = absolute(self.directory, path)
        self.found.inputs += [directory, os.path.join(directory, RUN)]
        if enabled:
            _check_directory(directory, task)
        return directory


def _tell_days(words: list[str], task: Fields) -> None:
    """Say where cron means other days than Simple Task Manager did."""
    day, weekday = (words[-3], words[-1]) if len(words) > 4 else ("*", "*")
    if any(letter.isdigit() for letter in weekday):
        text = f"cron: weekday numbers count from Sunday = 0 here, as in every cron, in {weekday!r}"
        task.faults.tell(
            task.at("cron"), text, "Simple Task Manager took 0 for Monday; names, such as mon-fri, are safe"
        )
    if not day.startswith("*") and not weekday.startswith("*"):
        text = f"cron: day-of-month {day!r} or day-of-week {weekday!r} is enough here, as in every cron"
        task.faults.tell(task.at("cron"), text, "Simple Task Manager wanted both")


def _check_directory(directory: str, task: Fields) -> None:
    """Look for what will be started."""
    mark, script = task.at("path"), os.path.join(directory, RUN)
    if not os.path.isdir(directory):
        task.faults.add(mark, f"path: there is no directory {directory}")
    elif not os.path.isfile(script):
        task.faults.add(mark, f"path: there is no {RUN} in {directory}")
    elif not os.access(script, os.X_OK):
        task.faults.add(mark, f"path: {script} is not executable", f"try: chmod +x {script}")


FORMAT = SimpleTaskManager()

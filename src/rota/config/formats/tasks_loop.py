"""tasks_loop's directories: one job a file in `jobs/`, and `config/scheduler.yaml` beside it.

What may be given is the project's directory, its `jobs/` alone, its scheduler.yaml, or a single job's file. Commands
are shell lines and run in the project's directory, as they did when the scheduler was started there.

As in tasks_loop a bad file is told and left out while the others run; a duplicate id is told with both places. Unlike
there, retries happen and rest before they do, jobs start as soon as a place is free, and nothing is polled.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import NamedTuple

from rota.config.formats.building import Names, finished, mapping_of, tried
from rota.config.formats.fields import Faults, Fields
from rota.config.formats.registry import Source
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.yaml_reader import MAX_BYTES, Mapping, Node, Scalar, read_yaml
from rota.model.action import Shell
from rota.model.job import Job
from rota.model.policy import PRIORITIES, Policy, Retries

DEFAULT_TIMEOUT = timedelta(seconds=300)
SUFFIXES = (".yaml", ".yml")
CONFIG = os.path.join("config", "scheduler.yaml")
JOBS = "jobs"
_JOB = ("id", "name", "command", "schedule", "priority", "description", "enabled", "max_retries", "timeout_seconds")
_CONFIG = (
    "jobs_dir",
    "poll_interval_seconds",
    "default_timeout_seconds",
    "max_concurrent_jobs",
    "log_level",
    "log_file",
)
_ID_LINE = re.compile(r"^id:[ \t]*[\"']?([^\"'#\n]+)", re.MULTILINE)
_LEFT_OUT = "this file is left out, the others run"


class _Project(NamedTuple):
    """Where things are, and what scheduler.yaml says."""

    root: str
    jobs: str
    timeout: timedelta | None
    places: int
    log_file: str


class TasksLoop:
    """Reads tasks_loop's files and directories."""

    name = "tasks-loop"

    def recognises(self, path: str, node: Node) -> bool:  # noqa: ARG002 -- the shape says enough
        """Tell a job's file, or a scheduler.yaml."""
        if not isinstance(node, Mapping):
            return False
        keys = set(node.entries)
        if {"id", "command", "schedule"} <= keys or ({"command", "schedule", "name"} <= keys and "jobs" not in keys):
            return isinstance(node.entries["command"].node, Scalar)
        return bool(keys & set(_CONFIG[:4])) and not keys & {"jobs", "tasks", "services"}

    def recognises_directory(self, path: str) -> bool:
        """Tell a project, or its jobs' directory, by the shape of what is in it."""
        if os.path.isfile(os.path.join(path, CONFIG)) and os.path.isdir(os.path.join(path, JOBS)):
            return True
        if os.path.isdir(os.path.join(path, JOBS)) and not _paths(path):
            path = os.path.join(path, JOBS)
        files = _Files(path, path, Problems(), Jobset(self.name))
        for file in _paths(path):
            _, node = files.load(file, files.problems)
            if isinstance(node, Mapping):
                return self.recognises(file, node) and "command" in node.entries
        return False

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return all jobs of a directory, those that a scheduler.yaml names, or the one of a file."""
        found = Jobset(self.name)
        if isinstance(source.node, Mapping) and "command" in source.node.entries:
            self._read_file(source, problems, found)
            return found
        if source.node is None:
            files = _Files(source.path, source.directory, problems, found)
            project = _directory(files)
        elif not isinstance(source.node, Mapping):
            problems.add(Mark(source.path, 1, 1), "a job, or a scheduler.yaml, is a mapping of keys to values")
            return found
        else:
            files = _Files(os.path.dirname(source.path), source.directory, problems, found)
            path = os.path.join(source.directory, os.path.basename(source.path))
            project = _configured(source.node, path, source.text, files)
        self._read_jobs(project, files)
        return found

    def _read_file(self, source: Source, problems: Problems, found: Jobset) -> None:
        """Read the one job of a file; the project around it says how it runs."""
        files = _Files(os.path.dirname(source.path), source.directory, problems, found)
        config = os.path.join(os.path.dirname(source.directory), CONFIG)
        project = _project(config if os.path.isfile(config) else None, source.directory, files)
        job = _job(source.node, Mark(source.path, 1, 1), project, Names(), Faults(problems, source.text))
        found.jobs += [job] if job else []
        _settle(project, found)

    def _read_jobs(self, project: _Project, files: _Files) -> None:
        """Read every job's file, by name; a bad one is told and left out."""
        files.found.inputs.append(project.jobs)
        if not os.path.isdir(project.jobs):
            hint = "write jobs_dir in scheduler.yaml, or make the directory"
            files.problems.add(files.mark(project.jobs), "there is no such directory of jobs", hint)
            return
        names = Names()
        for file in _paths(project.jobs):
            inner = Problems()
            text, node = files.load(file, inner)
            faults = Faults(files.problems, text, _LEFT_OUT, files.found.left_out)
            for problem in inner:
                faults.add(problem.mark, problem.text, problem.hint)
            job = None if node is None else _job(node, files.mark(file), project, names, faults)
            if job is not None:
                files.found.jobs.append(job)
            else:
                files.found.skipped += _id_of(node, text)
        _settle(project, files.found)


class _Files:
    """Opens the files of a project, and shows them as the person named the first of them."""

    def __init__(self, shown: str, directory: str, problems: Problems, found: Jobset) -> None:
        self.directory, self.problems, self.found = directory, problems, found
        self._shown = shown

    def mark(self, path: str) -> Mark:
        """Return the beginning of a file."""
        shown = os.path.join(self._shown, os.path.relpath(path, self.directory))
        return Mark(os.path.normpath(shown), 1, 1)

    def load(self, path: str, problems: Problems) -> tuple[str, Node | None]:
        """Return a file's text and what is in it, or note why it cannot be read."""
        self.found.inputs.append(path)
        shown = self.mark(path)
        try:
            with open(path, encoding="utf-8-sig") as opened:
                text = opened.read(MAX_BYTES + 1)
        except (OSError, UnicodeDecodeError) as error:
            problems.add(shown, f"it cannot be read: {error}")
            return "", None
        return text, read_yaml(text, shown.file, problems)


def _paths(directory: str) -> list[str]:
    """Return the YAML files of a directory, by name; hidden ones are an editor's."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    paths = [os.path.join(directory, name) for name in names if name.lower().endswith(SUFFIXES) and name[0] != "."]
    return [path for path in paths if not os.path.isdir(path)]


def _directory(files: _Files) -> _Project:
    """Return the project that a directory is, or belongs to as its jobs."""
    path = files.directory
    config = os.path.join(path, CONFIG)
    if os.path.isfile(config):
        return _project(config, os.path.join(path, JOBS), files)
    if os.path.isdir(os.path.join(path, JOBS)) and not _paths(path):
        return _project(None, os.path.join(path, JOBS), files)
    above = os.path.join(os.path.dirname(path), CONFIG)
    return _project(above if os.path.isfile(above) else None, path, files)._replace(jobs=path)


def _project(config: str | None, jobs: str, files: _Files) -> _Project:
    """Return where a project's things are; without a scheduler.yaml it has tasks_loop's defaults."""
    root = os.path.dirname(jobs) if os.path.basename(jobs) == JOBS else jobs
    plain = _Project(root, jobs, DEFAULT_TIMEOUT, 1, "")
    if config is None:
        return plain
    text, node = files.load(config, files.problems)
    if isinstance(node, Mapping):
        return _configured(node, config, text, files)
    if node is not None:
        files.problems.add(files.mark(config), "a configuration must be a mapping of keys to values")
    return plain


def _configured(node: Mapping, path: str, text: str, files: _Files) -> _Project:
    """Read scheduler.yaml; its paths count from the project, which is above `config/`."""
    fields, notes = Fields(node, Faults(files.problems, text), "configuration"), files.found.notes
    fields.check_keys(_CONFIG)
    root = os.path.dirname(path)
    if os.path.basename(root) == os.path.dirname(CONFIG):
        root = os.path.dirname(root)
    if fields.has("poll_interval_seconds"):
        fields.number("poll_interval_seconds", 60)
        notes.append(
            (fields.key_at("poll_interval_seconds"), "poll_interval_seconds: rota starts a job when it is due")
        )
    if fields.has("log_level"):
        notes.append((fields.key_at("log_level"), "log_level: rota's log says what a person should know, and no more"))
    log_file = fields.text("log_file")
    return _Project(
        root=root,
        jobs=os.path.normpath(os.path.join(root, os.path.expanduser(fields.text("jobs_dir") or JOBS))),
        timeout=fields.limit("default_timeout_seconds", DEFAULT_TIMEOUT),
        places=fields.number("max_concurrent_jobs", 1, least=1),
        log_file=os.path.normpath(os.path.join(root, os.path.expanduser(log_file))) if log_file else "",
    )


def _pool(project: _Project) -> str:
    name = os.path.basename(project.root)
    return name if name.startswith("tasks-loop") else f"tasks-loop-{name}"


def _settle(project: _Project, found: Jobset) -> None:
    found.pools[_pool(project)] = project.places
    if project.log_file:
        found.settings["log_file"] = project.log_file


def _job(node: Node | None, beginning: Mark, project: _Project, names: Names, faults: Faults) -> FoundJob | None:
    """Return the job of one file, or tell what is wrong with it."""
    mapping = mapping_of(node, faults, beginning, "job")
    if mapping is None:
        return None
    fields = Fields(mapping, faults, "job")
    fields.check_keys(_JOB)
    key, title = fields.text("id", required=True), fields.text("name", required=True)
    command = fields.text("command", required=True)
    schedule = fields.text("schedule", required=True, hint="such as '0 2 * * *'")
    spec = tried(faults, fields.place("schedule"), "schedule", "cron", schedule) if schedule else None
    count = fields.number("max_retries", 0)
    policy = Policy(
        priority=fields.choice("priority", PRIORITIES, PRIORITIES["medium"]),
        retries=Retries(count=count),
        timeout=fields.limit("timeout_seconds", project.timeout),
        pool=_pool(project),
    )
    if key:
        names.claim(key, fields.at("id"), faults, key="id")
    description, enabled = _described(title, fields.text("description")), fields.flag("enabled", True)
    if not faults.sound:
        return None
    assert key, "required"
    assert command, "required"
    assert spec, "required and tried"
    job = Job(
        name=key,
        action=Shell(command.strip()),
        schedules=(spec,),
        policy=policy,
        description=description,
        enabled=enabled,
        cwd=project.root,
    )
    return finished(job, fields.at("id"), faults)


def _id_of(node: Node | None, text: str) -> list[str]:
    """Return the id of a job that was left out, if it can be read: what was applied before stays."""
    entry = node.entries.get("id") if isinstance(node, Mapping) else None
    if entry is not None and isinstance(entry.node, Scalar):
        return [entry.node.text]
    found = _ID_LINE.search(text) if node is None else None
    return [found[1].strip()] if found else []


def _described(title: str | None, description: str | None) -> str:
    """Return a job's title and its description as one text."""
    return ": ".join(part for part in (title, description) if part)


FORMAT = TasksLoop()

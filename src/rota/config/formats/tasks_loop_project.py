"""Where the things of a tasks_loop project are: its jobs' files, its scheduler.yaml, and what that says.

1. A directory with `config/scheduler.yaml` is a project; its jobs are where `jobs_dir` says, or in `jobs/`.
2. A scheduler.yaml may stand beside the jobs, too, and is never a job itself.
3. Without one it is the files that tell: the first that is a job, or has two of a job's keys, makes its directory one
   of jobs, and the first that is in another format makes it none. A job with a fault in it is a job all the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from rota.config.absolute import absolute
from rota.config.formats.fields import Faults, Fields
from rota.config.jobset import Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import MAX_BYTES, Mapping, Node, Sequence, read_yaml

DEFAULT_TIMEOUT = timedelta(seconds=300)
JOB_KEYS = ("id", "name", "command", "schedule", "priority", "description", "enabled", "max_retries", "timeout_seconds")
_SUFFIXES = (".yaml", ".yml")
_CONFIG_NAMES = ("scheduler.yaml", "scheduler.yml")
_CONFIGS = tuple(os.path.join("config", name) for name in _CONFIG_NAMES)
_JOBS = "jobs"
_TELLING = frozenset({"id", "command", "schedule", "max_retries", "timeout_seconds"})
"""Keys of a job that other formats do not have at their top."""
_FOREIGN = frozenset({"jobs", "tasks", "services", "pools", "defaults", "engine"})
"""Keys of files in other formats, and of one of rota's own that has no job."""
_SETTINGS = ("jobs_dir", "poll_interval_seconds", "default_timeout_seconds", "max_concurrent_jobs")
_CONFIG_KEYS = (*_SETTINGS, "log_level", "log_file")


class Project(NamedTuple):
    """Where things are, and what scheduler.yaml says."""

    root: str
    jobs: str
    mark: Mark
    """Where it is said that the jobs are there."""
    timeout: timedelta | None = DEFAULT_TIMEOUT
    places: int = 1
    log_file: str = ""


class Files:
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
            if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe that nobody writes to would wait for ever
                problems.add(shown, "this is no regular file", "take it out of the directory")
                return "", None
            with open(path, encoding="utf-8-sig") as opened:
                text = opened.read(MAX_BYTES + 1)
        except OSError as error:
            problems.add(shown, f"it cannot be read: {error.strerror}")
            return "", None
        except UnicodeDecodeError as error:
            problems.add(shown, f"it cannot be read: {error}", "save the file as UTF-8")
            return "", None
        return text, read_yaml(text, shown.file, problems)

    def jobs_of(self, directory: str) -> list[str]:
        """Return the YAML files of a directory that may be jobs, by name; hidden ones are an editor's."""
        try:
            names = sorted(os.listdir(directory))
        except OSError as error:
            self.problems.add(self.mark(directory), f"the directory cannot be read: {error.strerror}")
            return []
        paths = [os.path.join(directory, name) for name in names if name.lower().endswith(_SUFFIXES) and name[0] != "."]
        return [path for path in paths if not os.path.isdir(path)]


def is_job(keys: Collection[str]) -> bool:
    """Tell a job by its keys, or by two of them."""
    own = set(keys) & set(JOB_KEYS)
    return len(own) > 1 and bool(own & _TELLING) and not _FOREIGN & set(keys)


def is_configuration(path: str, keys: Collection[str]) -> bool:
    """Tell a scheduler.yaml by its keys or by its name."""
    if is_job(keys) or _FOREIGN & set(keys):
        return False
    return bool(set(keys) & set(_SETTINGS)) or os.path.basename(path) in _CONFIG_NAMES


def is_directory_of_jobs(path: str) -> bool:
    """Tell a project, or the directory of its jobs, by what is in it."""
    if any(os.path.isfile(os.path.join(path, config)) for config in _CONFIGS):
        return True
    files = Files(path, path, Problems(), Jobset("tasks-loop"))
    paths = files.jobs_of(path)
    if not paths and os.path.isdir(os.path.join(path, _JOBS)):
        paths = files.jobs_of(os.path.join(path, _JOBS))
    for file in paths:
        _, node = files.load(file, files.problems)
        if isinstance(node, Mapping):
            if _FOREIGN & set(node.entries):
                return False
            if is_job(node.entries) or is_configuration(file, node.entries):
                return True
        elif isinstance(node, Sequence) and any(_is_of_apscheduler(item) for item in node.items):
            return False
    return False


def _is_of_apscheduler(item: Node) -> bool:
    return isinstance(item, Mapping) and bool({"func", "trigger"} & set(item.entries))


def project_of_directory(files: Files) -> Project:
    """Return the project that a directory is, or belongs to as its jobs."""
    path = files.directory
    if project := _configured_by(_CONFIGS, path, files):
        return project
    if project := _configured_by(_CONFIG_NAMES, path, files):
        return project
    if not _has_jobs(path) and os.path.isdir(os.path.join(path, _JOBS)):
        jobs = os.path.join(path, _JOBS)
        return Project(path, jobs, files.mark(jobs))
    return project_around(files)


def project_around(files: Files) -> Project:
    """Return the project that a directory of jobs belongs to; without a scheduler.yaml it has tasks_loop's defaults."""
    path = files.directory
    above = os.path.dirname(path)
    project = _configured_by(_CONFIG_NAMES, path, files) or _configured_by(_CONFIGS, above, files)
    if project is not None:
        return project._replace(jobs=path)
    return Project(_without_jobs(path), path, files.mark(path))


def configured(node: Mapping, path: str, text: str, files: Files) -> Project:
    """Read a scheduler.yaml; its paths count from the project."""
    fields, notes = Fields(node, Faults(files.problems, text), "configuration"), files.found.general
    fields.check_keys(_CONFIG_KEYS)
    if fields.has("poll_interval_seconds"):
        fields.number("poll_interval_seconds", 60)
        notes.append(
            (fields.key_at("poll_interval_seconds"), "poll_interval_seconds: rota starts a job when it is due")
        )
    if fields.has("log_level"):
        notes.append((fields.key_at("log_level"), "log_level: rota's log says what a person should know, and no more"))
    root = _root_of(path)
    log_file = fields.text("log_file")
    return Project(
        root=root,
        jobs=_jobs_of(absolute(root, fields.text("jobs_dir") or _JOBS), path),
        mark=fields.at("jobs_dir") if fields.has("jobs_dir") else files.mark(path),
        timeout=fields.limit("default_timeout_seconds", DEFAULT_TIMEOUT),
        places=fields.number("max_concurrent_jobs", 1, least=1),
        log_file=absolute(root, log_file) if log_file else "",
    )


def _configured_by(names: Collection[str], directory: str, files: Files) -> Project | None:
    """Return the project of the first of these scheduler.yaml that there is; all are watched, for one may come."""
    for path in [os.path.join(directory, name) for name in names]:
        if not os.path.isfile(path):
            files.found.inputs.append(path)
            continue
        text, node = files.load(path, files.problems)
        if isinstance(node, Mapping):
            if not is_job(node.entries):
                return configured(node, path, text, files)
            continue
        if node is not None:
            files.problems.add(files.mark(path), "a configuration must be a mapping of keys to values")
        root = _root_of(path)
        return Project(root, _jobs_of(os.path.join(root, _JOBS), path), files.mark(path))
    return None


def _root_of(config: str) -> str:
    """Return the project of a scheduler.yaml, which is in `config/`, in the project itself, or among its jobs."""
    directory = os.path.dirname(config)
    if os.path.basename(directory) == os.path.dirname(_CONFIGS[0]):
        return os.path.dirname(directory)
    return _without_jobs(directory)


def _without_jobs(directory: str) -> str:
    return os.path.dirname(directory) if os.path.basename(directory) == _JOBS else directory


def _jobs_of(directory: str, config: str) -> str:
    """Return the directory of jobs, or that of the scheduler.yaml if only there are jobs."""
    beside = os.path.dirname(config)
    wanted = os.path.normpath(directory)
    return beside if not os.path.isdir(wanted) and _has_jobs(beside) else wanted


def _has_jobs(directory: str) -> bool:
    files = Files(directory, directory, Problems(), Jobset("tasks-loop"))
    return any(os.path.basename(path) not in _CONFIG_NAMES for path in files.jobs_of(directory))

"""tasks_loop's directories: one job a file in `jobs/`, and `config/scheduler.yaml` beside it.

What may be given is the project's directory, its `jobs/` alone, its scheduler.yaml, or a single job's file. Commands
are shell lines and run in the project's directory, as they did when the scheduler was started there.

As in tasks_loop a bad file is told and left out while the others run; a duplicate id is told with both places. Unlike
there, retries happen and rest before they do, jobs start as soon as a place is free, and nothing is polled.
"""

from __future__ import annotations

import os

from rota.config.formats.building import Names, finished, mapping_of, tried
from rota.config.formats.fields import Faults, Fields, scalar_text
from rota.config.formats.pool_names import pool_of
from rota.config.formats.registry import Source
from rota.config.formats.tasks_loop_project import (
    JOB_KEYS,
    Files,
    Project,
    configured,
    is_configuration,
    is_directory_of_jobs,
    is_job,
    project_around,
    project_of_directory,
)
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar
from rota.model.action import Shell
from rota.model.job import Job
from rota.model.policy import PRIORITIES, Policy, Retries

_LEFT_OUT = "this file is left out, the others run"


class TasksLoop:
    """Reads tasks_loop's files and directories."""

    name = "tasks-loop"

    def recognises(self, path: str, node: Node) -> bool:
        """Tell a job's file, or a scheduler.yaml."""
        return isinstance(node, Mapping) and (is_job(node.entries) or is_configuration(path, node.entries))

    def recognises_directory(self, path: str) -> bool:
        """Tell a project, or its jobs' directory, by the shape of what is in it."""
        return is_directory_of_jobs(path)

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return all jobs of a directory, those that a scheduler.yaml names, or the one of a file."""
        found = Jobset(self.name)
        if source.node is None:
            files = Files(source.path, source.directory, problems, found)
            self._read_jobs(project_of_directory(files), files)
            return found
        files = Files(os.path.dirname(source.path), source.directory, problems, found)
        if isinstance(source.node, Mapping) and is_configuration(source.path, source.node.entries):
            path = os.path.join(source.directory, os.path.basename(source.path))
            self._read_jobs(configured(source.node, path, source.text, files), files)
            return found
        project = project_around(files)
        job = _job(source.node, Mark(source.path, 1, 1), project, Names(), Faults(problems, source.text))
        found.jobs += [job] if job else []
        _settle(project, found)
        return found

    def _read_jobs(self, project: Project, files: Files) -> None:
        """Read every job's file, by name; a bad one is told and left out."""
        found = files.found
        found.inputs.append(os.path.join(project.jobs, ""))  # so that files that come are noticed
        if not os.path.isdir(project.jobs):
            hint = "write jobs_dir in scheduler.yaml, or make the directory"
            files.problems.add(project.mark, f"there is no directory of jobs {project.jobs}", hint)
            return
        names, count = Names(), 0
        for file in files.jobs_of(project.jobs):
            inner = Problems()
            text, node = files.load(file, inner)
            if isinstance(node, Mapping) and is_configuration(file, node.entries):
                continue
            count += 1
            faults = Faults(files.problems, text, _LEFT_OUT, found.left_out)
            for problem in inner:
                faults.add(problem.mark, problem.text, problem.hint)
            job = None if node is None else _job(node, files.mark(file), project, names, faults)
            if job is not None:
                found.jobs.append(job)
                continue
            known = None if inner else _believed(node, text, names)
            found.skipped += [known] if known else []
            found.nameless |= known is None
        if not count:
            files.problems.warn(files.mark(project.jobs), "there is no job in this directory", "one job a .yaml file")
        _settle(project, found)


def _believed(node: Node | None, text: str, names: Names) -> str | None:
    """Return the id of a job that was left out, if it can be believed: what was applied under it stays.

    It cannot where the file ends with it, which may be half of another id, nor where it is another file's id.
    """
    entry = node.entries.get("id") if isinstance(node, Mapping) else None
    if entry is None or not isinstance(entry.node, Scalar) or not scalar_text(entry.node).strip():
        return None
    known, mark = scalar_text(entry.node), entry.node.mark
    goes_on = any(line.strip() for line in text.split("\n")[mark.line :])
    return known if goes_on and names.has(known, mark) else None


def _settle(project: Project, found: Jobset) -> None:
    found.pools[pool_of("tasks-loop", project.root)] = project.places
    if project.log_file:
        found.settings["log_file"] = project.log_file


def _job(node: Node | None, beginning: Mark, project: Project, names: Names, faults: Faults) -> FoundJob | None:
    """Return the job of one file, or tell what is wrong with it."""
    mapping = mapping_of(node, faults, beginning, "job")
    if mapping is None:
        return None
    fields = Fields(mapping, faults, "job")
    fields.check_keys(JOB_KEYS)
    key, title = fields.text("id", required=True), fields.text("name", required=True)
    command = fields.text("command", required=True)
    schedule = fields.text("schedule", required=True, hint="such as '0 2 * * *'")
    spec = tried(faults, fields.place("schedule"), "schedule", "cron", schedule) if schedule else None
    count = fields.number("max_retries", 0)
    policy = Policy(
        priority=fields.choice("priority", PRIORITIES, PRIORITIES["medium"]),
        retries=Retries(count=count),
        timeout=fields.limit("timeout_seconds", project.timeout),
        pool=pool_of("tasks-loop", project.root),
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
    return finished(job, fields.at("id"), faults, mapping.mark)


def _described(title: str | None, description: str | None) -> str:
    """Return a job's title and its description as one text."""
    return ": ".join(part for part in (title, description) if part)


FORMAT = TasksLoop()

"""Jobs as a rota.yaml: what `rota import` prints, with comments on what could not be carried over.

Every job that the formats can make is written so that reading the text gives the same job; a test holds this to any
job at all. What all jobs share (a directory, variables) is said once, in `defaults` and `env`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from rota.config.formats.pool_names import short_names
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problem
from rota.config.syntax.yaml_writer import comment, entry, scalar
from rota.model.action import Command, Python, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Output, Policy, Retries, priority_name
from rota.schedule.duration import format_duration

_RUN = "./run.sh"
_AS_TEXTS = ("cron", "at", "calendar")


def write_jobs(
    jobsets: Sequence[Jobset], left_out: Iterable[Problem] = (), *, origin: str = "", directory: str | None = None
) -> str:
    """Return the text of a rota.yaml.

    `left_out` are the faults because of which something was not carried over. `directory` is where the file will be,
    and paths in it are written relative to it; without it they are absolute, and the text may go anywhere.
    """
    jobs = [found for jobset in jobsets for found in jobset.jobs]
    notes = sorted({note for jobset in jobsets for note in jobset.notes})
    general = sorted({note for jobset in jobsets for note in jobset.general})
    writer = _Writer(
        [found.job for found in jobs], directory, short_names(name for jobset in jobsets for name in jobset.pools)
    )
    above = sorted([*general, *(note for note in notes if _owner(note[0], jobs) is None)])
    lines = _head(origin, above, left_out)
    lines += _top(jobsets, writer, directory)
    lines.append("jobs:" if jobs else "jobs: {}")
    for number, found in enumerate(jobs):
        lines += [""] if number else []
        lines += _notes_of(found, notes, jobs)
        lines += [f"  {scalar(found.job.name)}:"]
        lines += [
            line
            for key, value in writer.document(found.job).items()
            for line in entry(key, value, "    ", tall=key == "env")
        ]
    return "\n".join(lines) + "\n"


def document_of(job: Job) -> dict[str, Any]:
    """Return one job as the keys and values of its document, without what is default; paths are absolute."""
    return _Writer([job], None, {}).document(job)


def _head(origin: str, above: Sequence[tuple[Mark, str]], left_out: Iterable[Problem]) -> list[str]:
    """Say where this is from, and what is missing."""
    lines = comment(f"Made by `rota import {origin}`.") if origin else []
    faults = sorted(left_out)
    if faults:
        lines += ["#", *comment("NOT CARRIED OVER, because of what is wrong at these places:")]
        lines += [line for fault in faults for line in comment(str(fault), hanging="  ")]
    if above:
        lines += ["#", *comment("Not carried over:")]
        lines += [line for mark, text in above for line in comment(f"{mark}: {text}", hanging="  ")]
    return [*lines, ""] if lines else []


def _notes_of(found: FoundJob, notes: Sequence[tuple[Mark, str]], jobs: Sequence[FoundJob]) -> list[str]:
    own = [text for mark, text in notes if _owner(mark, jobs) is found]
    return [line for text in own for line in comment(f"not carried over: {text}", "  ")]


def _owner(mark: Mark, jobs: Sequence[FoundJob]) -> FoundJob | None:
    """Return the job that a place belongs to: the last that begins before it.

    Of a job whose beginning is not known, the place of its name is, and nothing of its line is before it.
    """
    before = [found for found in jobs if found.mark.file == mark.file and _beginning(found) <= mark]
    return max(before, key=_beginning, default=None)


def _beginning(found: FoundJob) -> Mark:
    return found.begin or msgspec.structs.replace(found.mark, column=1)


def _top(jobsets: Sequence[Jobset], writer: _Writer, directory: str | None) -> list[str]:
    settings = {key: value for jobset in jobsets for key, value in jobset.settings.items()}
    if "log_file" in settings:
        settings["log_file"] = _path(settings["log_file"], directory)
    pools = {writer.pools[name]: size for jobset in jobsets for name, size in jobset.pools.items()}
    defaults = {"cwd": _text(_path(writer.cwd, directory))} if writer.cwd and writer.cwd != directory else {}
    found: dict[str, dict[str, Any]] = {
        "defaults": defaults,
        "pools": pools,
        "env": _texts(writer.env),
        "engine": settings,
    }
    return [line for key, value in found.items() if value for line in [*entry(key, value, "", tall=True), ""]]


class _Writer:
    """Turns jobs into documents; knows what they share, and how their pools are called here."""

    def __init__(self, jobs: Sequence[Job], directory: str | None, pools: Mapping[str, str]) -> None:
        self._directory = directory
        self.pools = pools
        places = Counter(job.cwd for job in jobs if job.cwd and not _task_of(job))
        cwd, times = places.most_common(1)[0] if places else (None, 0)
        # A default directory would be one for tasks, too, and a task has its own.
        shared_cwd = times > 1 and not any(_task_of(job) for job in jobs)
        self.cwd: str | None = cwd if shared_cwd else directory
        self.env: dict[str, str] = {}
        if len(jobs) > 1:
            shared = set(jobs[0].env.items()).intersection(*(job.env.items() for job in jobs))
            self.env = {name: value for name, value in jobs[0].env.items() if (name, value) in shared}

    def document(self, job: Job) -> dict[str, Any]:
        """Return a job as the keys and values of a document, without what is default."""
        found: dict[str, Any] = {"description": _text(job.description)} if job.description else {}
        found |= self._action(job) | _schedules(job.schedules)
        if job.timezone:
            found["timezone"] = job.timezone
        if not job.enabled:
            found["enabled"] = False
        own: dict[str, Any] = {name: _text(value) for name, value in job.env.items() if self.env.get(name) != value}
        own |= {name: {"from": _text(source)} for name, source in job.secrets.items()}
        plain = {
            "env": own,
            "env_file": [_text(_path(path, self._directory)) for path in job.env_files],
            "user": _text(job.user or ""),
            "umask": "" if job.umask is None else f"{job.umask:03o}",
            "runs_on": _where(job),
            "tags": [_text(tag) for tag in job.tags],
        }
        policy = _policy(job.policy)
        if "pool" in policy:
            policy["pool"] = _text(self.pools.get(job.policy.pool, job.policy.pool))
        return found | {key: value for key, value in plain.items() if value} | policy

    def _action(self, job: Job) -> dict[str, Any]:
        if task := _task_of(job):
            found: dict[str, Any] = {"task": _text(_path(task, self._directory))}
            assert isinstance(job.action, Command), "a task is one"
            return found | ({"args": _texts(job.action.argv[1:])} if job.action.argv[1:] else {})
        match job.action:
            case Shell(line=line):
                found = {"run": line}
            case Command(argv=argv):
                found = {"run": _texts(argv)}
            case Python(target=target, args=args, kwargs=kwargs):
                found = {"python": target}
                found |= {"args": _texts(args)} if args else {}
                found |= {"kwargs": _texts(kwargs)} if kwargs else {}
        if job.cwd and job.cwd != self.cwd:
            found["cwd"] = _text(_path(job.cwd, self._directory))
        return found


def _where(job: Job) -> Any:
    found = job.runs_on.document()
    return _text(found) if isinstance(found, str) else {_text(key): _text(value) for key, value in found.items()}


def _task_of(job: Job) -> str | None:
    """Return the directory of a task that can be written as one: its run.sh is there."""
    if not isinstance(job.action, Command) or job.action.argv[0] != _RUN or not job.cwd:
        return None
    return job.cwd if os.access(os.path.join(job.cwd, _RUN), os.X_OK) else None


def _schedules(specs: Sequence[ScheduleSpec]) -> dict[str, Any]:
    """Return the schedules, in the shortest form that keeps their order."""
    kinds = {spec.kind for spec in specs}
    simple = all(spec.dst == "fire" for spec in specs)
    if len(kinds) == 1 and simple and specs[0].kind in _AS_TEXTS:
        texts = [_text(spec.text) for spec in specs]
        return {specs[0].kind: texts[0] if len(texts) == 1 else texts}
    if len(specs) == 1 and specs[0].kind == "every":
        said = _schedule(specs[0])
        return {"every": said["every"] if len(said) == 1 else said}
    return {"schedules": [_schedule(spec) for spec in specs]} if specs else {}


def _schedule(spec: ScheduleSpec) -> dict[str, Any]:
    found: dict[str, Any] = {spec.kind: _text(spec.text)}
    if spec.from_end:
        found["from"] = "end"
    if spec.anchor is not None:
        found["anchor"] = _instant(spec.anchor)
    if spec.dst != "fire":
        found["dst"] = spec.dst
    return found


def _policy(policy: Policy) -> dict[str, Any]:
    """Return the policies that are not the defaults."""
    found: dict[str, Any] = {}
    for key, value in _changed(policy, Policy()).items():
        if key == "retries":
            found[key] = _retries(value)
        elif key == "priority":
            name = priority_name(value)
            found[key] = value if name == str(value) else name
        elif key == "output":
            output = {word: _plain(each) for word, each in _changed(value, Output()).items()}
            found[key] = output["mode"] if list(output) == ["mode"] else output
        else:
            found[key] = _plain(value)
    return found


def _retries(retries: Retries) -> Any:
    said = {word: _plain(value) for word, value in _changed(retries, Retries()).items()}
    return said["count"] if list(said) == ["count"] else said


def _changed(value: Any, default: Any) -> dict[str, Any]:
    fields = msgspec.structs.fields(type(value))
    found = {field.name: getattr(value, field.name) for field in fields}
    return {name: each for name, each in found.items() if each != getattr(default, name)}


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, tuple):
        return list(value)
    return _text(str(value)) if isinstance(value, str) else value


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _path(path: str, directory: str | None) -> str:
    """Return a path relative to the file's directory, if it is inside."""
    if directory is None or os.path.commonpath([path, directory]) != directory:
        return path
    return os.path.relpath(path, directory)


def _text(text: str) -> str:
    """Return a text in which the reader finds no variable to put in."""
    return text.replace("${", "$${")


def _texts(value: Any) -> Any:
    """Return plain data in which the reader finds no variable."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {key: _texts(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(each) for each in value]
    return value

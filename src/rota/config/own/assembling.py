"""From rota's own documents to jobs: defaults and variables are put in, schedules are read, paths are made absolute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from rota.config.absolute import absolute
from rota.config.actions import BadAction, compiled_by_name
from rota.config.jobset import FoundJob
from rota.config.own.documents import ACTIONS, FileDocument, JobDocument, Secret, SharedDocument
from rota.config.problems import Mark, Problems
from rota.config.syntax.places import Places
from rota.config.syntax.yaml_reader import Node
from rota.errors import BadJob, BadSchedule
from rota.model.action import Action, Command, Python, Shell
from rota.model.host import ANYWHERE
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Output, OutputMode, Overlap, Policy, Retries
from rota.schedule.boot import as_kept
from rota.schedule.duration import parse_duration
from rota.schedule.instant import parse_instant
from rota.schedule.parse import parse

_RUN = "run.sh"
_NESTED = ("retries", "output", "env")
_AS_THEY_ARE = ("max_instances", "grace", "timeout", "kill_after", "start_by", "priority", "pool", "jitter")
_SHOWN_SCHEDULES = 100
_SIGNS = {"is not pkg.mod:func": "python", "no variable can be named": "env", "nothing to run": "run"}
"""Which key a refusal speaks of, where it does not begin with it."""
_PLACEHOLDER = "false"
"""Stands for the action of a job that has none, which is a problem already."""


_Path = tuple[str | int, ...]


class _Said(NamedTuple):
    """One schedule as a document has it, with where its text is."""

    kind: str
    text: str
    at: _Path
    start: str = "start"
    anchor: str | None = None
    dst: str = "fire"


class Assembler:
    """Builds the jobs of one file."""

    def __init__(self, document: FileDocument, node: Node, directory: str, places: Places, problems: Problems) -> None:
        self._document = document
        self._node = node
        self._directory = directory
        self._places = places
        self._problems = problems
        self._defaults = _given(document.defaults)
        self._env = dict(document.env)
        self.inputs: list[str] = []
        """What else was looked at, and decides whether the jobs are sound."""
        self._read: dict[tuple[Any, ...], None] = {}
        self._looked: dict[tuple[str, Callable[[str], bool], str | int], bool] = {}

    def jobs(self) -> Iterator[FoundJob]:
        """Yield the jobs that can be built; whatever is wrong with the others is noted."""
        for name, document in self._document.jobs.items():
            mark = self._places.key(self._node, ("jobs", name))
            before = self._problems.count
            try:
                job = self._job(name, document)
                job.check()
            except BadJob as error:
                self._blame(name, str(error), mark)
                continue
            if self._problems.count == before:
                yield FoundJob(job, mark)

    def _job(self, name: str, document: JobDocument) -> Job:
        said = _merged(self._defaults, _given(document))
        env, secrets = self._variables(name, {**self._env, **said.get("env", {})})
        zone = said.get("timezone") or self._document.timezone
        action, cwd = self._action(name, document, said)
        return Job(
            name=name,
            action=action,
            schedules=tuple(dict.fromkeys(self._schedules(name, document, zone))),
            policy=self._policy(name, said, zone),
            timezone=zone,
            description=document.description,
            tags=tuple(dict.fromkeys(said.get("tags", ()))),
            enabled=said.get("enabled", True),
            cwd=cwd,
            env=env,
            secrets=secrets,
            env_files=tuple(
                self._existing((name, "env_file", number), path, os.path.isfile)
                for number, path in enumerate(said.get("env_file", ()))
            ),
            user=said.get("user"),
            umask=said.get("umask"),
            runs_on=said.get("runs_on") or ANYWHERE,
        )

    # -- what it does -------------------------------------------------------------------------------------------------

    def _action(self, name: str, document: JobDocument, said: dict[str, Any]) -> tuple[Action, str]:
        """Return what the job does, and where."""
        asked = [key for key in ACTIONS if getattr(document, key) is not None]
        if len(asked) > 1:
            text = f"a job does one thing, and {' and '.join(asked)} are given"
            self._wrong(name, (asked[1],), text, "choose one", key=True)
        if not asked:
            self._wrong(name, (), f"job {name!r} has nothing to run", "write `run`, `python` or `task`", key=True)
        if document.run is not None and document.args:
            self._wrong(name, ("args",), "`args` are for `python` and `task`", "write them into `run`", key=True)
        if document.kwargs and document.python is None:
            self._wrong(name, ("kwargs",), "`kwargs` are for `python`", "leave them out", key=True)
        if document.given and document.uses is None:
            self._wrong(name, ("with",), "`with` is for `uses`", "leave it out", key=True)
        cwd = self._existing((name, "cwd"), said["cwd"], os.path.isdir) if said.get("cwd") else self._directory
        if document.task is not None:
            return self._task(name, document.task, document.args, said)
        if document.python is not None:
            return Python(document.python, tuple(document.args), document.kwargs), cwd
        if document.uses is not None:
            return self._plugin(name, document.uses, document.given), cwd
        if isinstance(document.run, list):
            return Command(tuple(document.run)), cwd
        return Shell(_PLACEHOLDER if document.run is None else document.run), cwd

    def _plugin(self, name: str, action: str, given: dict[str, Any]) -> Action:
        """Return what an action by name starts; a change of the file that it is in is a change of this one."""
        try:
            found, file = compiled_by_name(action, given)
        except BadAction as error:
            at = ("with", error.key) if error.key else ("uses",)
            self._wrong(name, at, error.problem, error.hint, key=bool(error.key))
            return Shell(_PLACEHOLDER)
        self.inputs += [file] if file else []
        return found

    def _task(self, name: str, given: str, args: list[Any], said: dict[str, Any]) -> tuple[Action, str]:
        folder = self._absolute(given)
        program = os.path.join(folder, _RUN)
        if said.get("cwd"):
            self._wrong(name, ("cwd",), "a task runs in its own directory", "leave `cwd` out", key=True)
        self.inputs += [folder, program]
        if not os.path.isdir(folder):
            self._wrong(name, ("task",), f"there is no directory {folder}", "it holds the task's run.sh")
        elif not os.path.isfile(program):
            self._wrong(
                name, ("task",), f"there is no {_RUN} in {folder}", "a task is a directory with an executable run.sh"
            )
        elif not os.access(program, os.X_OK):
            self._wrong(name, ("task",), f"{program} is not executable", f"try: chmod +x {program}")
        if any(isinstance(arg, dict | list) or arg is None for arg in args):
            self._wrong(name, ("args",), "a task's arguments are texts and numbers", "quote what is meant as text")
        return Command((f"./{_RUN}", *map(_argument, args))), folder

    def _variables(self, name: str, given: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the plain variables, and where the others' values are."""
        env, secrets = {}, {}
        for variable, value in given.items():
            if not isinstance(value, Secret):
                env[variable] = value
                continue
            scheme, _, rest = value.source.partition(":")
            if scheme == "file":
                rest = self._existing((name, "env", variable), rest, os.path.isfile)
            secrets[variable] = f"{scheme}:{rest}"
        return env, secrets

    def _absolute(self, path: str) -> str:
        return absolute(self._directory, path)

    def _existing(self, at: _Path, path: str, is_there: Callable[[str], bool]) -> str:
        """Return an absolute path; one that is not there now may be there when the job starts, so that is a warning."""
        found = self._absolute(path)
        key = (found, is_there, at[1])
        if key not in self._looked:
            self._looked[key] = is_there(found)
            if not self._looked[key]:
                wanted = "directory" if is_there is os.path.isdir else "file"
                text = f"{found} is no {wanted}" if os.path.exists(found) else f"{found} is not there now"
                until = "until it is" if not os.path.exists(found) else f"until it is a {wanted}"
                self._problems.warn(self._places.value(self._node, self._source(at)), text, f"the job fails {until}")
        return found

    def _source(self, at: _Path) -> _Path:
        """Return the path to where something of a job is said: by the job itself, by `defaults`, or by the file."""
        name, *rest = at
        own, shared = ("jobs", name, *rest), ("defaults", *rest)
        # A number at the end is of a list, or of a text that stands for a list.
        keys = [step for step in rest if isinstance(step, str)]
        if self._places.has(self._node, ("jobs", name, *keys)):
            return own
        if self._places.has(self._node, ("defaults", *keys)):
            return shared
        return tuple(rest) if keys[0] == "env" and self._places.has(self._node, keys) else own

    # -- when ---------------------------------------------------------------------------------------------------------

    def _schedules(self, name: str, document: JobDocument, zone: str | None) -> Iterator[ScheduleSpec]:
        for said in _said(document):
            at = ("jobs", name, *said.at)
            anchor = self._instant(("jobs", name, *said.at[:-1], "anchor"), said.anchor, zone)
            key = (said.kind, said.text, zone, said.dst)
            try:
                if key not in self._read:
                    parse(said.kind, said.text, zone=zone, dst=said.dst)
                    if said.start == "end":
                        parse_duration(said.text)
                    self._read[key] = None
            except BadSchedule as error:
                self._point(at, error)
                continue
            kind: Any = said.kind
            text = as_kept(said.text) if kind == "at" else said.text
            yield ScheduleSpec(kind, text, anchor, said.start == "end", "skip" if said.dst == "skip" else "fire")

    def _instant(self, at: _Path, text: str | None, zone: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            return parse_instant(text, zone)
        except BadSchedule as error:
            self._point(at, error)
            return None

    def _point(self, at: _Path, error: BadSchedule) -> None:
        """Note a schedule's fault at its very column."""
        mark = self._places.inside(self._node, at, error.column)
        word = next((str(part) for part in reversed(at) if isinstance(part, str)), "")
        self._problems.add(mark, f"{word} {error.text[:_SHOWN_SCHEDULES]!r}: {error.problem}", error.hint)

    # -- how ----------------------------------------------------------------------------------------------------------

    def _policy(self, name: str, said: dict[str, Any], zone: str | None) -> Policy:
        fields = {key: said[key] for key in _AS_THEY_ARE if key in said}
        self._check_limit(name, said)
        if "overlap" in said:
            fields["overlap"] = Overlap(said["overlap"])
        if "catch_up" in said:
            fields["catch_up"] = CatchUp(said["catch_up"])
        if "retries" in said:
            fields["retries"] = Retries(**said["retries"])
        if "output" in said:
            output = dict(said["output"])
            if output.get("mode"):
                output["mode"] = OutputMode(output["mode"])
            fields["output"] = Output(**output)
        for key in ("not_before", "not_after"):
            fields[key] = self._instant(self._source((name, key)), said.get(key), zone)
        return Policy(**fields)

    def _check_limit(self, name: str, said: dict[str, Any]) -> None:
        """Warn of a limit that `overlap: allow` takes away, unless the job takes away that of the defaults."""
        if said.get("overlap") != "allow" or "max_instances" not in said:
            return
        at = self._source((name, "max_instances"))
        if at[0] == "jobs" or self._source((name, "overlap"))[0] == "defaults":
            text = "`max_instances` has no effect with `overlap: allow`, which has no limit"
            self._problems.warn(
                self._places.key(self._node, at), text, "choose skip, queue or replace, or leave it out"
            )

    def _wrong(self, name: str, path: _Path, text: str, hint: str, *, key: bool = False) -> None:
        place = self._places.key if key else self._places.value
        self._problems.add(place(self._node, ("jobs", name, *path)), text, hint)

    def _blame(self, name: str, complaint: str, mark: Mark) -> None:
        """Note what a job's own check refused, at the key that it speaks of."""
        text = complaint.removeprefix(f"job {name!r}: ")
        word = text.split(" ", 1)[0].partition(".")[0].rstrip(":")
        word = next((key for sign, key in _SIGNS.items() if sign in text), word)
        path = self._source((name, word))
        where = self._places.value(self._node, path) if self._places.has(self._node, path) else mark
        problem, _, hint = text.partition("; ")
        self._problems.add(where, problem, hint)


def _argument(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _said(document: JobDocument) -> Iterator[_Said]:
    """Yield every schedule of a document."""
    for kind in ("cron", "at", "calendar", "custom"):
        texts: list[str] = getattr(document, kind)
        for number, text in enumerate(texts):
            yield _Said(kind, text, (kind, number))
    if document.every is not None:
        each = document.every
        yield _Said("every", each.every, ("every", "every"), each.start, each.anchor)
    for number, schedule in enumerate(document.schedules):
        for kind in schedule.kinds:
            yield _Said(
                kind,
                getattr(schedule, kind),
                ("schedules", number, kind),
                schedule.start,
                schedule.anchor,
                schedule.dst,
            )


def _given(document: SharedDocument | None) -> dict[str, Any]:
    """Return what a document says, without what is left to the defaults."""
    if document is None:
        return {}
    said = {key: getattr(document, key) for key in document.model_fields_set}
    for key in ("retries", "output"):
        if said.get(key) is not None:
            nested = said[key]
            said[key] = {word: getattr(nested, word) for word in nested.model_fields_set}
    return {key: value for key, value in said.items() if value is not None}


def _merged(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Put a job's own words over the defaults; retries, output and variables are merged key by key."""
    if not defaults:
        return own
    merged = {**defaults, **own}
    for key in _NESTED:
        if key in defaults and key in own:
            merged[key] = {**defaults[key], **own[key]}
    return merged

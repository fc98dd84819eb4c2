"""From what a foreign file says to rota's jobs: schedules that were tried, unique names, scripts that start."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

from rota.config.formats.fields import Faults, Fields, kind_of
from rota.config.jobset import FoundJob
from rota.config.problems import Mark
from rota.config.syntax.yaml_reader import Mapping, Node
from rota.errors import BadJob, BadSchedule
from rota.model.action import Command
from rota.model.job import Job, ScheduleSpec
from rota.schedule.instant import parse_instant
from rota.schedule.parse import parse
from rota.schedule.zones import zone as find_zone

PYTHON_SUFFIX = ".py"
_SHOWN = 60


class Names:
    """The names of a file's jobs, each with the place that it was first given at."""

    def __init__(self) -> None:
        self._places: dict[str, Mark] = {}

    def claim(self, name: str, mark: Mark, faults: Faults, key: str = "name") -> bool:
        """Take a name; tell both places if it is taken already."""
        first = self._places.get(name)
        if first is None:
            self._places[name] = mark
            return True
        where = f"{first.file}:{first.line}:{first.column}"
        faults.add(mark, f"{key} {name!r} is given twice; it was first given at {where}", "rename one of them")
        return False

    def has(self, name: str, mark: Mark) -> bool:
        """Tell whether a name was given first at this place."""
        return self._places.get(name) == mark


def mapping_of(node: Node | None, faults: Faults, mark: Mark, what: str) -> Mapping | None:
    """Return a node that must be a mapping."""
    if isinstance(node, Mapping):
        return node
    faults.add(mark, f"a {what} must be a mapping of keys to values, not {'empty' if node is None else kind_of(node)}")
    return None


def zone_of(fields: Fields, key: str = "timezone") -> str | None:
    """Return the name of a time zone that exists."""
    node = fields.node_of(key)
    if node is None:
        return None
    return fields.read(node, key, lambda text: find_zone(text) and text, None)  # type: ignore[no-any-return]


def tried(
    faults: Faults,
    place: Mark | Node,
    key: str,
    kind: str,
    text: str,
    zone: str | None = None,
    *,
    never: str = "",
    **more: Any,
) -> ScheduleSpec | None:
    """Return a schedule that can be read; what cannot is told, at its column where that is in the file.

    `never` is what to write instead of a day that does not exist, where the file has words of its own for days.
    """
    spec = ScheduleSpec(kind, text.strip(), **more)  # type: ignore[arg-type]  # the kinds are ours
    try:
        parse(kind, spec.text, zone=zone, anchor=spec.anchor)
    except BadSchedule as error:
        shown = error.text if len(error.text) <= _SHOWN else error.text[: _SHOWN - 1] + "…"
        hint = never if never and "never fires" in error.problem else error.hint
        faults.add(faults.inside(place, error.text, error.column), f"{key} {shown!r}: {error.problem}", hint)
        return None
    return spec


def instant_of(fields: Fields, key: str, zone: str | None) -> datetime | None:
    """Return an instant; without an offset it is wall time in the zone."""
    node = fields.node_of(key)
    found = None if node is None else fields.read(node, key, lambda text: parse_instant(text, zone))
    return found if isinstance(found, datetime) else None


def finished(job: Job, mark: Mark, faults: Faults, begin: Mark | None = None) -> FoundJob | None:
    """Return a job that can be kept, or tell why it cannot; nothing when something was wrong before."""
    if not faults.sound:
        return None
    try:
        job.check()
    except BadJob as error:
        faults.add(mark, str(error))
        return None
    return FoundJob(job, mark, begin)


def python_program() -> str:
    """Return this Python, by the name that stays the same however rota was started."""
    named = os.path.join(sys.prefix, "bin", "python3")
    return named if os.path.exists(named) else sys.executable


def script_argv(script: str, directory: str, args: tuple[str, ...], faults: Faults, place: tuple[Mark, str]) -> Command:
    """Return how a script is started: Python by this Python, everything else by itself.

    A relative path counts from the directory of the file that names it, where the job runs. What would fail at three
    in the morning is told now, at the place (and key) that names the script.
    """
    script = os.path.normpath(os.path.expanduser(script))
    path = os.path.join(directory, script)
    is_python = path.lower().endswith(PYTHON_SUFFIX)
    mark, key = place
    if not os.path.exists(path):
        faults.tell(mark, f"{key}: {path} is not there now; the job will fail until it is")
    elif not os.path.isfile(path):
        faults.tell(mark, f"{key}: {path} is no file; the job will fail until it is one")
    elif not is_python and not os.access(path, os.X_OK):
        faults.tell(mark, f"{key}: {path} is not executable; the job will fail", f"try: chmod +x {path}")
    if is_python:
        return Command((python_program(), script, *args))
    return Command((script if "/" in script else f"./{script}", *args))

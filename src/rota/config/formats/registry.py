"""The formats that can be read, and which of them a file is in.

A format is recognised by the shape of what is in the file, in the order of the table below; what has no known shape is
taken for rota's own format, whose messages then say what is missing. Each module is imported when it is first asked.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol

import msgspec

from rota.config.jobset import Jobset
from rota.config.problems import Problems
from rota.config.syntax.yaml_reader import Node
from rota.errors import UsageError, did_you_mean


class Source(msgspec.Struct, frozen=True):
    """A file as it is given to a format."""

    path: str
    """As it was said; it stands in every message."""
    text: str
    node: Node | None
    """None: the file is no YAML at all (a crontab)."""
    directory: str
    """Absolute: relative paths in the file begin here."""
    environment: dict[str, str] = {}
    """Where variables in the file come from."""


class Format(Protocol):
    """A way to write jobs down.

    A format may also have `recognises_directory(path)`: then it is given a whole directory as the path of a source
    without text. One that has `recognises_text(path, text)` is not YAML, and is given the text alone.
    """

    name: str

    def recognises(self, path: str, node: Node) -> bool:
        """Tell by its shape whether a file is in this format."""
        ...

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Turn a file into jobs; whatever is wrong is noted in the problems, all of it."""
        ...


FORMATS: dict[str, str] = {
    "rota": "rota.config.formats.rota",
    "taskflows": "rota.config.formats.taskflows",
    "autocron": "rota.config.formats.autocron",
    "simple-task-manager": "rota.config.formats.simple_task_manager",
    "resilient": "rota.config.formats.resilient",
    "tasks-loop": "rota.config.formats.tasks_loop",
    "crontab": "rota.config.formats.crontab",
    "system-crontab": "rota.config.formats.system_crontab",
}
"""Each format's module by its name, in the order in which they are asked; a module has its format as `FORMAT`."""


def by_name(name: str) -> Format:
    """Return the format of a name."""
    if name not in FORMATS:
        raise UsageError(
            f"there is no format {name!r}{did_you_mean(name, FORMATS)}; the formats are: {', '.join(FORMATS)}"
        )
    found: Format = import_module(FORMATS[name]).FORMAT
    return found


def recognise(path: str, node: Node) -> Format:
    """Return the format that a file is in."""
    for name in FORMATS:
        found = by_name(name)
        if found.recognises(path, node):
            return found
    return by_name("rota")


def directory_format(path: str, name: str | None) -> str | None:
    """Return the format that reads a directory as a whole, if one does; else its files are read one by one."""
    for each in FORMATS if name is None else [name]:
        recognises: Callable[[str], bool] | None = getattr(by_name(each), "recognises_directory", None)
        if recognises is not None and recognises(path):
            return each
    return None


def text_format(path: str, text: str) -> str | None:
    """Return the format of a file that is no YAML, if it is in one."""
    for each in FORMATS:
        recognises: Callable[[str, str], bool] | None = getattr(by_name(each), "recognises_text", None)
        if recognises is not None and recognises(path, text):
            return each
    return None


def is_text(name: str) -> bool:
    """Tell whether a format is no YAML."""
    return hasattr(by_name(name), "recognises_text")

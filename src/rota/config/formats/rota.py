"""rota's own format."""

from __future__ import annotations

import os
from typing import Any

from pydantic import ValidationError

from rota.config.assembling import Assembler
from rota.config.complaints import complain, is_action
from rota.config.documents import EngineDocument, FileDocument
from rota.config.formats.registry import Source
from rota.config.jobset import Jobset
from rota.config.places import Places
from rota.config.problems import Mark, Problems
from rota.config.variables import Variables
from rota.config.yaml_reader import Mapping, Node, Scalar, plain

_RAW = ("args", "kwargs")


class RotaFormat:
    """See registry.Format."""

    name = "rota"

    def recognises(self, path: str, node: Node) -> bool:  # noqa: ARG002 -- the shape alone tells
        """Tell by `jobs` with names under it."""
        return isinstance(node, Mapping) and "jobs" in node.entries and not _is_list(node.entries["jobs"].node)

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Read a file in rota's own format.

        1. Put variables in, but not into lines of shell: the shell has the environment, too, and `${x}` is its own.
        2. Check the document, and note every fault at its place.
        3. Assemble the jobs of what passed.
        """
        jobset = Jobset("rota")
        node = source.node
        if not isinstance(node, Mapping):
            mark = Mark(source.path, 1, 1) if node is None else node.mark
            problems.add(mark, "this is no job file", "write `jobs:` with a name and a mapping under it for each job")
            return jobset
        if "${" in source.text:
            variables = Variables(source.environment, problems)
            node = variables.put_in(node, _is_shell_line)
            jobset.variables = variables.seen
        assert isinstance(node, Mapping), "variables change texts, not shapes"
        values, places = _values(node), Places(source.text)
        document: FileDocument | None
        try:
            document = FileDocument.model_validate(values)
        except ValidationError as error:
            complain(error, node, FileDocument, places, problems)
            document = _rest(values, error)
        if document is None:
            return jobset
        jobset.jobs = list(Assembler(document, node, source.directory, places, problems).jobs())
        jobset.pools = document.pools
        jobset.settings = _settings(document, source.directory)
        return jobset


FORMAT = RotaFormat()


def _rest(values: dict[str, Any], error: ValidationError) -> FileDocument | None:
    """Return the document without what was wrong, so that everything else is looked at in the same go."""
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        path = each["loc"]
        jobs = values.get("jobs")
        if path[0] != "jobs" or len(path) == 1 or not isinstance(jobs, dict):
            values.pop(str(path[0]), None)
        elif len(path) == 2 or is_action(str(path[2])) or not isinstance(jobs.get(str(path[1])), dict):
            jobs.pop(str(path[1]), None)
        else:
            jobs[str(path[1])].pop(str(path[2]), None)
    try:
        return FileDocument.model_validate(values)
    except ValidationError:
        return None


def _is_list(node: Node) -> bool:
    return not isinstance(node, Mapping) and not (isinstance(node, Scalar) and node.value is None)


def _is_shell_line(path: tuple[str, ...]) -> bool:
    return len(path) == 3 and path[0] == "jobs" and path[2] == "run"


class _Written(float):
    """A number with a point, which as a text is what was written: 1.10 stays 1.10."""

    text: str

    def __str__(self) -> str:
        return self.text


def _values(node: Mapping) -> dict[str, Any]:
    """Return what a document is checked from; numbers that are wanted as text stay as they were written."""
    values = {key: _value(entry.node, key) for key, entry in node.entries.items() if key != "jobs"}
    if "jobs" in node.entries:
        jobs = node.entries["jobs"].node
        values["jobs"] = (
            {name: _value(entry.node, "") for name, entry in jobs.entries.items()}
            if isinstance(jobs, Mapping)
            else plain(jobs)
        )
        if values["jobs"] is None:
            values["jobs"] = {}
    return values


def _value(node: Node, key: str) -> Any:
    if isinstance(node, Scalar):
        if isinstance(node.value, float):
            written = _Written(node.value)
            written.text = node.text
            return written
        return node.value
    if isinstance(node, Mapping):
        if key == "env":
            return {name: _variable(entry.node) for name, entry in node.entries.items()}
        raw = key == "" and "task" not in node.entries
        return {
            name: plain(entry.node) if raw and name in _RAW else _value(entry.node, name)
            for name, entry in node.entries.items()
        }
    return [_value(item, "-") for item in node.items]


def _variable(node: Node) -> Any:
    return node.text if isinstance(node, Scalar) and node.value is not None else plain(node)


def _settings(document: FileDocument, directory: str) -> dict[str, Any]:
    engine: EngineDocument | None = document.engine
    if engine is None:
        return {}
    found = {key: getattr(engine, key) for key in engine.model_fields_set}
    if found.get("log_file"):
        found["log_file"] = os.path.join(directory, os.path.expanduser(found["log_file"]))
    return found

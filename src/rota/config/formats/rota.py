"""rota's own format."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from rota.config.absolute import absolute
from rota.config.formats.registry import Source
from rota.config.jobset import Jobset
from rota.config.own.assembling import Assembler
from rota.config.own.complaints import complain, tell_misplaced
from rota.config.own.documents import EngineDocument, FileDocument
from rota.config.own.quantities import Broken, Put, Whole
from rota.config.own.remainder import without
from rota.config.own.variables import Filled, Variables
from rota.config.problems import Mark, Problems
from rota.config.syntax.places import Places
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar, plain

_RAW = ("args", "kwargs", "with")
_ROUNDS = 3


class RotaFormat:
    """See registry.Format."""

    name = "rota"

    def recognises(self, path: str, node: Node) -> bool:  # noqa: ARG002 -- the shape alone tells
        """Tell by `jobs` with names under it."""
        return isinstance(node, Mapping) and "jobs" in node.entries and not _is_list(node.entries["jobs"].node)

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Read a file in rota's own format.

        1. Put variables in, but not into lines of shell: the shell has the environment, too, and `${x}` is its own.
        2. Check the document, note every fault at its place, and go on without what is wrong.
        3. Assemble the jobs of what is left.
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
        places = Places(source.text)
        left = without(node, tell_misplaced(node, problems))
        document, left = _checked(left, places, problems)
        if document is None:
            return jobset
        assembler = Assembler(document, left, source.directory, places, problems)
        jobset.jobs, jobset.inputs = list(assembler.jobs()), assembler.inputs
        jobset.pools = document.pools
        jobset.settings = _settings(document, source.directory)
        return jobset


FORMAT = RotaFormat()


def _checked(node: Mapping, places: Places, problems: Problems) -> tuple[FileDocument | None, Mapping]:
    """Return the document of what is sound, and the nodes of that; whatever is wrong with the rest is noted.

    Faults come in rounds: what belongs together is looked at only when each of it can be read.
    """
    for _ in range(_ROUNDS):
        try:
            return FileDocument.model_validate(_values(node)), node
        except ValidationError as error:
            complain(error, node, FileDocument, places, problems)
            node = without(node, [each["loc"] for each in error.errors(include_url=False, include_input=False)])
    return None, node


def _is_list(node: Node) -> bool:
    return not isinstance(node, Mapping) and not (isinstance(node, Scalar) and node.value is None)


def _is_shell_line(path: tuple[str, ...]) -> bool:
    return len(path) == 3 and path[0] == "jobs" and path[2] == "run"


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
    if isinstance(node, Filled):
        return Put(node.text)
    if isinstance(node, Scalar):
        return _number(node) if isinstance(node.value, int | float) else node.value
    if isinstance(node, Mapping):
        if key == "env":
            return {name: _variable(entry.node) for name, entry in node.entries.items()}
        raw = key == "" and "task" not in node.entries
        return {
            name: plain(entry.node) if raw and name in _RAW else _value(entry.node, name)
            for name, entry in node.entries.items()
        }
    return [_value(item, "-") for item in node.items]


def _number(node: Scalar) -> Any:
    """Return a number that knows how it was written, unless that is what it would be as text anyway."""
    if str(node.value) == node.text or isinstance(node.value, bool):
        return node.value
    written = Broken(node.value) if isinstance(node.value, float) else Whole(node.value)
    written.text = node.text
    return written


def _variable(node: Node) -> Any:
    return node.text if isinstance(node, Scalar) and node.value is not None else plain(node)


def _settings(document: FileDocument, directory: str) -> dict[str, Any]:
    engine: EngineDocument | None = document.engine
    if engine is None:
        return {}
    found = {key: getattr(engine, key) for key in engine.model_fields_set}
    if found.get("log_file"):
        found["log_file"] = absolute(directory, found["log_file"])
    return found

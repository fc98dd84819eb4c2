"""Documents that somebody hands over, and that are in no file: a job, or all that a file may hold.

They are read as files are, with the same words, and everything that is wrong is told at once. What is different: a
place is told by its keys as well as by its line, relative paths begin at the home directory of whoever rota runs for
(as with cron), and the environment of this process is nobody's business, so `${NAME}` has only its default.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from rota.config.formats.registry import Source
from rota.config.formats.rota import FORMAT
from rota.config.jobset import FoundJob, Jobset
from rota.config.own.documents import JobDocument
from rota.config.own.schema import Plain
from rota.config.problems import Mark, Problem, Problems
from rota.config.syntax.yaml_reader import Entry, Mapping, Node, Scalar, Sequence, read_yaml
from rota.config.syntax.yaml_writer import entry as lines_of
from rota.config.writers.rota_yaml import document_of, write_jobs
from rota.model.action import Function
from rota.model.job import Job

_JSON, _YAML = "document.json", "document.yaml"
_NAME = "name"
_Path = tuple[str | int, ...]
_Index = dict[tuple[int, int], _Path]


class Fault(msgspec.Struct, frozen=True):
    """Something that is wrong with a document, or that somebody should look at."""

    place: str
    """The keys that lead to it: `retries.count`, `schedules.0.cron`; nothing is the whole document."""
    line: int
    column: int
    problem: str
    hint: str


class Given(msgspec.Struct, frozen=True):
    """What a document says."""

    jobs: list[Job]
    """Those that can be read."""
    faults: list[Fault]
    warnings: list[Fault]


def read_job(text: str, name: str | None = None) -> Given:
    """Read the document of one job, as it stands under the job's name in a file.

    Its name is the key `name`, or is known already; then the document may say the same, and nothing else.
    """
    problems = Problems()
    node = _node(text, problems)
    if node is None:
        return _given(Jobset(""), problems, {})
    index = dict(_places(node, ()))
    if not isinstance(node, Mapping):
        problems.add(node.mark, "this is no job", "write a mapping: {name: …, run: …, cron: …}")
        return _given(Jobset(""), problems, index)
    said = _name_of(node, name, problems)
    if not said:
        return _given(Jobset(""), problems, index)
    job = Mapping({key: entry for key, entry in node.entries.items() if key != _NAME}, node.mark)
    whole = Mapping({"jobs": Entry(node.mark, Mapping({said: Entry(node.mark, job)}, node.mark))}, node.mark)
    return _given(_read(text, whole, problems), problems, index)


def read_document(text: str) -> Given:
    """Read what a file of rota's own may hold."""
    problems = Problems()
    node = _node(text, problems)
    if node is None:
        return _given(Jobset(""), problems, {})
    return _given(_read(text, node, problems), problems, dict(_places(node, ())))


def job_document(job: Job) -> dict[str, Any] | None:
    """Return a job as its document, without what is default; None for a program's function, which no file can say."""
    return None if isinstance(job.action, Function) else document_of(job)


def job_file(job: Job) -> str | None:
    """Return a job as the text of a file with nothing else in it."""
    if isinstance(job.action, Function):
        return None
    return write_jobs([Jobset("rota", [FoundJob(job, Mark(_YAML, 1, 1))])])


def document_text(document: dict[str, Any]) -> str:
    """Return a document as YAML that is read as the same document."""
    lines = [line for key, value in document.items() for line in lines_of(key, value, "", tall=key == "env")]
    return "".join(f"{line}\n" for line in lines)


def job_schemas(template: str) -> dict[str, Any]:
    """Return the JSON Schemas of a job's document and of what is in it, by name; they refer to each other so."""
    made = JobDocument.model_json_schema(ref_template=template, schema_generator=Plain)
    parts: dict[str, Any] = made.pop("$defs", {})
    return parts | {JobDocument.__name__: made}


def _node(text: str, problems: Problems) -> Node | None:
    """Return the nodes of a text in JSON or YAML; between the words of JSON a tab is a space, in YAML it is not."""
    if text.lstrip()[:1] in ("{", "["):
        return read_yaml(text.replace("\t", " "), _JSON, problems)
    return read_yaml(text, _YAML, problems)


def _read(text: str, node: Node, problems: Problems) -> Jobset:
    return FORMAT.read(Source(node.mark.file, text, node, os.path.expanduser("~"), {}), problems)


def _name_of(node: Mapping, known: str | None, problems: Problems) -> str:
    entry = node.entries.get(_NAME)
    if entry is None:
        if known is None:
            problems.add(node.mark, "a job needs a name", "write `name`")
        return known or ""
    said = entry.node.text if isinstance(entry.node, Scalar) else ""
    if not said:
        problems.add(entry.node.mark, "this is no name", "write a text")
    elif known is not None and said != known:
        problems.add(entry.node.mark, f"job {known!r} keeps its name", "leave `name` out, or make another job")
        return ""
    return said


def _given(jobset: Jobset, problems: Problems, index: _Index) -> Given:
    return Given(
        [found.job for found in jobset.jobs],
        list(_told(problems, index)),
        list(_told(problems.warnings, index)),
    )


def _told(problems: Iterable[Problem], index: _Index) -> Iterator[Fault]:
    for each in problems:
        at = each.mark
        path = _nearest(index, at)
        yield Fault(".".join(map(str, path)), at.line, at.column, each.text, each.hint)


def _nearest(index: _Index, at: Mark) -> _Path:
    """Return what is at a place, or last before it in its line: a place may be within a text."""
    before = [column for line, column in index if line == at.line and column <= at.column]
    return index[at.line, max(before)] if before else ()


def _places(node: Node, path: _Path) -> Iterator[tuple[tuple[int, int], _Path]]:
    """Yield every place with the keys that lead to it; of a mapping and its first key the key goes before."""
    yield (node.mark.line, node.mark.column), path
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield (entry.key_mark.line, entry.key_mark.column), (*path, key)
            yield from _places(entry.node, (*path, key))
    elif isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from _places(item, (*path, number))

"""Writes the parts of the docs that are made from the code; a test fails when they are old."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

import rota
from rota.api.app import create_app
from rota.api.door import Door, Owner
from rota.cli.main import cli
from rota.cli.verbs import SECTIONS
from rota.config.own.documents import (
    EngineDocument,
    EveryDocument,
    FileDocument,
    JobDocument,
    OutputDocument,
    RetriesDocument,
    ScheduleDocument,
    Secret,
    SharedDocument,
)
from rota.sdk.options import Options

REFERENCE = Path(__file__).parent / "reference" / "cli.md"
FILES = Path(__file__).parent / "reference" / "files.md"
REST = Path(__file__).parent / "reference" / "rest.md"
PYTHON = Path(__file__).parent / "reference" / "python.md"
HEAD = """# The command line

Made from the code by `python docs/generate.py`.

Every verb takes `--home DIR`. Every listing takes `--json`: one array or object on standard output, times in RFC 3339
UTC with milliseconds, durations in seconds. Errors go to standard error.

| exit code | meaning |
|---|---|
| 0 | ok |
| 1 | failed |
| 2 | usage or configuration |
| 3 | no such job or run |
| 4 | conflict |
| 5 | an engine is needed, and none is running |
| 124 | the run timed out (`rota run --wait`) |
| 126, 127 | the run could not be started (`rota run --wait`) |
| 128 + n | the run was ended by signal n (`rota run --wait`) |
"""


def reference() -> str:
    """Return the reference of all verbs."""
    parts = [HEAD]
    group = click.Context(cli, info_name="rota")
    for title, verbs in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        for name in verbs:
            command = cli.get_command(group, name)
            assert command is not None
            with click.Context(command, info_name=name, parent=group, terminal_width=100) as context:
                parts.append(f"\n### rota {name}\n\n```\n{command.get_help(context)}\n```\n")
                for part, below in getattr(command, "commands", {}).items():
                    with click.Context(below, info_name=part, parent=context, terminal_width=100) as inner:
                        parts.append(f"\n#### rota {name} {part}\n\n```\n{below.get_help(inner)}\n```\n")
    return "".join(parts)


FILES_HEAD = """# Job files

Made from the code by `python docs/generate.py`. How to work with them: [Job files](../how-to/job-files.md).

A job file is YAML or JSON. An unknown key is an error, and so is a key that is there twice. Only `true`, `false`,
`null` and numbers are typed: `on`, `off`, `yes`, `no`, dates, times and numbers with a leading zero stay the text that
they are. Anchors, aliases and `<<` work, within limits (16 MB, 1,000,000 values, 50 levels).

| what | how it is written |
|---|---|
| duration | `90s`, `1h30m`, `1.5h`, `1d`, `500ms`, `5 minutes`; a number alone is seconds |
| size | `512KB`, `10 MiB`, `1.5GB`; a number alone is bytes; K is 1024, with the i and without |
| share | `10%`, or `0.1` |
| instant | `2027-01-31 10:00` in the job's zone, or with an offset: `2027-01-31T10:00:00+01:00` |
| path | counts from the file; `~` is the home directory |
| `${NAME:-default}` | from the environment of `rota apply`; `$${` is a plain `${`; a line of shell keeps its own |
"""
FILES_PARTS: list[tuple[str, str, type[BaseModel]]] = [
    ("The file", "", FileDocument),
    ("A job", "Each is a mapping under its name in `jobs`. Without a schedule it runs by hand only.", JobDocument),
    (
        "What defaults may say, too",
        "A job's own word goes before that of `defaults`; `retries`, `output` and `env` are merged key by key.",
        SharedDocument,
    ),
    ("retries", "`retries: 3` is short for `retries: {count: 3}`.", RetriesDocument),
    ("output", "`output: pipe` is short for `output: {mode: pipe}`.", OutputDocument),
    ("every", "`every: 5m` is short for `every: {every: 5m}`.", EveryDocument),
    ("schedules", "A list; each entry has one of `cron`, `every`, `at` and `calendar`.", ScheduleDocument),
    ("env", "A value is a text, or a mapping that names a secret.", Secret),
    ("engine", "", EngineDocument),
]


def files_reference() -> str:
    """Return the reference of rota's own job files."""
    parts = [FILES_HEAD]
    shared = set(SharedDocument.model_fields)
    for title, text, model in FILES_PARTS:
        parts.append(f"\n## {title}\n\n{text}\n" if text else f"\n## {title}\n")
        parts.append("\n| key | means |\n|---|---|\n")
        for name, field in model.model_fields.items():
            if model is JobDocument and name in shared:
                continue
            parts.append(f"| `{field.alias or name}` | {_meaning(field)} |\n")
    return "".join(parts)


def _meaning(field: Any) -> str:
    """Return what a key is for, with its default unless the words have it."""
    said = field.description.replace("|", "\\|")
    default = field.default
    plain = isinstance(default, str | int | float) and default != ""
    if "[" in said or not plain or field.is_required():
        return said + (" Required." if field.is_required() else "")
    shown = {True: "true", False: "false"}.get(default, default) if isinstance(default, bool) else default
    return f"{said.removesuffix('.')} [{shown}]."


PYTHON_HEAD = """# Python

Made from the code by `python docs/generate.py`. How to work with it: [Python](../how-to/python.md).

Everything here is imported from `rota`. A duration is a `timedelta`, a number of seconds, or a text such as `1h30m`.
"""
PYTHON_PARTS = {
    "Schedulers": ("Scheduler", "job", "serve"),
    "Tasks": ("task", "TaskInfo", "task_id"),
    "Schedules": ("Cron", "Every", "At", "Calendar", "Schedule"),
    "Actions": ("Action",),
    "Notifications": ("Notifier", "Email"),
    "Policies": ("Retry", "Priority", "Overlap", "CatchUp", "Secret"),
    "Jobs and runs": ("JobLine", "Handle", "Run", "State", "Attempt", "calling", "Calling"),
    "Errors": (
        "RotaError",
        "BadJob",
        "BadSchedule",
        "NoSuchJob",
        "NoSuchRun",
        "Conflict",
        "JobExists",
        "EngineNotRunning",
        "RunFailed",
        "NotKept",
        "TaskTimeout",
    ),
}
NOT_MADE = (rota.JobLine, rota.Handle, rota.Run, rota.Attempt, rota.Calling, rota.TaskInfo)
"""What is handed out; how to make one is nobody's concern."""
WITHIN = ("spec", "retries")
"""What the classes of rota ask each other."""


def python_reference() -> str:
    """Return the reference of what `rota` exports."""
    parts = [PYTHON_HEAD]
    for title, names in PYTHON_PARTS.items():
        parts.append(f"\n## {title}\n")
        for name in names:
            parts += _described(name, getattr(rota, name))
            if name == "job":
                parts += ["\n### The words of a job\n\n", *_fields(Options)]
    return "".join(parts)


def _described(name: str, found: Any) -> Iterator[str]:
    """Yield what there is to know of a class or a function."""
    is_choice = isinstance(found, type) and issubclass(found, Enum)
    is_error = isinstance(found, type) and issubclass(found, BaseException)
    is_made = not is_choice and not is_error and found not in NOT_MADE
    yield f"\n### `{name}{_signature(found) if is_made else ''}`\n\n{inspect.getdoc(found)}\n"
    if not isinstance(found, type):
        return
    if is_choice:
        shown = ", ".join(f"`{each.name}` ({each.value})" for each in found)
        yield f"\n{shown}.\n"
        return
    fields = list(_fields(found))
    yield from ["\n", *fields] if fields else []
    members = [(key, value) for key, value in vars(found).items() if not key.startswith("_") and key not in WITHIN]
    methods = [(key, value) for key, value in members if inspect.isfunction(value)]
    facts = [(key, value) for key, value in members if isinstance(value, property)]
    if facts or methods:
        yield "\n| | |\n|---|---|\n"
    yield from (f"| `{key}` | {_cell(inspect.getdoc(value))} |\n" for key, value in facts)
    yield from (f"| `{key}{_signature(value)}` | {_cell(inspect.getdoc(value))} |\n" for key, value in methods)


def _signature(found: Any) -> str:
    """Return how something is called, without the types of what everybody knows."""
    signature = inspect.signature(found)
    parameters = [
        each.replace(annotation=each.empty)
        for each in signature.parameters.values()
        if each.name not in ("self", "cls")
    ]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def _fields(found: type) -> Iterator[str]:
    """Yield a table of a class's fields, with the sentences that stand below them in its source."""
    body = ast.parse(inspect.getsource(found)).body[0].body
    rows = []
    for field, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and not ast.unparse(field.target).startswith("_"):
            said = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            default = f" [{ast.unparse(field.value)}]" if field.value is not None else ""
            words = _cell(inspect.cleandoc(said)) + default.replace("|", "\\|")
            rows.append(f"| `{ast.unparse(field.target)}` | {words.strip()} |\n")
    if rows:
        yield from ("| field | |\n|---|---|\n", *rows)


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n\n", "<br>").replace("\n", " ")


REST_HEAD = """# REST

Made from the code by `python docs/generate.py`: it is the OpenAPI document (`/openapi.json`) on one page.

Times are RFC 3339 in UTC with milliseconds, durations are seconds. What goes wrong is `application/problem+json`, with
everything that is wrong with the request in `problems`, each with its place. Lists come in pages: pass `next` on as it
is. A word after the question mark that is not known is refused. A slash in a job's name is written `%2F`.

The document of a job, in JSON or YAML, has the words of a [job file](files.md). Jobs of files and programs are changed
there, and answer 409 here.

| status | meaning |
|---|---|
| 200, 201, 202 | done; made; asked for |
| 401, 403 | it is not known who asks; they may not |
| 404 | no such job or run |
| 409 | true as asked, but not now: a name that is taken, a run that has ended, another's job |
| 412 | somebody changed it since (`If-Match`) |
| 413, 408 | a request that is too large, or comes too slowly |
| 422 | what was asked cannot mean anything |
| 503 | passing: the store cannot be written now; try again after `Retry-After` |
"""
_VERBS = ("get", "post", "put", "delete")


def rest_reference() -> str:
    """Return the reference of REST."""
    document = create_app(_NoDesks(), Door(Owner(0, ""))).openapi()
    schemas, parts = document["components"]["schemas"], [REST_HEAD]
    operations = [
        (path, verb, operations[verb])
        for path, operations in document["paths"].items()
        for verb in _VERBS
        if verb in operations
    ]
    for tag in dict.fromkeys(operation["tags"][0] for _, _, operation in operations):
        parts.append(f"\n## {tag.capitalize()}\n")
        for path, verb, operation in operations:
            if operation["tags"][0] == tag:
                parts += _operation(path, verb, operation)
    parts.append("\n## What is asked and answered\n")
    for name, schema in sorted(schemas.items()):
        if not name.endswith("Document") and schema.get("type") == "object":
            parts += _schema(name, schema)
    return "".join(parts)


class _NoDesks:
    """Lends nothing: a document alone is asked for."""

    def borrow(self) -> Any:
        raise AssertionError("nobody asks for anything here")


def _operation(path: str, verb: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {verb.upper()} {path}\n\n{_sentence(operation['summary'])} {operation['description']}\n"
    rows = [
        f"| `{each['name']}` | {each['in']} | {_cell(each.get('description'))}{_bounds(each)} |\n"
        for each in operation.get("parameters", [])
    ]
    if rows:
        yield from ("\n| parameter | in | |\n|---|---|---|\n", *rows)
    asked = operation.get("requestBody")
    if asked is not None:
        yield f"\nAsks for {_contents(asked['content'])}.\n"
        example = next((each["example"] for each in asked["content"].values() if "example" in each), None)
        if example is not None:
            yield f"\n```json\n{json.dumps(example)}\n```\n"
    for status, answer in operation["responses"].items():
        if status != "default":
            said = _contents(answer["content"]) if answer.get("content") else "nothing"
            yield f"\nAnswers {status}: {said}.\n"


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _contents(content: dict[str, Any]) -> str:
    """Return what is in a body, by its media types."""
    found = []
    for media_type, each in content.items():
        name = _type(each.get("schema", {}))
        found.append(name if media_type == "application/json" and name[0] in "[`" else f"`{media_type}`")
    return " or ".join(dict.fromkeys(found))


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"\n### {name}\n\n{_cell(schema.get('description'))}\n\n| field | type | |\n|---|---|---|\n"
    for field, each in schema.get("properties", {}).items():
        yield f"| `{field}` | {_type(each)} | {_cell(each.get('description') or _within(each))} |\n"


def _within(schema: dict[str, Any]) -> str:
    return next((each["description"] for each in schema.get("anyOf", []) if "description" in each), "")


def _type(schema: dict[str, Any]) -> str:
    """Return a type in a word; one with a name leads to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        page = "files.md#a-job" if name.endswith("JobDocument") else f"#{name.lower()}"
        return f"[{name}]({page})" if name != "Action" else "`pause`, `resume`, `run` or `delete`"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("type", "any"))


def _bounds(parameter: dict[str, Any]) -> str:
    """Return how large a number may be, and what it is if nothing is said."""
    schema = parameter["schema"]
    low, high = schema.get("minimum"), schema.get("maximum")
    words = f" {low} to {high:,}" if low is not None and high is not None and high < 1 << 31 else ""
    default = schema.get("default")
    return words + (f" [{str(default).lower() if isinstance(default, bool) else default}]" if default else "")


if __name__ == "__main__":
    REST.write_text(rest_reference(), encoding="utf-8")
    PYTHON.write_text(python_reference(), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
    FILES.write_text(files_reference(), encoding="utf-8")

"""Writes the parts of the docs that are made from the code; a test fails when they are old."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

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

REFERENCE = Path(__file__).parent / "reference" / "cli.md"
FILES = Path(__file__).parent / "reference" / "files.md"
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


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    FILES.write_text(files_reference(), encoding="utf-8")

"""Writes the parts of the docs that are made from the code; a test fails when they are old."""

from __future__ import annotations

from pathlib import Path

import click

from rota.cli.main import cli
from rota.cli.verbs import SECTIONS

REFERENCE = Path(__file__).parent / "reference" / "cli.md"
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


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")

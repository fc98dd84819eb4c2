"""`rota validate` and `rota schema`: what is wrong with job files, and what may be in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rota.cli.files import JobFiles, show_problems
from rota.cli.options import files_option, home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import print_json

if TYPE_CHECKING:
    from rota.config.problems import Problem

_BROKEN = 2


@click.command("validate")
@files_option
@json_option
@home_option
@click.pass_obj
def validate_command(session: Session, format_name: str | None, as_json: bool) -> int:
    """Show every problem of job files with its place, and change nothing.

    The exit code is 2 if there is a problem; warnings do not count.
    """
    files = JobFiles(session, format_name)
    reading = files.read()
    problems, warnings = list(files.problems), files.problems.warnings
    if as_json:
        print_json([_view(one, "error") for one in problems] + [_view(one, "warning") for one in warnings])
        return _BROKEN if problems else 0
    show_problems(problems)
    show_problems(warnings, warning=True)
    count, places = len(reading.jobs), len(files.files)
    where = _sources(len(files.files) - len(files.modules), len(files.modules))
    if problems:
        click.echo(f"rota: {_count(len(problems), 'problem')}" + (f" in {where}" if places else ""), err=True)
        return _BROKEN
    click.echo(f"{where[0].upper()}{where[1:]}, {_count(count, 'job')}: no problem.")
    return 0


@click.command("schema")
@home_option
def schema_command() -> None:
    """Print the JSON Schema of rota's own job files, for editors that complete and check.

    \b
      rota schema > rota.schema.json

    The first line of a job file names it: # yaml-language-server: $schema=rota.schema.json
    """
    from rota.config.own.schema import schema

    print_json(schema())


def _view(problem: Problem, severity: str) -> dict[str, str | int]:
    return {
        "file": problem.mark.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "severity": severity,
        "message": problem.text,
        "hint": problem.hint,
    }


def _sources(files: int, modules: int) -> str:
    said = [_count(files, "file")] if files or not modules else []
    return " and ".join([*said, _count(modules, "module")] if modules else said)


def _count(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count:,} {word}s"

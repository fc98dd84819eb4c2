"""`rota init`: a starter file, and a home for jobs in this directory."""

from __future__ import annotations

import os

import click

from rota.cli.options import home_option
from rota.cli.session import Session, here
from rota.errors import UsageError

_SCHEMA = "rota.schema.json"


@click.command("init")
@home_option
@click.pass_obj
def init_command(session: Session) -> None:
    """Write a commented starter rota.yaml, and make a home for jobs in this directory.

    A home is a directory `.rota` with the store, the output of running jobs and the log. Verbs find the nearest one,
    here or above. What is there already stays as it is.
    """
    from rota.config.home import HOME_NAME
    from rota.config.where import DEFAULT_NAMES, default_in
    from rota.wiring.homes import has_store

    session.home_flag = session.home_flag or os.environ.get("ROTA_HOME") or os.path.join(here(), HOME_NAME)
    home = session.home
    schema, starter = os.path.join(home, _SCHEMA), os.path.join(here(), DEFAULT_NAMES[0])
    known = default_in(here())
    _check(home, schema, starter, known=known)
    if has_store(home):
        count = session.client().store.jobs.count()
        click.echo(f"{home} is there already, with {count} job{'' if count == 1 else 's'}; nothing in it was changed.")
    else:
        session.client(make=True)
        click.echo(f"Made {home}. Only you can read it, and git ignores it.")
    _write_schema(schema)
    if known is not None:
        click.echo(f"{os.path.basename(known)} is there already; it stays as it is.")
    else:
        _write_starter(starter, os.path.relpath(schema, here()))
        click.echo(f"Wrote {starter} with a job that says hello.")
    click.echo("\nWhat next:")
    click.echo("  rota validate    check the file; your editor knows its keys, too")
    click.echo("  rota serve       run the engine, here or in another terminal; it applies every change of the file")
    click.echo("  rota list        see how it goes")


def _check(home: str, schema: str, starter: str, *, known: str | None) -> None:
    """Refuse what cannot be done before any of it is done."""
    if known is None and os.path.lexists(starter):  # and it does not exist, or it would be known
        name, target = os.path.basename(starter), os.readlink(starter)
        raise UsageError(
            f"{name} is a link to {target}, where nothing is; take the link away, or write the file that it leads to"
        )
    if os.path.isdir(schema):
        raise UsageError(f"{schema} is a directory, and a file for editors is to be there; take it away")
    for path in [schema if os.path.exists(schema) else home, *([starter] if known is None else [])]:
        place = path
        while not os.path.lexists(place):
            place = os.path.dirname(place)
        if not os.access(place, os.W_OK):
            raise UsageError(
                f"{path} cannot be written: you may not change {place}; work in a directory of your own, or let its "
                "owner give you the right to write"
            )


def _write_schema(path: str) -> None:
    """Write what editors complete and check by; it is made anew, because it belongs to this version."""
    import json

    from rota.config.own.schema import schema

    with open(path, "w", encoding="utf-8") as file:
        json.dump(schema(), file, indent=1)


def _write_starter(path: str, schema: str) -> None:
    from rota.config.own.starter import starter

    with open(path, "x", encoding="utf-8") as file:
        file.write(starter(schema))

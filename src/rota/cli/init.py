"""`rota init`: a starter file, and a home for jobs in this directory."""

from __future__ import annotations

import os

import click

from rota.cli.options import home_option
from rota.cli.session import Session, here

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
    from rota.wiring.homes import has_store

    session.home_flag = session.home_flag or os.environ.get("ROTA_HOME") or os.path.join(here(), HOME_NAME)
    home = session.home
    if has_store(home):
        count = session.client().store.jobs.count()
        click.echo(f"{home} is there already, with {count} job{'' if count == 1 else 's'}; nothing in it was changed.")
    else:
        session.client(make=True)
        click.echo(f"Made {home}. Only you can read it, and git ignores it.")
    schema = os.path.join(home, _SCHEMA)
    _write_schema(schema)
    _write_starter(os.path.relpath(schema, here()))
    click.echo("\nWhat next:")
    click.echo("  rota validate    check the file; your editor knows its keys, too")
    click.echo("  rota serve       run the engine, here or in another terminal; it applies every change of the file")
    click.echo("  rota list        see how it goes")


def _write_schema(path: str) -> None:
    """Write what editors complete and check by; it is made anew, because it belongs to this version."""
    import json

    from rota.config.schema import schema

    with open(path, "w", encoding="utf-8") as file:
        json.dump(schema(), file, indent=1)


def _write_starter(schema: str) -> None:
    from rota.config.starter import starter
    from rota.config.where import DEFAULT_NAMES, default_in

    known = default_in(here())
    if known is not None:
        click.echo(f"{os.path.basename(known)} is there already; it stays as it is.")
        return
    path = os.path.join(here(), DEFAULT_NAMES[0])
    with open(path, "x", encoding="utf-8") as file:
        file.write(starter(schema))
    click.echo(f"Wrote {path} with a job that says hello.")

"""`rota init`: a home for jobs in this directory."""

from __future__ import annotations

import os

import click

from rota.cli.options import home_option
from rota.cli.session import Session, here


@click.command("init")
@home_option
@click.pass_obj
def init_command(session: Session) -> None:
    """Make a home for jobs in this directory.

    A home is a directory `.rota` with the store, the output of running jobs and the log. Verbs find the nearest one,
    here or above.
    """
    from rota.config.home import HOME_NAME
    from rota.wiring import has_store

    session.home_flag = session.home_flag or os.environ.get("ROTA_HOME") or os.path.join(here(), HOME_NAME)
    home = session.home
    if has_store(home):
        count = session.client().store.jobs.count()
        click.echo(f"{home} is there already, with {count} job{'' if count == 1 else 's'}; nothing was changed.")
        return
    session.client(make=True)
    click.echo(f"Made {home}. Only you can read it, and git ignores it.\n")
    click.echo("What next:")
    click.echo('  rota add hello --every 1m --shell "echo hello"   make a job')
    click.echo("  rota serve                                       run the engine, here or in another terminal")
    click.echo("  rota list                                        see how it goes")

"""`rota tell`: writes the log of tasks beside the engine, which starts it."""

from __future__ import annotations

import os

import click

from rota.cli.options import home_option
from rota.cli.session import Session
from rota.cli.text import safe


@click.command("tell", hidden=True)
@click.option("--log", "log_file", required=True, metavar="FILE", help="Where the lines go; made if it is not there.")
@home_option
@click.pass_obj
def tell_command(session: Session, log_file: str) -> None:
    """Write everything that runs do and write into one log, line by line, as it happens.

    The engine starts this by itself where job files name a log. It ends when its standard input, a pipe, ends; or with
    Ctrl-C or SIGTERM. The first time, it begins with now; after that, it goes on where it was.
    """
    from rota.wiring.telling import tell

    tell(session.home, os.path.abspath(log_file), lambda text: click.echo(f"rota: {safe(text)}", err=True))

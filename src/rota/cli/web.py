"""`rota web`: serves the pages and REST beside the engine, which starts it."""

from __future__ import annotations

import click

from rota.cli.options import home_option
from rota.cli.session import Session
from rota.cli.text import safe

PORT = 7682


@click.command("web", hidden=True)
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where it listens  [127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, metavar="N", help=f"On which port  [{PORT}].")
@click.option("--allowed-host", multiple=True, metavar="NAME", help="Another name that leads here.")
@home_option
@click.pass_obj
def web_command(session: Session, host: str, port: int, allowed_host: tuple[str, ...]) -> None:
    """Serve the pages and the REST API of a home.

    The engine starts this by itself, unless it is served with --no-web. It ends when its standard input, a pipe, ends;
    or with Ctrl-C or SIGTERM.
    """
    from rota.wiring.web import serve_web

    serve_web(session.home, host, port, allowed_host, lambda text: click.echo(f"rota: {safe(text)}", err=True))

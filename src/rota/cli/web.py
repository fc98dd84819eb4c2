"""`rota web`: serves the pages and REST beside the engine, which starts it."""

from __future__ import annotations

import click

from rota.cli.options import home_option
from rota.cli.session import Session
from rota.cli.text import safe
from rota.cli.web_options import read_signing, read_web_options, refuse_open, web_options


@click.command("web", hidden=True)
@web_options
@click.option("--link", is_flag=True, help="Let the owner in by a link, even where connections tell whose they are.")
@home_option
@click.pass_obj
def web_command(
    session: Session,
    host: str | None,
    port: int | None,
    allowed_host: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    link: bool,
) -> None:
    """Serve the pages and the REST API of a home.

    The engine starts this by itself, unless it is served with --no-web. It ends when its standard input, a pipe, ends;
    or with Ctrl-C or SIGTERM.
    """
    said = read_web_options(host, port, allowed_host, trusted_proxy)
    refuse_open(session, said.host)
    signing = read_signing()
    from rota.wiring.web import WebPlace, serve_web

    place = WebPlace(session.home, said.host, said.port, said.allowed, said.proxies, signing, link)
    serve_web(place, lambda text: click.echo(f"rota: {safe(text)}", err=True))

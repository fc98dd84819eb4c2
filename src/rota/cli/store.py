"""`rota store`: what is done with a store as a whole."""

from __future__ import annotations

import click

from rota.cli.options import home_option
from rota.cli.progress import progress
from rota.cli.text import safe, typed


@click.group("store")
@home_option
def store_command() -> None:
    """Move a store: from SQLite, which is a file in the home, to PostgreSQL, or back."""


@store_command.command("copy")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy_command(source: str, target: str) -> None:
    """Copy a whole store into an empty one, and check the copy: every table's rows are counted and summed up.

    FROM and TO are each a URL (postgresql://…), a home, or a store's file. Stop the engine first; it stays stopped
    until you say which store it is to use. A password is better kept out of the command: in ~/.pgpass, or PGPASSWORD.

    \b
      rota store copy ~/.local/state/rota postgresql://rota@db.example/ops
      rota serve --store postgresql://rota@db.example/ops
    """
    from rota.wiring.copying import StorePlace, copy_between

    place = StorePlace(target)
    with progress("copying") as bar:
        counts = copy_between(StorePlace(source), place, bar.step)
    rows = sum(counts.values())
    click.echo(
        f"Copied {counts['job']:,} jobs and {counts['run']:,} runs ({rows:,} rows) to {safe(place.shown)}; "
        "counts and sums are the same on both sides."
    )
    if place.address is not None:
        click.echo(f"To use it: rota serve --store {typed(place.shown)}")
    elif place.home is not None:
        click.echo(f"To use it: rota serve --home {typed(place.home)} --store sqlite")

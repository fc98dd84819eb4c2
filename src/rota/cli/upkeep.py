"""`rota prune` and `rota backup`."""

from __future__ import annotations

import contextlib
import os

import click

from rota.cli.options import home_option
from rota.cli.progress import progress
from rota.cli.session import Session
from rota.cli.text import safe, typed
from rota.errors import Conflict, RotaError, UsageError


@click.command("prune")
@home_option
@click.pass_obj
def prune_command(session: Session) -> None:
    """Drop history that is older than it may be.

    The engine does this by itself, a little every minute. Runs are kept for 90 days, and at least the last 100 of a
    job; output for 30 days, and 2 GiB in all.
    """
    client = session.client()
    with progress("pruning") as bar:
        dropped = client.prune(bar.step)
    click.echo("Nothing was older than it may be." if not dropped else f"Dropped {dropped:,} records.")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@home_option
@click.pass_obj
def backup_command(session: Session, file: str, force: bool) -> None:
    """Copy the whole store into FILE, while it is in use, and check the copy."""
    target = os.path.realpath(os.path.expanduser(file))
    client = session.client()
    if os.path.isdir(target):
        raise UsageError(f"{target} is a directory; name a file in it")
    if not os.path.isdir(os.path.dirname(target)):
        raise UsageError(f"there is no directory {os.path.dirname(target)}")
    if target == client.store_path:
        raise UsageError(f"{target} is the store itself; name another file")
    if os.path.exists(target) and not force:
        raise Conflict(f"{target} is there already; name another file, or write over it with --force")
    draft = f"{target}.part-{os.getpid()}"
    try:
        with progress("copying") as bar:
            faults = client.backup(draft, bar.step)
        if faults:
            raise RotaError(f"the copy is damaged ({'; '.join(faults[:3])}), so it was not kept; check: rota doctor")
        os.replace(draft, target)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft + ending)
    store = client.store_path
    click.echo(f"Copied the store to {safe(target)} ({os.path.getsize(target) / 1024:,.0f} KiB), and checked the copy.")
    click.echo("To restore it: stop the engine, then")
    click.echo(f"  rm -f {typed(store + '-wal')} {typed(store + '-shm')} && cp {typed(target)} {typed(store)}")

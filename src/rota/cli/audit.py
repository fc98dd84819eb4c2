"""`rota audit`: who did what over REST and the pages, and with people and tokens here."""

from __future__ import annotations

import click

from rota.cli.options import home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_table


@click.command("audit")
@click.option("--user", default="", metavar="NAME", help="Only what this person did.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, metavar="N", help="At most so many  [100].")
@json_option
@home_option
@click.pass_obj
def audit_command(session: Session, user: str, limit: int, as_json: bool) -> None:
    """Show who did what, newest first: every change over REST and the pages, and who was refused."""
    from rota.control.times import short
    from rota.control.views import instant_view

    found = session.client().accounts.audit(user, most=limit) if session.has_home else []
    if as_json:
        print_json(
            [
                {
                    "id": entry.id,
                    "at": instant_view(entry.at),
                    "who": entry.who,
                    "how": entry.how,
                    "action": entry.action,
                    "target": entry.target,
                    "outcome": entry.outcome,
                    "address": entry.address,
                }
                for entry in found
            ]
        )
        return
    if not found:
        click.echo("Nobody has done anything yet.")
        return
    now = session.client().clock.now()
    rows: list[list[Cell | str]] = [
        [
            short(entry.at, now),
            Cell(entry.who or "-", "bold"),
            entry.how,
            entry.action,
            entry.target or "-",
            Cell(entry.outcome, "ok" if entry.outcome == "ok" else "warn"),
            entry.address or "-",
        ]
        for entry in found
    ]
    print_table(("when", "who", "how", "did", "to", "outcome", "from"), rows)

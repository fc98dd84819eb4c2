"""`rota token`: what programs show instead of a password."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from rota.cli.options import Duration, home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_table
from rota.cli.text import safe
from rota.cli.users import at_the_command_line
from rota.errors import NotFound

if TYPE_CHECKING:
    from rota.model.access import Credential

_SCOPES = ("read", "run", "write", "admin")


@click.group("token")
@home_option
def token_command() -> None:
    """Make and revoke what programs show to use REST: Authorization: Bearer TOKEN.

    A token is a user's, and may do what they may, or less. It is shown once, when it is made, and kept nowhere.
    """


@token_command.command("add")
@click.argument("user")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, help="What it may do  [all that the user may]."
)
@click.option("--lasts", type=Duration(), metavar="TIME", help="For how long it is good, as in 90d  [until revoked].")
@json_option
@home_option
@click.pass_obj
def add_command(
    session: Session, user: str, name: str, scopes: tuple[str, ...], lasts: timedelta | None, as_json: bool
) -> None:
    """Make a token for a user, and print it, this once. NAME is what you call it."""
    from rota.model.access import Kind, Scope

    accounts = session.client().accounts
    issued = accounts.issue(user, Kind.TOKEN, name, map(Scope, scopes), lasts)
    accounts.note(at_the_command_line(), "token.add", f"{user} {name}")
    if as_json:
        print_json(_view(issued.credential) | {"secret": issued.secret})
        return
    click.echo(issued.secret)
    click.echo("rota: this is the only time that it is shown; revoke it with: "
               f"rota token remove {issued.credential.id}", err=True)  # fmt: skip


@token_command.command("list")
@click.argument("user", required=False, default="")
@json_option
@home_option
@click.pass_obj
def list_command(session: Session, user: str, as_json: bool) -> None:
    """List the tokens that are good, of a user or of all."""
    from rota.control.times import relative

    found = []
    if session.has_home:
        accounts = session.client().accounts
        found = accounts.credentials(accounts.user(user).name if user else "")
    if as_json:
        print_json([_view(credential) for credential in found])
        return
    if not found:
        click.echo("No tokens. Make one with: rota token add USER NAME")
        return
    now = session.client().clock.now()

    def row(one: Credential) -> list[Cell | str]:
        expires = "never" if one.expires_at is None else relative(one.expires_at, now)
        used = "never" if one.used_at is None else relative(one.used_at, now)
        return [Cell(one.id, "bold"), one.user, one.name, " ".join(sorted(one.scopes)), expires, used]

    print_table(("id", "user", "name", "scopes", "expires", "used"), [row(one) for one in found])


@token_command.command("remove")
@click.argument("token_id", metavar="ID")
@home_option
@click.pass_obj
def remove_command(session: Session, token_id: str) -> None:
    """Let a token be good for nothing from now on."""
    from rota.model.access import Kind

    accounts = session.client().accounts
    found = accounts.credential(token_id)
    if found is None or found.kind is not Kind.TOKEN:
        raise NotFound(f"no token has the id {token_id!r}; `rota token list` shows those that there are")
    accounts.revoke(token_id)
    accounts.note(at_the_command_line(), "token.remove", f"{found.user} {found.name}")
    click.echo(f"Revoked {safe(found.name)}, a token of {safe(found.user)}.")


def _view(credential: Credential) -> dict[str, Any]:
    from rota.control.views import instant_view

    return {
        "id": credential.id,
        "user": credential.user,
        "name": credential.name,
        "scopes": sorted(credential.scopes),
        "created_at": instant_view(credential.created_at),
        "expires_at": instant_view(credential.expires_at),
        "used_at": instant_view(credential.used_at),
    }

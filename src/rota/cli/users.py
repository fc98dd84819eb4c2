"""`rota user`: who may use the pages and REST."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rota.cli.options import home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_table
from rota.cli.text import safe
from rota.errors import UsageError

if TYPE_CHECKING:
    from rota.model.access import User, Who

_ROLES = ("viewer", "operator", "admin")
_LONGEST_FILE = 8192
_STANDARD_INPUT = "-"


@click.group("user")
@home_option
def user_command() -> None:
    """Let people use the pages and REST, and say what they may do.

    A viewer sees; an operator also runs, cancels, retries, pauses and resumes; an admin also makes and changes jobs,
    and manages people. As long as there is nobody, you alone get in, with no password.
    """


def _password_option(function: Any) -> Any:
    return click.option(
        "--password-file",
        metavar="FILE",
        help="Take the password from the first line of a file; - is standard input  [asks at the terminal].",
    )(function)


@user_command.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), help="What they may do  [admin for the first, else viewer].")
@_password_option
@home_option
@click.pass_obj
def add_command(session: Session, name: str, role: str | None, password_file: str | None) -> None:
    """Let somebody in. From the first one on everybody signs in, you too."""
    from rota.model.access import Role

    accounts = session.client(make=True).accounts
    is_first = not accounts.has_users
    chosen = Role(role) if role is not None else Role.ADMIN if is_first else Role.VIEWER
    accounts.add_user(name, chosen, _password(f"Password for {safe(name)}", password_file))
    accounts.note(at_the_command_line(), "user.add", name)
    click.echo(f"{safe(name)} may sign in as {chosen}.")
    if is_first:
        click.echo("From now on everybody signs in to use the pages and REST, you too; the command line is as it was.")


@user_command.command("list")
@json_option
@home_option
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List who may sign in."""
    from rota.control.times import relative, short

    users = session.client().accounts.users() if session.has_home else []
    if as_json:
        print_json([_view(user) for user in users])
        return
    if not users:
        click.echo("Nobody can sign in: you alone get in, with no password. Let somebody in with: rota user add NAME")
        return
    now = session.client().clock.now()
    rows = [
        [Cell(user.name, "bold"), user.role.value, f"{relative(user.created_at, now)} ({short(user.created_at, now)})"]
        for user in users
    ]
    print_table(("name", "role", "made"), rows)


@user_command.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@home_option
@click.pass_obj
def role_command(session: Session, name: str, role: str) -> None:
    """Give somebody another role; they sign in again to use it."""
    from rota.model.access import Role

    accounts = session.client().accounts
    accounts.set_role(name, Role(role))
    accounts.note(at_the_command_line(), "user.change", name)
    click.echo(f"{safe(name)} is {role} now.")


@user_command.command("password")
@click.argument("name")
@_password_option
@home_option
@click.pass_obj
def password_command(session: Session, name: str, password_file: str | None) -> None:
    """Give somebody another password; they are signed out everywhere. Their tokens stay."""
    accounts = session.client().accounts
    accounts.user(name)
    accounts.set_password(name, _password(f"New password for {safe(name)}", password_file))
    accounts.note(at_the_command_line(), "user.change", name)
    click.echo(f"{safe(name)} has another password now, and is signed out.")


@user_command.command("remove")
@click.argument("name")
@click.option("--last", is_flag=True, help="Also the last admin; then you alone get in, with no password.")
@home_option
@click.pass_obj
def remove_command(session: Session, name: str, last: bool) -> None:
    """Let somebody go, with all of their tokens and sessions."""
    accounts = session.client().accounts
    accounts.remove_user(name, last=last)
    accounts.note(at_the_command_line(), "user.remove", name)
    click.echo(f"Removed {safe(name)}, with all of their tokens and sessions.")


def at_the_command_line() -> Who:
    """Return who types, as the audit has them."""
    import os
    import pwd

    from rota.model.access import Scope, Who

    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"user {uid}"
    return Who(name, frozenset(Scope), "cli")


def _password(prompt: str, path: str | None) -> str:
    """Return a password: never from the command line, where everybody on the machine could read it."""
    if path is None:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask for a password; give it with --password-file, - for a pipe")
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True))
    if path == _STANDARD_INPUT:
        return _first_line(sys.stdin.read(_LONGEST_FILE))
    with open(path, encoding="utf-8") as file:
        return _first_line(file.read(_LONGEST_FILE))


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0].rstrip("\r")


def _view(user: User) -> dict[str, Any]:
    from rota.control.views import instant_view

    return {
        "name": user.name,
        "role": user.role.value,
        "created_at": instant_view(user.created_at),
        "changed_at": instant_view(user.changed_at),
    }

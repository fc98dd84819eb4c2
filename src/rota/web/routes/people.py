"""People who may sign in: for admins."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from rota.api.audit import Change, audited, outcome_of
from rota.api.names import UserName, in_path
from rota.api.who import needs
from rota.control.accounts import SHORTEST_PASSWORD
from rota.errors import BadAccount, RotaError
from rota.model.access import Role, Scope, User
from rota.web.forms import Fields, SentFields
from rota.web.people_words import ROLES
from rota.web.rendering import AtPage, Page

router = APIRouter(prefix="/people", dependencies=[Depends(needs(Scope.ADMIN))])
_CHANGE = Annotated[Change, audited("user.change", Scope.ADMIN)]


class Fault(msgspec.Struct, frozen=True):
    """What was wrong in a form, and which."""

    form: str
    text: str


@router.get("")
def people(page: AtPage) -> HTMLResponse:
    """Show everybody, and a form to let somebody in."""
    return _show_everybody(page)


@router.post("")
def add(page: AtPage, fields: SentFields, change: Annotated[Change, audited("user.add", Scope.ADMIN)]) -> Response:
    """Let somebody in. From the first one on everybody signs in, whoever makes them too."""
    accounts, name = page.desk.accounts, fields.text("name")
    is_first = not accounts.has_users
    change.target = name
    try:
        accounts.add_user(name, _role(fields), _password(fields))
    except RotaError as error:
        change.also(name, outcome_of(error))
        return _show_everybody(page, Fault("add", str(error)), typed=fields)
    if is_first:
        return page.go("/sign-in", f"{name} may sign in. From now on everybody signs in, you too.")
    return page.go("/people", f"{name} may sign in.")


@router.get("/{name}")
@router.get("/{name}/role")
@router.get("/{name}/password")
@router.get("/{name}/remove")
def person(page: AtPage, name: UserName) -> HTMLResponse:
    """Show one person; at the paths of the forms too, where their answers are loaded anew."""
    return _show_one(page, page.desk.accounts.user(name))


@router.post("/{name}/role")
def change_role(page: AtPage, name: UserName, fields: SentFields, change: _CHANGE) -> Response:
    """Give somebody another role; they are signed out."""
    user = page.desk.accounts.user(name)
    try:
        page.desk.accounts.set_role(name, _role(fields))
    except RotaError as error:
        return _refused(page, user, "role", error, change)
    return page.go(f"/people/{in_path(name)}", f"{name} is {_role(fields)} now, and signs in again.")


@router.post("/{name}/password")
def set_password(page: AtPage, name: UserName, fields: SentFields, change: _CHANGE) -> Response:
    """Give somebody another password; they are signed out."""
    user = page.desk.accounts.user(name)
    try:
        page.desk.accounts.set_password(name, _password(fields))
    except RotaError as error:
        return _refused(page, user, "password", error, change)
    return page.go(f"/people/{in_path(name)}", f"{name} has another password now, and signs in again.")


@router.post("/{name}/remove")
def remove(page: AtPage, name: UserName, change: Annotated[Change, audited("user.remove", Scope.ADMIN)]) -> Response:
    """Remove somebody, with all of their tokens and sessions; not the last admin."""
    user = page.desk.accounts.user(name)
    try:
        page.desk.accounts.remove_user(name)
    except RotaError as error:
        return _refused(page, user, "remove", error, change)
    return page.go("/people", f"{name} is removed, with all of their tokens and sessions.")


def _refused(page: Page, user: User, form: str, error: RotaError, change: Change) -> HTMLResponse:
    change.also(user.name, outcome_of(error))
    return _show_one(page, user, Fault(form, str(error)))


def _role(fields: Fields) -> Role:
    try:
        return Role(fields.text("role"))
    except ValueError:
        raise BadAccount(f"choose a role: {', '.join(Role)}") from None


def _password(fields: Fields) -> str:
    password = fields.exact("password")
    if password != fields.exact("again"):
        raise BadAccount("the password was typed differently the two times")
    return password


def _show_everybody(page: Page, fault: Fault | None = None, *, typed: Fields | None = None) -> HTMLResponse:
    accounts = page.desk.accounts
    users = accounts.users()
    return page.show(
        "people.html",
        HTTPStatus.OK if fault is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        users=users,
        tokens=accounts.credentials(),
        roles=ROLES if users else {Role.ADMIN: ROLES[Role.ADMIN]},
        shortest=SHORTEST_PASSWORD,
        fault=fault,
        typed_name="" if typed is None else typed.text("name"),
        typed_role=(Role.VIEWER if users else Role.ADMIN) if typed is None else typed.text("role"),
    )


def _show_one(page: Page, user: User, fault: Fault | None = None) -> HTMLResponse:
    accounts = page.desk.accounts
    admins = [each.name for each in accounts.users() if each.role is Role.ADMIN]
    return page.show(
        "person.html",
        HTTPStatus.OK if fault is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        user=user,
        roles=ROLES,
        tokens=accounts.credentials(user.name),
        is_last_admin=admins == [user.name],
        is_oneself=user.name == page.who.name,
        shortest=SHORTEST_PASSWORD,
        fault=fault,
    )

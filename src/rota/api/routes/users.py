"""People who may sign in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends

from rota.api.audit import Change, audited
from rota.api.desks import AtDesk
from rota.api.names import UserName
from rota.api.schemas.accounts import NewUser, People, Person, UserChange
from rota.api.who import needs
from rota.model.access import Scope

router = APIRouter(prefix="/users", tags=["users"], dependencies=[Depends(needs(Scope.ADMIN))])


@router.get("", summary="List people")
def list_users(desk: AtDesk) -> People:
    """Return everybody, by name."""
    return People(items=[Person.of(user) for user in desk.accounts.users()])


@router.post("", status_code=HTTPStatus.CREATED, summary="Let somebody in")
def add_user(
    given: Annotated[NewUser, Body()], desk: AtDesk, change: Annotated[Change, audited("user.add", Scope.ADMIN)]
) -> Person:
    """Make a user; the first one is an admin. From then on everybody signs in, the owner too."""
    change.target = given.name
    return Person.of(desk.accounts.add_user(given.name, given.role, given.password))


@router.get("/{name}", summary="Show somebody")
def show_user(name: UserName, desk: AtDesk) -> Person:
    """Return one person."""
    return Person.of(desk.accounts.user(name))


@router.patch("/{name}", dependencies=[audited("user.change", Scope.ADMIN)], summary="Change somebody")
def change_user(name: UserName, given: Annotated[UserChange, Body()], desk: AtDesk) -> Person:
    """Give somebody another role or password; they are signed out. Somebody stays admin."""
    return Person.of(desk.accounts.change_user(name, given.role, given.password))


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[audited("user.remove", Scope.ADMIN)],
    summary="Let somebody go",
)
def remove_user(name: UserName, desk: AtDesk) -> None:
    """Remove somebody, with all of their tokens and sessions; not the last admin."""
    desk.accounts.remove_user(name)

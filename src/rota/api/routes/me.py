"""Who you are here, and your own password."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.concurrency import run_in_threadpool

from rota.api.desks import AtDesk
from rota.api.schemas.accounts import Me, PasswordChange
from rota.api.signing_in import sign_in
from rota.api.who import Known, csrf_token_of
from rota.errors import Conflict

router = APIRouter(prefix="/me", tags=["auth"])


@router.get("", summary="Who am I?")
def me(request: Request, who: Known, desk: AtDesk) -> Me:
    """Return who asks, how that is known, and what they may do."""
    user = next((user for user in desk.accounts.users() if user.name == who.name), None)
    return Me(
        name=who.name,
        how=who.how,
        role=None if user is None else user.role,
        scopes=sorted(who.scopes),
        csrf_token=csrf_token_of(request, who),
    )


@router.put("/password", status_code=HTTPStatus.NO_CONTENT, summary="Change your password")
async def change_password(request: Request, given: Annotated[PasswordChange, Body()], who: Known, desk: AtDesk) -> None:
    """Take another password; everything that is signed in with the old one is signed out. Tokens stay."""
    if who.how in ("local", "link"):
        raise Conflict("nobody can sign in yet, so there is no password to change; make a user first: POST users")
    await sign_in(request, who.name, given.old, "user.password")
    await run_in_threadpool(desk.accounts.set_password, who.name, given.new)

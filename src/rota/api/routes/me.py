"""Who you are here, and your own password."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request
from starlette.concurrency import run_in_threadpool

from rota.api.callers import caller_of
from rota.api.cookies import LINK_COOKIE, SESSION_COOKIE, cookie_of, csrf_token
from rota.api.desks import AtDesk
from rota.api.door import door_of
from rota.api.schemas.accounts import Me, PasswordChange
from rota.api.signing_in import sign_in
from rota.api.who import Known
from rota.errors import Conflict
from rota.model.access import Kind, Who

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
        csrf_token=_csrf_token(request, who),
    )


@router.put("/password", status_code=HTTPStatus.NO_CONTENT, summary="Change your password")
async def change_password(request: Request, given: Annotated[PasswordChange, Body()], who: Known, desk: AtDesk) -> None:
    """Take another password; everything that is signed in with the old one is signed out. Tokens stay."""
    if who.how in ("local", "link"):
        raise Conflict("nobody can sign in yet, so there is no password to change; make a user first: POST users")
    await sign_in(request, who.name, given.old, "user.password")
    await run_in_threadpool(desk.accounts.set_password, who.name, given.new)


def _csrf_token(request: Request, who: Who) -> str | None:
    cookie = {Kind.SESSION: SESSION_COOKIE, "link": LINK_COOKIE}.get(who.how)
    if cookie is None:
        return None
    return csrf_token(cookie_of(request, cookie, caller_of(request, door_of(request).proxies)))

"""Signing in and out: a session for a browser, tokens for a program."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from starlette.concurrency import run_in_threadpool

from rota.api.access_tokens import LASTS, new_access_token
from rota.api.callers import caller_of
from rota.api.cookies import csrf_token
from rota.api.desks import AtDesk
from rota.api.door import door_of
from rota.api.problems import NotAllowed
from rota.api.schemas.accounts import Me, Refresh, SignIn, Tokens
from rota.api.signing_in import begin_session, end_session, sign_in
from rota.api.who import Known
from rota.control.accounts import REFRESH_LASTS, Issued
from rota.control.desk import Desk
from rota.model.access import Kind, Who

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/login", summary="Sign in with a browser")
async def login(request: Request, response: Response, given: Annotated[SignIn, Body()], desk: AtDesk) -> Me:
    """Begin a session, in a cookie. The answer has the token that the session shows to change something."""
    user = await sign_in(request, given.name, given.password)
    issued = await run_in_threadpool(begin_session, request, response, user, desk.accounts)
    return Me(
        name=user.name,
        how=Kind.SESSION,
        role=user.role,
        scopes=sorted(issued.credential.scopes),
        csrf_token=csrf_token(issued.secret),
    )


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT, summary="Sign out")
def logout(request: Request, response: Response, who: Known, desk: AtDesk) -> None:
    """End the session, or all that came of the sign-in that an access token belongs to."""
    end_session(request, response, who, desk.accounts)


@router.post("/token", summary="Sign in with a program")
async def token(request: Request, given: Annotated[SignIn, Body()], desk: AtDesk) -> Tokens:
    """Return an access token, good for a quarter of an hour, and a refresh token, which gets the next one, once."""
    user = await sign_in(request, given.name, given.password, "auth.token")

    def begin() -> Tokens:
        return _tokens(request, desk.accounts.issue(user.name, Kind.REFRESH, lasts=REFRESH_LASTS), desk)

    return await run_in_threadpool(begin)


@router.post("/refresh", summary="Get the next access token")
def refresh(request: Request, given: Annotated[Refresh, Body()], desk: AtDesk) -> Tokens:
    """Trade a refresh token for the next pair. One that is shown a second time ends everything that came of it."""
    shown = desk.accounts.refresh_token(given.refresh_token)
    issued = None if shown is None else desk.accounts.exchange(shown)
    if shown is not None:  # what was made up is not written down: anybody could fill the disk with it
        address = caller_of(request, door_of(request).proxies).address
        who = Who(shown.user, frozenset(), Kind.REFRESH, address=address)
        desk.accounts.note(who, "auth.refresh", shown.user, "refused" if issued is None else "ok")
    if issued is None:
        raise NotAllowed(HTTPStatus.UNAUTHORIZED, "this refresh token is good for nothing any more; sign in again")
    return _tokens(request, issued, desk)


def _tokens(request: Request, issued: Issued, desk: Desk) -> Tokens:
    made = new_access_token(issued.credential, door_of(request).key(), desk.clock.now())
    return Tokens(access_token=made, refresh_token=issued.secret, expires_in=int(LASTS.total_seconds()))

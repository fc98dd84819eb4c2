"""Who asks: by what their request shows, or by whose process it comes from.

1. `Authorization: Bearer …`: a token. 2. A session's cookie. 3. Nothing: then the connection itself may tell.

As long as nobody can sign in, the owner of the home gets in without a password, and nobody else does: the kernel says
whose process is at the other end of a local connection (process/peers.py). A request that was passed on by a proxy comes
from the proxy's process, and not from the person's, so it is nobody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from rota.api.problems import NotAllowed
from rota.control.desk import Desks
from rota.model.access import Kind, Scope, Who

SESSION_COOKIE = "rota_session"
CSRF_HEADER = "X-CSRF-Token"
PEER = "peer_uid"
"""Where the server leaves, in the state of a connection, whose process is at the other end."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


class Owner(msgspec.Struct, frozen=True):
    """Whose home it is: who gets in as long as nobody can sign in."""

    uid: int
    name: str


async def identify(request: Request) -> Who:
    """Return who asks; raises NotAllowed when that is nobody who may."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme:
        who = await run_in_threadpool(_recognise, request, Kind.TOKEN, shown.strip())
        if scheme.lower() != "bearer" or who is None:
            raise _unknown("this token is good for nothing: it has expired, was revoked, or is no token")
        return who
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie and (who := await run_in_threadpool(_recognise, request, Kind.SESSION, cookie)):
        _check_csrf(request, cookie)
        return who
    return await run_in_threadpool(_by_connection, request)


def _recognise(request: Request, kind: Kind, secret: str) -> Who | None:
    with desks_of(request).borrow() as desk:
        return desk.accounts.recognise(kind, secret)


def _by_connection(request: Request) -> Who:
    owner: Owner = request.app.state.owner
    with desks_of(request).borrow() as desk:
        has_users = desk.accounts.has_users
    if has_users:
        raise _unknown("sign in, or show a token")
    uid = request.scope.get("state", {}).get(PEER)
    if uid is None or any(name in request.headers for name in _PASSED_ON):
        raise NotAllowed(
            HTTPStatus.FORBIDDEN,
            f"it cannot be told who you are, and nobody can sign in yet; {owner.name} makes users with: rota user add",
        )
    if uid not in (owner.uid, 0):
        raise NotAllowed(
            HTTPStatus.FORBIDDEN,
            f"this rota is {owner.name}'s, and nobody else can sign in yet; they make users with: rota user add",
        )
    return Who(owner.name, frozenset(Scope), "local")


def _check_csrf(request: Request, cookie: str) -> None:
    if request.method in _SAFE:
        return
    shown = request.headers.get(CSRF_HEADER, "")
    if not compare_digest(shown, csrf_token(cookie)):
        raise NotAllowed(HTTPStatus.FORBIDDEN, f"the request does not show the page's own token in {CSRF_HEADER}")


def csrf_token(session: str) -> str:
    """Return what a page of a session shows when it changes something; another site cannot know it."""
    return sha256(f"csrf:{session}".encode()).hexdigest()


def _unknown(why: str) -> NotAllowed:
    return NotAllowed(HTTPStatus.UNAUTHORIZED, why, {"WWW-Authenticate": 'Bearer realm="rota"'})


def desks_of(request: Request) -> Desks:
    """Return where a request borrows its desk."""
    desks: Desks = request.app.state.desks
    return desks


def needs(scope: Scope) -> Callable[[Who], Awaitable[Who]]:
    """Return a dependency that lets in who may do such things."""

    async def check(who: Annotated[Who, Depends(identify)]) -> Who:
        if not who.may(scope):
            may = ", ".join(sorted(who.scopes)) or "nothing"
            raise NotAllowed(HTTPStatus.FORBIDDEN, f"{who.name} may {may} here, and this needs {scope.value}")
        return who

    return check


Runner = Annotated[Who, Depends(needs(Scope.RUN))]
Writer = Annotated[Who, Depends(needs(Scope.WRITE))]
Admin = Annotated[Who, Depends(needs(Scope.ADMIN))]

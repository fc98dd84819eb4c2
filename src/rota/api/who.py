"""Who asks: by what their request shows, or by whose process it comes from.

1. A signature over the request. 2. `Authorization: Bearer …`: a token, or an access token. 3. A session's cookie.
4. Nothing: then the connection itself may tell. A signature or a token that is not good is refused, and nothing else is
tried then; a session that is over is as none.

As long as nobody can sign in, the owner of the home gets in without a password, and nobody else does: the kernel says
whose process is at the other end of a local connection (process/peers.py). A request that was passed on by a proxy
comes from the proxy's process, and not from the person's, so it is nobody's. Nor is root the owner: a proxy that runs
as root and adds no headers would let everybody in. Where the kernel does not say it, a link does (api/link.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from rota.api.access_tokens import looks_like_one, read_access_token
from rota.api.callers import Caller, caller_of
from rota.api.cookies import LINK_COOKIE, SAFE, SESSION_COOKIE, check_csrf, cookie_of, csrf_token
from rota.api.door import Door, desks_of, door_of
from rota.api.link import opens
from rota.api.problems import NotAllowed
from rota.api.signatures import SIGNATURE_HEADER, BadSignature, check_signature, is_signed, signed_lines
from rota.model.access import Kind, Scope, Who

LONGEST_TARGET = 200
"""So much of what a request is about is in the audit."""
_BAD_TOKEN = "this token is good for nothing: it has expired, was revoked, or is no token"  # noqa: S105 -- a sentence


async def identify(request: Request) -> Who:
    """Return who asks, and remember it with the request; raises NotAllowed when that is nobody who may."""
    known: Who | None = getattr(request.state, "who", None)
    if known is None:
        caller = caller_of(request, door_of(request).proxies)
        known = msgspec.structs.replace(await _shown(request, caller), address=caller.address)
        request.state.who = known
    return known


async def _shown(request: Request, caller: Caller) -> Who:
    if is_signed(request):
        return await _by_signature(request)
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    if scheme:
        who = await run_in_threadpool(_by_token, request, shown.strip()) if scheme.lower() == "bearer" else None
        if who is None:
            raise _unknown(_BAD_TOKEN)
        return who
    cookie = cookie_of(request, SESSION_COOKIE, caller)
    if cookie and (who := await run_in_threadpool(_by_session, request, cookie)):
        await check_csrf(request, cookie)
        return who
    who = await run_in_threadpool(_by_connection, request, caller)
    if who.how == "link":
        await check_csrf(request, cookie_of(request, LINK_COOKIE, caller))
    return who


async def _by_signature(request: Request) -> Who:
    signing = door_of(request).signing
    if signing is None:
        raise _unknown("signed requests are not accepted here: ROTA_HMAC_SECRET is not set")
    given, lines = request.headers[SIGNATURE_HEADER], await signed_lines(request)

    def check() -> Who:
        with desks_of(request).borrow() as desk:
            return check_signature(signing, given, lines, desk.accounts, desk.clock.now())

    try:
        return await run_in_threadpool(check)
    except BadSignature as bad:
        raise _unknown(str(bad)) from None


def _by_token(request: Request, shown: str) -> Who | None:
    if looks_like_one(shown):
        found = read_access_token(shown, door_of(request).key())
        if found is None:
            return None
        with desks_of(request).borrow() as desk:
            return desk.accounts.recognise_family(*found)
    with desks_of(request).borrow() as desk:
        return desk.accounts.recognise(Kind.TOKEN, shown)


def _by_session(request: Request, cookie: str) -> Who | None:
    with desks_of(request).borrow() as desk:
        return desk.accounts.recognise(Kind.SESSION, cookie)


def _by_connection(request: Request, caller: Caller) -> Who:
    door = door_of(request)
    with desks_of(request).borrow() as desk:
        has_users = desk.accounts.has_users
    if has_users:
        raise _unknown("sign in, or show a token")
    if not caller.passed_on and opens(door, cookie_of(request, LINK_COOKIE, caller)):
        return Who(door.owner.name, frozenset(Scope), "link")
    if caller.uid is None or caller.passed_on:
        raise NotAllowed(HTTPStatus.FORBIDDEN, _untold(door))
    if caller.uid != door.owner.uid:
        raise NotAllowed(
            HTTPStatus.FORBIDDEN,
            f"this rota is {door.owner.name}'s, and nobody else can sign in yet; they make users with: rota user add",
        )
    return Who(door.owner.name, frozenset(Scope), "local")


def _untold(door: Door) -> str:
    said = "it cannot be told who you are, and nobody can sign in yet"
    if door.link:
        return (
            f"{said}; {door.owner.name} opens the link in the file web.link of the home, or makes users: rota user add"
        )
    return f"{said}; {door.owner.name} makes users with: rota user add"


def _unknown(why: str) -> NotAllowed:
    return NotAllowed(HTTPStatus.UNAUTHORIZED, why, {"WWW-Authenticate": 'Bearer realm="rota"'})


def needs(scope: Scope) -> Callable[[Request, Who], Awaitable[Who]]:
    """Return a dependency that lets in who may do such things; a change that is refused is in the audit."""

    async def check(request: Request, who: Annotated[Who, Depends(identify)]) -> Who:
        if not who.may(scope):
            if request.method not in SAFE:
                await run_in_threadpool(_note_refusal, request, who)
            may = ", ".join(sorted(who.scopes)) or "nothing"
            raise NotAllowed(HTTPStatus.FORBIDDEN, f"{who.name} may {may} here, and this needs {scope.value}")
        return who

    return check


def _note_refusal(request: Request, who: Who) -> None:
    with desks_of(request).borrow() as desk:
        desk.accounts.note(who, request.method, request.url.path[:LONGEST_TARGET], "refused")


def target_of(request: Request) -> str:
    """Return what a request is about, by its path: a job's name, a run's id."""
    return " ".join(str(value) for value in request.path_params.values())[:LONGEST_TARGET]


def csrf_token_of(request: Request, who: Who) -> str | None:
    """Return what a page of theirs shows to change something; None for who is known by no cookie."""
    name = {Kind.SESSION: SESSION_COOKIE, "link": LINK_COOKIE}.get(who.how)
    if name is None:
        return None
    return csrf_token(cookie_of(request, name, caller_of(request, door_of(request).proxies)))


Known = Annotated[Who, Depends(identify)]
Reader = Annotated[Who, Depends(needs(Scope.READ))]
Runner = Annotated[Who, Depends(needs(Scope.RUN))]
Writer = Annotated[Who, Depends(needs(Scope.WRITE))]
Admin = Annotated[Who, Depends(needs(Scope.ADMIN))]

"""Signing in with a name and a password: what REST and the pages share.

A wrong name and a wrong password have the same answer after the same time. Tries are throttled by name and by address
(api/throttle.py), and few passwords are looked at at once: each takes 64 MiB and a while, on purpose.
"""

from __future__ import annotations

import math
from http import HTTPStatus

import anyio.to_thread
from fastapi import Request
from starlette.responses import Response

from rota.api.callers import caller_of, party_of
from rota.api.cookies import LINK_COOKIE, SESSION_COOKIE, cookie_of, drop_cookie, set_cookie
from rota.api.door import desks_of, door_of
from rota.api.problems import NotAllowed
from rota.api.throttle import name_key, party_key
from rota.control.accounts import SESSION_LASTS, Accounts, Issued
from rota.model.access import Kind, User, Who

_AT_ONCE = 2
_MOST_WAITING = 20
_limiter: anyio.CapacityLimiter | None = None


class TooManyTries(NotAllowed):
    """Somebody is to wait before they try again."""

    def __init__(self, seconds: float) -> None:
        rest = max(1, math.ceil(seconds))
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"too many tries to sign in; the next one in {rest} s",
            {"Retry-After": str(rest)},
        )


async def sign_in(request: Request, name: str, password: str, action: str = "auth.login") -> User:
    """Return who signs in, or raise NotAllowed; either is in the audit, but never a name that nobody has.

    People type their password where the name goes; so what is no name is not written down.
    """
    caller, throttle = caller_of(request, door_of(request).proxies), door_of(request).throttle
    keys = [name_key(name), party_key(party_of(caller.address, caller.uid))]
    if (rest := throttle.enter(keys)) > 0:
        raise TooManyTries(rest)
    limiter = _passwords()
    if limiter.statistics().tasks_waiting >= _MOST_WAITING:
        raise TooManyTries(1)

    def check() -> User | None:
        with desks_of(request).borrow() as desk:
            accounts: Accounts = desk.accounts
            found = accounts.check_password(name, password)
            known = any(user.name == name for user in accounts.users())
            who = Who(name if known else "", frozenset(), "password", address=caller.address)
            accounts.note(who, action, name if known else "", "ok" if found is not None else "refused")
            return found

    found = await anyio.to_thread.run_sync(check, limiter=limiter)
    if found is None:
        raise NotAllowed(
            HTTPStatus.UNAUTHORIZED, "the name or the password is wrong", {"WWW-Authenticate": 'Bearer realm="rota"'}
        )
    throttle.forgive(keys[0], keys[1:])
    return found


def begin_session(request: Request, response: Response, user: User, accounts: Accounts) -> Issued:
    """Give a browser a new session; the one that it may have had before is over."""
    caller = caller_of(request, door_of(request).proxies)
    before = accounts.recognise(Kind.SESSION, cookie_of(request, SESSION_COOKIE, caller))
    if before is not None:
        accounts.revoke(before.credential)
    issued = accounts.issue(user.name, Kind.SESSION, lasts=SESSION_LASTS)
    set_cookie(response, SESSION_COOKIE, issued.secret, caller)
    return issued


def end_session(request: Request, response: Response, who: Who, accounts: Accounts) -> None:
    """End a session, or all that came of the sign-in that an access token belongs to, and take its cookies away."""
    if who.how == Kind.SESSION:
        accounts.revoke(who.credential)
    elif who.how == "access":
        accounts.revoke_family(who.credential)
    accounts.note(who, "auth.logout")
    caller = caller_of(request, door_of(request).proxies)
    for cookie in (SESSION_COOKIE, LINK_COOKIE):
        drop_cookie(response, cookie, caller)


def _passwords() -> anyio.CapacityLimiter:
    """Return what bounds how many passwords are looked at at once; it belongs to the loop that it is made in."""
    global _limiter
    if _limiter is None:
        _limiter = anyio.CapacityLimiter(_AT_ONCE)
    return _limiter

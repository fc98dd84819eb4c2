"""Sessions in cookies, and what a page of a session shows to change something.

`SameSite=Lax`, not `Strict`: a link to a run in a mail or a chat must open for whoever is signed in. Nothing is changed
by a GET, and what changes something must come from a page of ours (api/gate.py) and show the session's own token.
Over https the name begins with `__Host-`: such a cookie is set by this host alone, for all of it, and never in clear.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import Request
from starlette.responses import Response

from rota.api.callers import Caller
from rota.api.problems import NotAllowed

SESSION_COOKIE = "rota_session"
LINK_COOKIE = "rota_link"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 2_000


class ForeignPage(NotAllowed):
    """What would change something comes from a page that is not of the session that the browser has now."""


def cookie_of(request: Request, name: str, caller: Caller) -> str:
    """Return a cookie of ours, or nothing."""
    return request.cookies.get(_named(name, caller), "")


def set_cookie(response: Response, name: str, value: str, caller: Caller) -> None:
    """Give a browser a cookie, until it is closed."""
    response.set_cookie(_named(name, caller), value, path="/", secure=caller.https, httponly=True, samesite="lax")


def drop_cookie(response: Response, name: str, caller: Caller) -> None:
    """Take a cookie from a browser."""
    response.delete_cookie(_named(name, caller), path="/", secure=caller.https, httponly=True, samesite="lax")


def csrf_token(cookie: str) -> str:
    """Return what a page of a session shows when it changes something; another site cannot know it."""
    return sha256(f"csrf:{cookie}".encode()).hexdigest()


async def check_csrf(request: Request, cookie: str) -> None:
    """Refuse what changes something without the token of its session, in a header or in a form's field."""
    if request.method in SAFE:
        return
    shown = request.headers.get(CSRF_HEADER) or (await read_form(request)).get(CSRF_FIELD, [""])[0]
    if not compare_digest(shown.encode(), csrf_token(cookie).encode()):
        raise ForeignPage(
            HTTPStatus.FORBIDDEN,
            f"the request does not show its session's own token, in the header {CSRF_HEADER} or the field {CSRF_FIELD}",
        )


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form, all values of each; none when the request is no form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return {}
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise NotAllowed(HTTPStatus.BAD_REQUEST, "the form has too many fields") from None


def _named(name: str, caller: Caller) -> str:
    return f"__Host-{name}" if caller.https else name

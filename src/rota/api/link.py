"""The link that lets the owner in where the system does not say whose a connection is, as on macOS.

It has a secret of this process in it, and is in a file of the home that its owner alone can read: whoever can read that
may do anything with the home as it is. The first request trades it for a cookie, and is sent on without it, so that it
stays in no address bar, history or `Referer`. The cookie holds not the secret itself, but what only it leads to.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rota.api.callers import caller_of
from rota.api.cookies import LINK_COOKIE, set_cookie
from rota.api.door import Door

_FIELD = "token"


def opens(door: Door, cookie: str) -> bool:
    """Tell whether a cookie is what the link leads to."""
    return bool(door.link) and compare_digest(cookie.encode(), _cookie(door.link).encode())


class LinkDoor:
    """Trades the link for a cookie."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send whoever comes by the link on to the page that they want; pass everything else on."""
        answer = None
        if self._door.link and scope["type"] == "http" and scope["method"] == "GET":
            answer = self._trade(Request(scope))
        await (answer or self._app)(scope, receive, send)

    def _trade(self, request: Request) -> RedirectResponse | None:
        shown = request.query_params.get(_FIELD, "")
        if not compare_digest(shown.encode(), self._door.link.encode()):
            return None
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != _FIELD]
        # A path that begins with two slashes would be another host.
        target = "/" + request.url.path.lstrip("/") + (f"?{urlencode(rest)}" if rest else "")
        answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        set_cookie(answer, LINK_COOKIE, _cookie(self._door.link), caller_of(request, self._door.proxies))
        return answer


def _cookie(link: str) -> str:
    return sha256(f"link:{link}".encode()).hexdigest()

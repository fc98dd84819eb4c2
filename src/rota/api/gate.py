"""What every request passes before anything looks at it, and every answer on its way out.

- The host that it names must be one that leads here: a page whose name was made to point to 127.0.0.1 (DNS rebinding)
  names its own. The very address that a request came to needs no leave: what is in numbers leads nowhere else.
- It must not come from another site's page, as browsers say; a link there may lead here, as long as nothing is changed.
- It is of a bounded size, and comes within a bounded time.
- Answers carry headers that keep a browser from doing more with them than is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rota.api.cookies import SAFE
from rota.api.problems import problem

MOST_BYTES = 1 << 20
_DIGITS = 12
_SECONDS_FOR_A_BODY = 30.0
_Refusal = tuple[int, str, str]
"""The status, the kind and the words of a problem."""
_TOO_SLOW: _Refusal = (HTTPStatus.REQUEST_TIMEOUT, "too-slow", "the request did not come in time")
_TOO_LARGE: _Refusal = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "too-large",
    f"a request has {MOST_BYTES:,} bytes at most",
)
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Gate:
    """Lets in what may come in."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._foreign_host(scope, headers) or _cross_site(scope, headers) or _too_large(headers)
        if refusal is None:
            body = _Body(receive, answer)
            refusal = await body.serve(self._app, scope)
        if refusal is not None:
            # what is left of the request is not read, so the connection is of no use any more
            await problem(*refusal, headers={"Connection": "close"})(scope, receive, answer)

    def _foreign_host(self, scope: Scope, headers: Headers) -> _Refusal | None:
        given = headers.get("host", "")
        name = _hostname(f"//{given}") if _is_plain(given) else ""
        if "*" in self._hosts or name.lower() in self._hosts or name == (scope.get("server") or ("",))[0]:
            return None
        return (
            HTTPStatus.MISDIRECTED_REQUEST,
            "foreign-host",
            f"this rota is not known as {name or given!r}; name it with `rota serve --allowed-host`",
        )


def _origins(scope: Scope, headers: Headers) -> set[str]:
    """Return how a browser names pages of ours; behind a proxy we may not know that it speaks https."""
    host = headers.get("host", "").lower()
    return {f"{scheme}://{host}" for scheme in {scope.get("scheme", "http"), "https"}}


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_plain(host: str) -> bool:
    return bool(host) and not set(host) & set("/\\@?# ")


def _cross_site(scope: Scope, headers: Headers) -> _Refusal | None:
    """Refuse what comes from a page of another site, as browsers say; programs say nothing.

    What changes nothing may be gone to, as by a link. To load it into a page of another site would only serve to spy:
    on how long it takes, or on whether somebody is signed in.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    same = site in (None, "same-origin", "none")
    if scope["method"] in SAFE:
        same = same or headers.get("sec-fetch-mode") == "navigate"
    elif same and origin is not None:
        same = _is_plain(headers.get("host", "")) and origin.lower() in _origins(scope, headers)
    return None if same else (HTTPStatus.FORBIDDEN, "cross-site", "this request comes from a page of another site")


def _too_large(headers: Headers) -> _Refusal | None:
    given = headers.get("content-length", "0")
    if given.isascii() and given.isdigit() and int(given[:_DIGITS]) <= MOST_BYTES and len(given) <= _DIGITS:
        return None
    return _TOO_LARGE


class _Body:
    """Reads a request's body, of a bounded size and within a bounded time.

    The application reads it through this, and may have its own answer to a body that ends too early. That answer is
    dropped: what is wrong with the body is told instead, unless an answer has begun already.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._bytes = 0
        self._over = False
        self._deadline = 0.0
        self._answering = False
        self._refusal: _Refusal | None = None

    async def serve(self, app: ASGIApp, scope: Scope) -> _Refusal | None:
        """Let the application answer; return why its request is refused, if it is."""
        try:
            await app(scope, self._read, self._answer)
        except Exception:
            if self._refusal is None or self._answering:
                raise
        return None if self._answering else self._refusal

    async def _answer(self, message: Message) -> None:
        if self._refusal is not None and not self._answering:
            return
        self._answering = True
        await self._send(message)

    async def _read(self) -> Message:
        if self._over:  # what comes now is only that the other side has gone, whenever that is
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + _SECONDS_FOR_A_BODY
        try:
            message = await asyncio.wait_for(self._receive(), self._deadline - now)
        except TimeoutError:
            return self._refuse(_TOO_SLOW)
        self._bytes += len(message.get("body", b""))
        self._over = message["type"] != "http.request" or not message.get("more_body", False)
        if self._bytes > MOST_BYTES:
            return self._refuse(_TOO_LARGE)
        return message

    def _refuse(self, why: _Refusal) -> Message:
        """Say that nothing more comes; the application cannot go on with that."""
        self._refusal, self._over = why, True
        return {"type": "http.disconnect"}

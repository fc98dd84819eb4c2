"""What every request passes before anything looks at it, and every answer on its way out.

- The host that it names must be one that leads here: a page whose name was made to point to 127.0.0.1 (DNS rebinding)
  names its own.
- What changes something must not come from another site's page: a browser says where a request comes from.
- It is of a bounded size, and comes within a bounded time.
- Answers carry headers that keep a browser from doing more with them than is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rota.api.problems import problem

MOST_BYTES = 1 << 20
_SECONDS_FOR_A_BODY = 30.0
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
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
        refusal = self._foreign_host(headers) or _cross_site(scope, headers) or _too_large(headers)
        if refusal is not None:
            await problem(*refusal)(scope, receive, answer)
            return
        body = _Body(receive)
        try:
            await self._app(scope, body.receive, answer)
        except _Refused as refused:
            if not body.answered:
                await problem(*refused.why)(scope, receive, answer)

    def _foreign_host(self, headers: Headers) -> tuple[int, str, str] | None:
        given = headers.get("host", "")
        name = (urlsplit(f"//{given}").hostname or "") if _is_plain(given) else ""
        if "*" in self._hosts or name.lower() in self._hosts:
            return None
        return (
            HTTPStatus.MISDIRECTED_REQUEST,
            "foreign-host",
            f"this rota is not known as {name or given!r}; name it with `rota serve --allowed-host`",
        )


def _is_plain(host: str) -> bool:
    return bool(host) and not set(host) & set("/\\@?# ")


def _cross_site(scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
    """Refuse what changes something and comes from a page of another site, as browsers say; programs say nothing."""
    if scope["method"] in _SAFE:
        return None
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    same = site in (None, "same-origin", "none")
    if same and origin is not None:
        same = urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return None if same else (HTTPStatus.FORBIDDEN, "cross-site", "this request comes from a page of another site")


def _too_large(headers: Headers) -> tuple[int, str, str] | None:
    given = headers.get("content-length", "0")
    if given.isdigit() and int(given) <= MOST_BYTES:
        return None
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"a request has {MOST_BYTES:,} bytes at most"


class _Refused(Exception):
    def __init__(self, *why: Any) -> None:
        self.why = why


class _Body:
    """Reads a request's body, of a bounded size and within a bounded time."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes = 0
        self._over = False
        self.answered = False

    async def receive(self) -> Message:
        if self._over:  # what comes now is only that the other side has gone, whenever that is
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), _SECONDS_FOR_A_BODY)
        except TimeoutError:
            raise _Refused(HTTPStatus.REQUEST_TIMEOUT, "too-slow", "the request did not come in time") from None
        self._bytes += len(message.get("body", b""))
        self._over = message["type"] != "http.request" or not message.get("more_body", False)
        if self._bytes > MOST_BYTES:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"a request has {MOST_BYTES:,} bytes at most"
            )
        return message

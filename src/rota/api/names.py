"""Names of jobs in paths: a name may hold a slash, and then it is percent-encoded.

Servers decode a path before it is cut at its slashes, which would cut such a name, too. So the path is cut first, and
each part is decoded by itself; in the path that routes are found by, only a slash and a percent sign stay encoded.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import Depends, Path
from starlette.types import ASGIApp, Receive, Scope, Send

from rota.model.job import MAX_NAME

_LONGEST = 3 * MAX_NAME


class Segments:
    """Lets routes see the parts of a path as they were sent, under a prefix."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        raw: bytes = scope.get("raw_path") or b""
        if scope["type"] == "http" and raw.startswith(self._prefix):
            scope = {**scope, "path": "/".join(map(_decoded, raw.decode("latin-1").split("/")))}
        await self._app(scope, receive, send)


def _decoded(part: str) -> str:
    return unquote(part).replace("%", "%25").replace("/", "%2F")


def in_path(name: str) -> str:
    """Return a name as it is written in a path."""
    return quote(name, safe="")


def from_path(part: str) -> str:
    """Return a name as it was before it was written in a path."""
    return part.replace("%2F", "/").replace("%25", "%")


def _job_name(
    name: Annotated[
        str,
        Path(description="The job's name; a slash in it is written %2F.", examples=["backup"], max_length=_LONGEST),
    ],
) -> str:
    return from_path(name)


JobName = Annotated[str, Depends(_job_name)]
RunId = Annotated[str, Path(description="The run's id.", examples=["01M6EYEXA4Q6GDMCK0R7KVXH9E"], max_length=64)]
UserName = Annotated[str, Path(description="The user's name.", examples=["ann"], max_length=_LONGEST)]
TokenId = Annotated[str, Path(description="The token's id, as the list of tokens has it.", max_length=64)]


def _host_name(
    name: Annotated[
        str, Path(description="The host's name; a slash in it is written %2F.", examples=["db-1"], max_length=_LONGEST)
    ],
) -> str:
    return from_path(name)


HostName = Annotated[str, Depends(_host_name)]

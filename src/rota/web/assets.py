"""Styles, scripts and pictures of the pages.

They are served under a digest of them all, so a browser keeps each for as long as it likes and never has one of
another version; scripts import each other by relative paths, which stay right under any digest.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

router = APIRouter()
_KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def all_assets() -> dict[str, bytes]:
    """Return every file by its name; nothing is ever looked up by what somebody sends."""
    found: dict[str, bytes] = {}
    folders: list[tuple[str, Traversable]] = [("", files("rota.web") / "static")]
    while folders:
        path, folder = folders.pop()
        for each in folder.iterdir():
            if each.is_dir():
                folders.append((f"{path}{each.name}/", each))
            elif each.name.rpartition(".")[2] in _KINDS:
                found[path + each.name] = each.read_bytes()
    return found


@cache
def digest() -> str:
    """Return what changes when any of them does."""
    whole = sha256()
    for name, content in sorted(all_assets().items()):
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()[:12]


def asset(name: str) -> str:
    """Return the path of one of them; a name that is none is a mistake in a template."""
    if name not in all_assets():
        raise LookupError(f"no asset {name!r}")
    return f"/static/{digest()}/{name}"


@router.get("/static/{version}/{name:path}")
def serve(version: str, name: str) -> Response:
    """Return a file. Of another version it is not kept: that is a page of before an upgrade, which asks once more."""
    content = all_assets().get(name)
    if content is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such file")
    lasts = _FOR_EVER if version == digest() else "no-cache"
    return Response(content, media_type=_KINDS[name.rpartition(".")[2]], headers={"Cache-Control": lasts})


@router.get("/favicon.ico")
def favicon() -> Response:
    """Return the picture that browsers ask for by this name."""
    return Response(all_assets()["rota.svg"], media_type=_KINDS["svg"], headers={"Cache-Control": "max-age=86400"})

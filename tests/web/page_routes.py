"""The routes of the pages, as the application has them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from rota.api.app import create_app
from rota.api.door import Door, Owner
from rota.web.site import create_pages

FREE = {
    "/theme": "it changes a cookie of the browser that asks, and nothing here",
    "/sign-in": "there is no session yet whose token it could show",
}
"""What may be sent without a session's token."""


def rest_app() -> FastAPI:
    return create_app(None, Door(Owner(0, "root")))  # type: ignore[arg-type]  # nobody asks it for anything


def routes(app: FastAPI) -> list[APIRoute]:
    found, left = [], list(app.routes)
    while left:
        route = left.pop()
        left += getattr(getattr(route, "original_router", None), "routes", [])
        found += [route] if isinstance(route, APIRoute) else []
    return found


def changing(app: FastAPI) -> list[APIRoute]:
    """Return the routes that change something."""
    return [route for route in routes(app) if route.methods - {"GET", "HEAD", "OPTIONS"}]


def dependencies(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for below in dependant.dependencies:
        yield from dependencies(below)


def paths_that_change() -> list[str]:
    """Return where pages send what changes something, with some name in the place of each that it may be about."""
    return sorted({re.sub(r"\{\w+(:\w+)?\}", "x", route.path) for route in changing(create_pages(rest_app()))})

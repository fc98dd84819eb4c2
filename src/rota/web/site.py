"""The web site of a rota: REST, and the pages beside it, each with its own way to say what went wrong.

Both look at the same doors and desks; which of them a request is for, its path says.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from rota.api.app import create_app
from rota.api.door import Door
from rota.api.names import Segments
from rota.api.streams import Streams
from rota.control.desk import Desks
from rota.web import assets, problem_pages
from rota.web.routes import (
    account,
    audit,
    bulk,
    dashboard,
    hosts,
    job,
    job_deeds,
    job_form,
    job_removal,
    jobs,
    people,
    run,
    runs,
    sign_in,
    taste,
)

_OF_JOBS = (jobs, bulk, job_form, job_deeds, job_removal, job)
"""In this order: `/jobs/-/…` and `/jobs/new` are no jobs."""
_OF_PEOPLE = (sign_in, account, people, audit)
_OF_REST = ("api", "docs", "openapi.json", "healthz", "readyz", "metrics")
"""How paths begin that are no pages."""


class Site:
    """Passes each request to REST or to the pages."""

    def __init__(self, desks: Desks, door: Door) -> None:
        self.rest = create_app(desks, door)
        self._pages: ASGIApp = Segments(create_pages(self.rest), prefix="/")

    @property
    def streams(self) -> Streams:
        """Return the streams that are open."""
        streams: Streams = self.rest.state.streams
        return streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        first = scope.get("path", "/").lstrip("/").partition("/")[0]
        await (self.rest if first in _OF_REST else self._pages)(scope, receive, send)


def create_pages(rest: FastAPI) -> FastAPI:
    """Return the pages; they share with REST what that one works with."""
    pages = FastAPI(title="rota's pages", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages.state = rest.state
    problem_pages.install(pages)
    for room in (assets, taste, dashboard, *_OF_JOBS, runs, run, hosts, *_OF_PEOPLE):
        pages.include_router(room.router)
    return pages

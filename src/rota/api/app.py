"""The REST API as one application."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from rota import __version__
from rota.api import documents, problems
from rota.api.door import Door
from rota.api.names import Segments
from rota.api.queries import known_words_only
from rota.api.routes import (
    audit,
    auth,
    docs,
    events,
    health,
    hosts,
    job_questions,
    jobs,
    me,
    metrics,
    output,
    overview,
    runs,
    schedules,
    tokens,
    users,
)
from rota.api.schemas.base import Problem
from rota.api.streams import Streams
from rota.control.desk import Desks

PREFIX = "/api/v1"
_ABOUT = """Jobs, runs and the ledger of one rota. Times are RFC 3339 in UTC, durations are seconds.

Everything that goes wrong is `application/problem+json`, and everything that is wrong with a request is told at once.
Lists come in pages: pass `next` on as it is. A word after the question mark that is not known is refused."""
_PROBLEM = {
    "description": "What went wrong, and what to do.",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def create_app(desks: Desks, door: Door) -> FastAPI:
    """Return the application; it works with what it can borrow from the desks."""
    app = FastAPI(
        title="rota",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.desks, app.state.door, app.state.streams = desks, door, Streams(desks)
    problems.install(app)
    for outside in (health, metrics, docs):
        app.include_router(outside.router)
    api = APIRouter(prefix=PREFIX, dependencies=[Depends(known_words_only)], responses={"default": {"model": Problem}})
    for routes in (
        overview,
        jobs,
        job_questions,
        runs,
        output,
        hosts,
        events,
        schedules,
        auth,
        me,
        users,
        tokens,
        audit,
    ):
        api.include_router(routes.router)
    app.include_router(api)
    app.add_middleware(Segments, prefix=PREFIX)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # as FastAPI's own pages on it say
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with what routes read by themselves."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = made["components"]["schemas"]
        parts |= documents.schemas()
        for operations in made["paths"].values():
            for operation in operations.values():
                answers = operation["responses"]
                if "default" in answers:
                    answers["default"] = _PROBLEM
                answers.pop("422", None)  # FastAPI's own form of it; ours is a problem like all others
        for unused in ("HTTPValidationError", "ValidationError"):
            parts.pop(unused, None)
        app.openapi_schema = made
    return app.openapi_schema

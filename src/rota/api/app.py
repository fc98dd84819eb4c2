"""The REST API as one application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from rota import __version__
from rota.api import problems
from rota.api.door import Door
from rota.api.routes import audit, auth, docs, health, jobs, me, metrics, tokens, users
from rota.control.desk import Desks

_ABOUT = """Jobs, runs and the ledger of one rota. Times are RFC 3339 in UTC, durations are seconds.

Everything that goes wrong is `application/problem+json`."""


def create_app(desks: Desks, door: Door) -> FastAPI:
    """Return the application; it works with what it can borrow from the desks."""
    app = FastAPI(
        title="rota",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.desks, app.state.door = desks, door
    problems.install(app)
    for outside in (health, metrics, docs):
        app.include_router(outside.router)
    api = APIRouter(prefix="/api/v1")
    for routes in (jobs, auth, me, users, tokens, audit):
        api.include_router(routes.router)
    app.include_router(api)
    return app

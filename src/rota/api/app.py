"""The REST API as one application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from rota import __version__
from rota.api import problems
from rota.api.routes import health, jobs
from rota.api.who import Owner
from rota.control.desk import Desks

_ABOUT = """Jobs, runs and the ledger of one rota. Times are RFC 3339 in UTC, durations are seconds.

Everything that goes wrong is `application/problem+json`."""


def create_app(desks: Desks, owner: Owner) -> FastAPI:
    """Return the application; it works with what it can borrow from the desks."""
    app = FastAPI(
        title="rota",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.desks, app.state.owner = desks, owner
    problems.install(app)
    app.include_router(health.router)
    api = APIRouter(prefix="/api/v1")
    for routes in (jobs,):
        api.include_router(routes.router)
    app.include_router(api)
    return app

"""Whether it works: for load balancers, supervisors and people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rota.api.desks import AtDesk
from rota.control.pulse import PATIENCE, undone_since

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is this process alive?")
async def healthz() -> dict[str, str]:
    """Answer: that is all that is asked."""
    return {"status": "ok"}


@router.get("/readyz", summary="Is the engine doing its work?")
def readyz(desk: AtDesk) -> JSONResponse:
    """Tell whether an engine runs and leaves nothing undone that is due; 503 when not, with the reason."""
    engine = desk.engine_pid()
    since = undone_since(desk.store)
    late = None if since is None else desk.clock.now() - since
    body: dict[str, Any] = {"engine": engine is not None, "late": 0.0}
    if engine is None:
        return JSONResponse(body | {"status": "no engine is running"}, HTTPStatus.SERVICE_UNAVAILABLE)
    if late is not None and late > PATIENCE:
        body["late"] = late.total_seconds()
        said = f"the engine has left something undone for {late.total_seconds():.0f}s"
        return JSONResponse(body | {"status": said}, HTTPStatus.SERVICE_UNAVAILABLE)
    return JSONResponse(body | {"status": "ok"})

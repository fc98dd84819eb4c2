"""Whether it works: for load balancers, supervisors and people."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rota.api.desks import AtDesk
from rota.control.desk import Desk
from rota.control.pulse import late_by

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is this process alive?")
async def healthz() -> dict[str, str]:
    """Answer: that is all that is asked."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="Is the engine doing its work?",
    responses={
        HTTPStatus.SERVICE_UNAVAILABLE: {
            "description": "It is not; `status` says why.",
            "content": {
                "application/json": {"example": {"engine": False, "late": 0.0, "status": "no engine is running"}}
            },
        }
    },
)
def readyz(desk: AtDesk) -> JSONResponse:
    """Tell whether an engine runs, was not stopped, and leaves nothing undone that is due; if not, 503 says why."""
    late = late_by(desk.store, desk.clock.now()) or timedelta(0)
    why_not = _why_not(desk, late)
    body = {"engine": desk.engine_pid() is not None, "late": late.total_seconds(), "status": why_not or "ok"}
    return JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE if why_not else HTTPStatus.OK)


def _why_not(desk: Desk, late: timedelta) -> str:
    if desk.engine_pid() is None:
        return "no engine is running"
    if desk.engine_is_stopped():
        return "the engine was stopped; `kill -CONT` with its pid lets it go on"
    return f"the engine has left something undone for {late.total_seconds():.0f}s" if late else ""

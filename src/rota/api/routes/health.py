"""Whether it works: for load balancers, supervisors and people."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rota.api.desks import AtDesk
from rota.control.duty import duty_of

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
                "application/json": {
                    "example": {
                        "engine": False,
                        "late": 0.0,
                        "status": "no engine is running on db-1; db-2 does what is due",
                        "host": "db-1",
                        "others": ["db-2"],
                        "planner": "db-2",
                    }
                }
            },
        }
    },
)
def readyz(desk: AtDesk) -> JSONResponse:
    """Tell whether this home's engine runs, was not stopped, and nothing is undone that is due; if not, 503 says why.

    Where hosts share a store it is said which of them this is, which others were seen lately, and which one plans.
    """
    duty = duty_of(desk, desk.clock.now())
    why_not = duty.why_not_here() or duty.why_late()
    body = {
        "engine": duty.engine is not None,
        "late": (duty.late or timedelta(0)).total_seconds(),
        "status": why_not or "ok",
        "host": duty.host or None,
        "others": duty.others,
        "planner": duty.planner or None,
    }
    return JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE if why_not else HTTPStatus.OK)

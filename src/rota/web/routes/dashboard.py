"""The first page: is it scheduling, what runs, what went wrong, what comes next."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from rota.control.overview import summary
from rota.web.rendering import AtPage

router = APIRouter()


@router.get("/")
def dashboard(page: AtPage) -> HTMLResponse:
    """Show how things stand."""
    desk = page.desk
    found = summary(desk.store, desk.questions, desk.clock, desk.engine_pid, desk.engine_is_stopped)
    return page.show("dashboard.html", summary=found)

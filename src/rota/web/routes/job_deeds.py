"""What is done to one job with one button: run it, pause it, resume it. It leads back to the page of the button."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from rota.api.audit import audited
from rota.api.names import JobName, in_path
from rota.model.access import Scope
from rota.web.forms import SentFields
from rota.web.rendering import AtPage

router = APIRouter()


@router.post("/jobs/{name}/run", dependencies=[audited("job.run", Scope.RUN)])
def run_job(name: JobName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Ask for a run now."""
    page.desk.verbs.trigger(name)
    waits = "" if page.duty.is_served else " as soon as an engine runs"
    return page.go(fields.way_back(f"/jobs/{in_path(name)}"), f"{name} is asked to run{waits}.")


@router.post("/jobs/{name}/pause", dependencies=[audited("job.pause", Scope.RUN)])
def pause_job(name: JobName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Make no more slots of it due."""
    changed = page.desk.verbs.pause(name)
    return page.go(
        fields.way_back(f"/jobs/{in_path(name)}"), f"{name} is paused." if changed else f"{name} was paused already."
    )


@router.post("/jobs/{name}/resume", dependencies=[audited("job.resume", Scope.RUN)])
def resume_job(name: JobName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """End a pause; it is no mistake to end one that somebody else has ended just now."""
    desk, back = page.desk, fields.way_back(f"/jobs/{in_path(name)}")
    if desk.store.jobs.get(name).paused_at is None:
        return page.go(back, f"{name} was not paused.")
    passed = desk.verbs.resume(name)
    slots = "" if not passed else f" {passed:,} of its times passed in the pause, and are not caught up."
    return page.go(back, f"{name} goes on.{slots}")

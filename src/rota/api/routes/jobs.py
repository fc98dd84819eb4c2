"""Jobs: what there is, and asking for a run."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends

from rota.api.desks import AtDesk
from rota.api.who import Runner, needs
from rota.control.views import View, job_details_view, job_view, run_view
from rota.model.access import Scope

router = APIRouter(prefix="/jobs", tags=["jobs"], dependencies=[Depends(needs(Scope.READ))])


@router.get("", summary="List jobs")
def list_jobs(desk: AtDesk) -> dict[str, Any]:
    """Return the jobs, by name."""
    return {"items": [job_view(line.stored, line.last) for line in desk.questions.jobs()]}


@router.get("/{name}", summary="Show a job")
def show_job(name: str, desk: AtDesk) -> View:
    """Return a job with everything that its author said."""
    line = desk.questions.job(name)
    return job_details_view(line.stored, line.last)


@router.post("/{name}/run", status_code=HTTPStatus.ACCEPTED, summary="Run a job now")
def run_job(name: str, who: Runner, desk: AtDesk) -> View:
    """Ask for a run, and return it."""
    run_id = desk.verbs.trigger(name)
    desk.accounts.note(who, "job.run", name)
    run = desk.store.runs.find(run_id)
    assert run is not None, "it was just made"
    return run_view(run)

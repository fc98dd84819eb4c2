"""Runs: history, cancelling, and asking for one again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from rota.api.audit import Change, audited
from rota.api.desks import AtDesk
from rota.api.names import RunId
from rota.api.queries import After, Limit, Moment, State, Tag, Text, instant
from rota.api.schemas import runs as schemas
from rota.api.schemas.jobs import Why as WhyAnswer
from rota.api.who import Reader, needs
from rota.control.discretion import without_secrets
from rota.control.host_names import host_names
from rota.control.listing import Listing
from rota.control.times import with_zone, zone_named
from rota.control.views import answer_view, run_details_view, run_view
from rota.control.why import Why
from rota.model.access import Scope
from rota.model.settlement import RunFilter

router = APIRouter(prefix="/runs", tags=["runs"], dependencies=[Depends(needs(Scope.READ))])


@router.get("", summary="List runs")
def list_runs(
    desk: AtDesk,
    job: Annotated[str | None, Query(max_length=200, description="Of this job.")] = None,
    state: State = "",
    tag: Tag = "",
    text: Text = "",
    host: Annotated[str, Query(max_length=200, description="Of this host, by its name.")] = "",
    since: Moment = None,
    until: Moment = None,
    limit: Limit = 100,
    before: After = None,
) -> schemas.RunPage:
    """Return runs, newest first; `since` and `until` are about when they were made."""
    now = desk.clock.now()
    wanted = RunFilter(
        state=state, since=instant("since", since, now), until=instant("until", until, now), text=text, tag=tag
    )
    page = Listing(desk.store, desk.questions).runs(wanted, before, limit, job, host)
    names = host_names(desk.store)
    items: Any = [run_view(run, names) for run in page.items]
    return schemas.RunPage(items=items, next=page.next)


@router.get("/{run_id}", summary="Show a run")
def show_run(run_id: RunId, desk: AtDesk, who: Reader) -> schemas.RunDetails:
    """Return a run with all its attempts; secrets among its parameters are hidden as those of a job are."""
    run = desk.questions.run(run_id)
    view = run_details_view(run, desk.store.runs.attempts(run.id), host_names(desk.store))
    if not who.may(Scope.WRITE):
        view["params"] = without_secrets(run.params)
    return schemas.RunDetails(**view)


@router.get("/{run_id}/why", summary="The story of a run")
def why(run_id: RunId, desk: AtDesk) -> WhyAnswer:
    """Say who asked for it, how each attempt went, and why it ended so."""
    run = desk.questions.run(run_id)
    zone = zone_named(desk.store.jobs.definition(run.definition_id).timezone)
    asks = Why(desk.store, desk.clock, lambda when: with_zone(when, zone), desk.engine_pid)
    return WhyAnswer(**answer_view(asks.run(run), host_names(desk.store)))


@router.post("/{run_id}/cancel", status_code=HTTPStatus.ACCEPTED, summary="Cancel a run")
def cancel_run(run_id: RunId, desk: AtDesk, change: Annotated[Change, audited("run.cancel", Scope.RUN)]) -> schemas.Run:
    """End a run: at once if it waits, else by its engine, with all that it has started. One that has ended is 409."""
    run = desk.questions.run(run_id)
    desk.verbs.cancel(run.id, f"cancelled by {change.who.name}")
    return schemas.Run(**run_view(desk.questions.run(run.id), host_names(desk.store)))


@router.post(
    "/{run_id}/retry",
    status_code=HTTPStatus.ACCEPTED,
    summary="Run it again",
    dependencies=[audited("run.retry", Scope.RUN)],
)
def retry_run(run_id: RunId, desk: AtDesk, response: Response) -> schemas.Run:
    """Ask for an ended run once more, with its parameters, and return the new run."""
    made = desk.verbs.retry(desk.questions.run(run_id).id)
    response.headers["Location"] = f"/api/v1/runs/{made}"
    return schemas.Run(**run_view(desk.questions.run(made), host_names(desk.store)))

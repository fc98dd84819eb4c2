"""Facts, as they are written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from rota.api.door import desks_of
from rota.api.schemas.runs import Events
from rota.api.streams import MEDIA_TYPE, streams_of
from rota.api.who import Known, needs
from rota.control.views import event_view
from rota.model.access import Scope

router = APIRouter(tags=["events"], dependencies=[Depends(needs(Scope.READ))])
_LARGEST = 1 << 62
_Job = Annotated[str | None, Query(max_length=200, description="Only what is about this job.")]


@router.get(
    "/events",
    summary="Facts, live",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    who: Known,
    job: _Job = None,
    last_event_id: Annotated[
        int | None, Header(alias="Last-Event-ID", ge=0, le=_LARGEST, description="Go on after this one [from now on].")
    ] = None,
) -> Response:
    """Send facts as server-sent events, in order; the id of each is its number.

    A reader that is thousands behind is told so with `missed`, which says after which number and up to which it missed
    some, and goes on behind that. `events/past` has them, as long as they are kept.
    """
    if job is not None:
        await run_in_threadpool(_check_job, request, job)
    return streams_of(request).events(last_event_id, job, who)


@router.get("/events/past", summary="Facts, from a number on")
def past_events(
    request: Request,
    after: Annotated[int, Query(ge=0, le=_LARGEST, description="After this one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many are looked at, at most.")] = 100,
    job: _Job = None,
) -> Events:
    """Return facts in order, to catch up with."""
    with desks_of(request).borrow() as desk:
        found = desk.store.ledger.events(after, limit)
    items: list[Any] = [event_view(event) for event in found if job in (None, event.job)]
    return Events(items=items, last=found[-1].seq if found else after)


def _check_job(request: Request, name: str) -> None:
    with desks_of(request).borrow() as desk:
        desk.questions.job(name)

"""What there is to ask about one job: its slots, its figures, its ledger, and why."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.names import JobName
from rota.api.queries import After, Limit, Moment, instant
from rota.api.schemas import jobs as schemas
from rota.api.who import needs
from rota.control.figures import Statistics
from rota.control.host_names import host_names
from rota.control.listing import Listing
from rota.control.times import with_zone, zone_named
from rota.control.views import answer_view, figures_view, instant_view, run_view, skip_view
from rota.control.why import Why, is_exact
from rota.model.access import Scope
from rota.model.run import Run

router = APIRouter(prefix="/jobs/{name}", tags=["jobs"], dependencies=[Depends(needs(Scope.READ))])


@router.get("/next", summary="Coming slots of a job")
def next_slots(
    name: JobName, desk: AtDesk, n: Annotated[int, Query(ge=1, le=1_000, description="How many.")] = 10
) -> schemas.Slots:
    """Return the next slots; those of a paused or disabled job do not come."""
    coming = desk.questions.coming(name, desk.clock.now(), n)
    return schemas.Slots(items=[schemas.Slot(job=slot.job, slot=str(instant_view(slot.at))) for slot in coming])


@router.get("/stats", summary="Figures of a job, and advice")
def job_stats(name: JobName, desk: AtDesk) -> schemas.Figures:
    """Count every run there ever was, and measure the newest hundred."""
    return schemas.Figures(**figures_view(Statistics(desk.store, desk.clock).of(name)))


@router.get("/why", summary="Why did it run, or not?")
def why(name: JobName, desk: AtDesk, at: Moment = None) -> schemas.Why:
    """Say why a job will, or will not, run next; with `at`, what became of that slot.

    A time to the minute means all of that minute, and a time of day alone is the last one, on the job's wall clock.
    """
    stored = desk.store.jobs.get(name)
    zone = zone_named(stored.job.timezone)
    asks = Why(desk.store, desk.clock, lambda when: with_zone(when, zone), desk.engine_pid)
    when = instant("at", at, desk.clock.now(), stored.job.timezone)
    answer = asks.job(stored) if at is None or when is None else asks.slot(stored, when, exact=is_exact(at))
    return schemas.Why(**answer_view(answer, host_names(desk.store)))


@router.get("/ledger", summary="What became of a job's slots")
def ledger(name: JobName, desk: AtDesk, limit: Limit = 100, after: After = None) -> schemas.LedgerPage:
    """Return runs and skips together, newest first: every slot is in one of them."""
    page = Listing(desk.store, desk.questions).ledger(name, after, limit)
    names = host_names(desk.store)
    items: list[Any] = [
        {"kind": "run", "run": run_view(each, names)}
        if isinstance(each, Run)
        else {"kind": "skip", "skip": skip_view(each)}
        for each in page.items
    ]
    return schemas.LedgerPage(items=items, next=page.next)

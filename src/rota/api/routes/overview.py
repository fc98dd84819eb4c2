"""How things stand, and when they happen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.queries import Moment, ahead, instant, read
from rota.api.schemas import overview as schemas
from rota.api.schemas.jobs import Slot
from rota.api.who import needs
from rota.control import overview
from rota.control.desk import Desk
from rota.control.duty import duty_of
from rota.control.host_names import host_names
from rota.control.questions import Slot as Coming
from rota.control.timeline import timeline
from rota.control.views import instant_view, run_view, seconds_view, skip_view
from rota.model.access import Scope
from rota.model.run import Run
from rota.schedule.zones import local_zone_name
from rota.schedule.zones import zone as find_zone

router = APIRouter(tags=["overview"], dependencies=[Depends(needs(Scope.READ))])
_BACK, _AHEAD = timedelta(hours=6), timedelta(hours=6)


@router.get("/summary", summary="How things stand")
def show_summary(desk: AtDesk) -> schemas.Summary:
    """Tell on one screen: is it scheduling, what runs, what went wrong in the last 24 hours, and what comes next."""
    found = overview.summary(desk.store, desk.questions, desk.clock, duty_of(desk, desk.clock.now()))
    duty = found.duty
    late = timedelta(0) if duty.late is None else duty.late
    skips: list[Any] = [skip_view(record) for record in found.skips]
    return schemas.Summary(
        now=str(instant_view(found.now)),
        sentence=overview.standing(found),
        engine=schemas.Engine(
            running=duty.engine is not None,
            scheduling=duty.is_scheduling,
            late=late.total_seconds(),
            host=duty.host or None,
            others=list(duty.others),
            planner=duty.planner or None,
        ),
        jobs=schemas.Jobs(total=found.jobs.jobs, paused=found.jobs.paused, disabled=found.jobs.disabled),
        active={state.value: count for state, count in found.active.items()},
        running=_runs(desk, found.running),
        overdue=found.overdue,
        held_up=_runs(desk, found.held_up),
        lately=found.lately,
        missed=found.missed,
        trouble=_runs(desk, found.trouble),
        skips=skips,
        next=None if found.next is None else _slot(found.next),
        coming=[
            schemas.NextSlots(job=each.job, slots=[str(instant_view(at)) for at in each.slots]) for each in found.coming
        ],
    )


@router.get("/timeline", summary="What ran, and what is coming")
def show_timeline(
    desk: AtDesk,
    since: Moment = None,
    until: Moment = None,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many runs, and how many slots.")] = 500,
) -> schemas.Timeline:
    """Return past runs and coming slots of a span [six hours back to six hours ahead]."""
    now = desk.clock.now()
    begin, end = instant("since", since, now) or now - _BACK, ahead("until", until, now) or now + _AHEAD
    found = timeline(desk.store, desk.questions, now, begin, end, limit)
    return schemas.Timeline(
        since=str(instant_view(found.since)),
        until=str(instant_view(found.until)),
        now=str(instant_view(found.now)),
        runs=_runs(desk, found.runs),
        slots=[_slot(slot) for slot in found.slots],
        more_runs=found.more_runs,
        older_trouble=_runs(desk, found.older_trouble),
        more_slots=found.more_slots,
    )


@router.get("/load", summary="When the machine is busy")
def show_load(
    desk: AtDesk,
    weeks: Annotated[int, Query(ge=1, le=52, description="Of how many weeks.")] = 4,
    timezone: Annotated[str | None, Query(max_length=100, description="On this wall clock [the machine's].")] = None,
) -> schemas.Load:
    """Return how much ran in each hour of the week."""
    name = timezone or local_zone_name()
    zone = read("timezone", name, lambda: find_zone(name))
    week = overview.week(desk.store, desk.clock.now(), zone, weeks)
    days = [
        [schemas.Hour(runs=hour.runs, failed=hour.failed, busy=seconds_view(hour.busy) or 0.0) for hour in day]
        for day in week
    ]
    return schemas.Load(timezone=name, weeks=weeks, days=days)


def _runs(desk: Desk, runs: Sequence[Run]) -> list[Any]:
    names = host_names(desk.store) if runs else {}
    return [run_view(run, names) for run in runs]


def _slot(slot: Coming) -> Slot:
    return Slot(job=slot.job, slot=str(instant_view(slot.at)))

"""The list of jobs: what there is, what it does now, when it is due, how it went."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from rota.control.desk import Desk
from rota.control.listing import Listing
from rota.control.questions import JobLine
from rota.control.words import Said, doing, last_of, next_of, schedule_of
from rota.model import origin
from rota.model.job import BY_HAND
from rota.model.settlement import RunFilter
from rota.web.drawing.spark import MOST, Spark, spark
from rota.web.job_filters import IS, STATES, AskedFilters
from rota.web.rendering import AtPage

router = APIRouter()
A_PAGE = 50


class Row(msgspec.Struct, frozen=True):
    """A job in the list."""

    name: str
    description: str
    schedule: str
    doing: Said
    due: datetime | None
    """When it is due next, if that can be told."""
    instead: str
    """What is said if it cannot."""
    overdue: bool
    last: Said
    last_id: str
    spark: Spark | None
    tags: tuple[str, ...]
    origin: str
    """Where it comes from, if not from somebody's hand."""
    origin_shown: str
    is_paused: bool


@router.get("/jobs")
def jobs(page: AtPage, filters: AskedFilters, after: Annotated[str, Query(max_length=2_000)] = "") -> HTMLResponse:
    """Show a page of jobs, by name."""
    desk = page.desk
    found = Listing(desk.store, desk.questions).jobs(filters.wanted(), after or None, A_PAGE)
    return page.show(
        "jobs.html",
        rows=[_row(desk, line, page.now) for line in found.items],
        next=found.next,
        after=after,
        filters=filters,
        states=STATES,
        statuses=IS,
        has_jobs=bool(found.items) or bool(desk.store.jobs.count()),
    )


def _row(desk: Desk, line: JobLine, now: datetime) -> Row:
    stored = line.stored
    due = next_of(line)
    by_hand = stored.origin == BY_HAND
    return Row(
        name=line.name,
        description=stored.job.description,
        schedule=schedule_of(line),
        doing=doing(line),
        due=due if isinstance(due, datetime) else None,
        instead=due.text if isinstance(due, Said) else "",
        overdue=isinstance(due, datetime) and due <= now,
        last=last_of(line.last, now),
        last_id=line.last.id if line.last is not None else "",
        spark=spark(desk.store.runs.page(RunFilter(stored.id), None, MOST)),
        tags=stored.job.tags,
        origin="" if by_hand else stored.origin,
        origin_shown="" if by_hand else origin.shown(stored.origin),
        is_paused=line.is_paused,
    )

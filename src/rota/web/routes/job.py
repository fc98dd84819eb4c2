"""A job: what it is and does, how it went, what comes next, and why."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from rota.api.audit import Change, audited
from rota.api.names import JobName
from rota.control.discretion import discreet
from rota.control.figures import Statistics
from rota.control.listing import Listing
from rota.control.questions import JobLine
from rota.control.times import past, with_zone, zone_named
from rota.control.why import Answer, Why, is_exact
from rota.control.words import doing, schedule_of
from rota.errors import BadJob, BadSchedule, NoSuchJob, kind_of
from rota.model.access import Scope
from rota.model.job import BY_HAND
from rota.model.settlement import RunFilter
from rota.web.copying import job_curl, job_yaml
from rota.web.definition import facts_of, origin_of, slots_of
from rota.web.drawing.durations import draw
from rota.web.forms import SentFields
from rota.web.rendering import AtPage, Page

router = APIRouter()
_PLOTTED, _ENTRIES = 100, 25


class _Question(msgspec.Struct, frozen=True):
    """What somebody asked about a job's times, and what there is to say."""

    text: str
    answer: Answer | None
    fault: str = ""


class _Asking(msgspec.Struct, frozen=True):
    """The parameters that somebody wants a run with, if they could not be understood."""

    text: str = ""
    fault: str = ""


@router.get("/jobs/{name}")
def show_job(
    name: JobName,
    page: AtPage,
    why: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[str | None, Query(max_length=2_000)] = None,
) -> HTMLResponse:
    """Show a job; one that was removed as well, for its history stays."""
    return _shown(page, _line(page, name), why.strip(), after)


@router.post("/jobs/{name}/run-with")
def run_with(
    name: JobName, page: AtPage, fields: SentFields, change: Annotated[Change, audited("job.run", Scope.RUN)]
) -> Response:
    """Ask for a run with parameters, and go on to it; what cannot be understood is said beside the field."""
    text = fields.text("params")
    try:
        run_id = page.desk.verbs.trigger(name, _params(text))
    except BadJob as error:
        change.also(name, kind_of(error))
        return _shown(page, _line(page, name), asking=_Asking(text, str(error)))
    return page.go(f"/runs/{run_id}", "Asked to run. What it writes appears below.")


def _line(page: Page, name: str) -> JobLine:
    stored = page.desk.store.jobs.find(name)
    if stored is None:
        raise NoSuchJob(name, page.desk.store.jobs.names())
    return page.desk.questions.lines([stored])[0]


def _shown(
    page: Page, line: JobLine, why: str = "", after: str | None = None, asking: _Asking | None = None
) -> HTMLResponse:
    desk = page.desk
    stored = line.stored if page.who.may(Scope.WRITE) else discreet(line.stored)
    listing = Listing(desk.store, desk.questions)
    is_there = stored.removed_at is None
    return page.show(
        "job.html",
        status=HTTPStatus.OK if asking is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        line=line,
        is_there=is_there,
        is_by_hand=stored.origin == BY_HAND,
        does=doing(line),
        schedule=schedule_of(line),
        slots=slots_of(desk.questions, stored, page.now, page.zone) if is_there else [],
        its_zone=stored.job.timezone,
        figures=Statistics(desk.store, desk.clock).of_job(stored),
        durations=draw(listing.runs(RunFilter(), None, _PLOTTED, line.name).items),
        ledger=listing.ledger(line.name, after, _ENTRIES),
        is_first=after is None,
        question=_question(page, line, why),
        asking=asking or _Asking(),
        facts=facts_of(stored),
        origin=origin_of(stored),
        yaml=job_yaml(stored.job),
        curl=job_curl(stored.job, str(page.request.base_url)),
    )


def _question(page: Page, line: JobLine, text: str) -> _Question:
    """Answer what became of a time, as the job's clock has it; without one, what the job will do next."""
    desk, stored = page.desk, line.stored
    zone = zone_named(stored.job.timezone)
    asks = Why(desk.store, desk.clock, lambda when: with_zone(when, zone), desk.engine_pid)
    if not text:
        return _Question("", asks.job(stored))
    try:
        at = past(text, page.now, stored.job.timezone)
    except BadSchedule as error:
        return _Question(text, None, "; ".join(filter(None, (error.problem, error.hint))))
    return _Question(text, asks.slot(stored, at, exact=is_exact(text)))


def _params(text: str) -> dict[str, str]:
    """Read parameters, one a line."""
    params: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, sign, value = line.partition("=")
        if not sign:
            raise BadJob(f"{line[:80]!r} is no parameter; write NAME=VALUE, one a line")
        if name.strip() in params:
            raise BadJob(f"{name.strip()!r} is given twice; leave one out")
        params[name.strip()] = value.strip()
    return params

"""The first page: is it scheduling, what runs, what went wrong, what is late, what comes next, and when it is busy."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from rota.api.names import in_path
from rota.api.queries import ahead
from rota.control.host_names import HostNames, called, host_names
from rota.control.hosts import waits_for_host
from rota.control.overview import Summary, standing, summary, usual_lengths, week
from rota.control.timeline import timeline
from rota.control.times import brief, exact
from rota.control.words import ending_of
from rota.model.ledger import SkipRecord
from rota.model.run import Run, State
from rota.web.drawing.heat import heat
from rota.web.drawing.timeline import APART, LANES, Picture, draw, lanes_of
from rota.web.drawing.window import USUAL, Window, span_text, window
from rota.web.rendering import AtPage, Page, as_sentence

router = APIRouter()
_MOST_RUNS = 600
_MOST_SLOTS = 100
_WEEKS = 4


class Figure(msgspec.Struct, frozen=True):
    """A number, and where those that it counts are listed."""

    name: str
    number: int
    href: str
    tone: str = ""


class Going(msgspec.Struct, frozen=True):
    """A run that goes on, and how long its job usually takes."""

    run: Run
    usually: str
    host: str
    """Where it runs, if there are several hosts."""


class Held(msgspec.Struct, frozen=True):
    """Slots that did not run."""

    record: SkipRecord
    words: str
    why: str
    """Where it is told why."""


@router.get("/")
def dashboard(
    page: AtPage,
    span: Annotated[str, Query(max_length=20)] = USUAL,
    at: Annotated[str | None, Query(max_length=100)] = None,
) -> HTMLResponse:
    """Show how things stand."""
    desk = page.desk
    found = summary(desk.store, desk.questions, desk.clock, page.duty)
    seen = window(span, ahead("at", at, page.now), page.now)
    usual = usual_lengths(desk.store, found.running)
    names = host_names(desk.store)
    return page.show(
        "dashboard.html",
        standing=standing(found),
        summary=found,
        figures=_figures(found),
        running=[_going(run, usual.get(run.job_id), names) for run in found.running],
        waiting=found.active.get(State.WAITING, 0),
        waits_for={run.id: _waits_for(page, run) for run in found.held_up},
        skips=[_held(record) for record in found.skips],
        ending_of=ending_of,
        window=seen,
        span=span_text(seen, page.zone),
        picture=_picture(page, seen),
        heat=heat(week(desk.store, page.now, page.zone, _WEEKS), page.now, page.zone, _WEEKS),
        weeks=_WEEKS,
    )


def _picture(page: Page, seen: Window) -> Picture:
    """Draw what there is room for: lanes are chosen first, and only the slots of these are counted out."""
    desk, now = page.desk, page.now
    found = timeline(desk.store, desk.questions, now, seen.since, seen.until, _MOST_RUNS, _MOST_SLOTS)
    names = lanes_of(found, LANES)
    begin, apart = max(now, seen.since), seen.length * APART / 100
    coming = {name: desk.questions.coming_of(name, begin, seen.until, apart) for name in names}
    return draw(found, names, coming, page.zone)


def _figures(found: Summary) -> list[Figure]:
    lately = {"since": exact(found.since)}
    active = found.active
    return [
        Figure("jobs", found.jobs.jobs, "/jobs"),
        Figure("paused", found.jobs.paused, "/jobs?status=paused", "paused"),
        Figure("running", active.get(State.RUNNING, 0), "/runs?state=running", "running"),
        Figure("queued", active.get(State.QUEUED, 0), "/runs?state=queued", "queued"),
        Figure("overdue", found.overdue, "#late", "late"),
        Figure("succeeded, 24 h", found.succeeded, _runs("succeeded", lately)),
        Figure("failed, 24 h", found.failed, _runs("trouble", lately), "failed"),
        Figure("missed, 24 h", found.missed, "#late", "late"),
    ]


def _runs(state: str, more: dict[str, str]) -> str:
    return f"/runs?{urlencode({'state': state} | more)}"


def _going(run: Run, usual: float | None, names: HostNames) -> Going:
    host = called(run.host, names) or "" if len(names) > 1 else ""
    return Going(run, "" if usual is None else brief(timedelta(seconds=usual)), host)


def _waits_for(page: Page, run: Run) -> str:
    """Say what a run waits for: its host, if none that it may run on is there, or a place."""
    why = run.reason or waits_for_host(page.desk.store, page.desk.clock, run)
    return as_sentence(why) if why else "It waits for a place."


def _held(record: SkipRecord) -> Held:
    skip = record.skip
    slots = "a slot was skipped" if skip.count == 1 else f"{skip.count:,} slots were skipped"
    why = f"/jobs/{in_path(record.job)}?{urlencode({'why': exact(skip.last_slot)})}#why"
    return Held(record, f"{slots}: {skip.reason}", why)

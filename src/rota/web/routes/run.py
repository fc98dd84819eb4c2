"""A run: how it went, attempt by attempt, what it wrote, and why; cancelling it, and asking for it once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from rota.api.audit import Change, audited
from rota.api.names import RunId
from rota.control.discretion import without_secrets
from rota.control.output import attempt_of
from rota.control.times import with_zone, zone_named
from rota.control.why import Why
from rota.control.words import asked_by, exit_of, promptness_of, reason_beside_exit
from rota.model.access import Scope
from rota.model.run import ACTIVE, Run, State
from rota.web.forms import Fields, SentFields, path_on_this_site
from rota.web.output import Asked, AskedOutput, output_of, written
from rota.web.rendering import AtPage, Page, render

router = APIRouter()
_MOST_ATTEMPTS, _MOST_SENTENCES, _RETRIES = 50, 60, 10
_LONGEST_RESULT = 20_000
_LARGEST = 1 << 53


class Try(msgspec.Struct, frozen=True):
    """An attempt, ready for a page."""

    number: int
    state: State
    started_at: datetime | None
    ended_at: datetime | None
    exit: str
    reason: str
    path: str
    is_shown: bool

    @property
    def took(self) -> timedelta | None:
        """Return how long it ran, once it has ended."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at


@router.get("/runs/{run_id}")
def show_run(run_id: RunId, page: AtPage, asked: AskedOutput) -> HTMLResponse:
    """Show a run and what it wrote."""
    desk = page.desk
    run = desk.questions.run(run_id)
    output = output_of(desk, run, asked, page.now)
    stored = desk.store.jobs.by_id(run.job_id)
    job = desk.store.jobs.definition(run.definition_id)
    zone = zone_named(job.timezone)
    story = Why(desk.store, desk.clock, lambda when: with_zone(when, zone), desk.engine_pid).run(run).sentences
    return page.show(
        "run.html",
        run=run,
        params=run.params if page.who.may(Scope.WRITE) else without_secrets(run.params),
        job=stored,
        is_active=run.state in ACTIVE,
        kill_after=job.policy.kill_after,
        asked_by=asked_by(run),
        exit="" if run.exit_code is None else exit_of(run.exit_code),
        reason=reason_beside_exit(run),
        late=promptness_of(run),
        result=_readable(run.result),
        tries=_tries(page, run, asked, output.attempt),
        retries=desk.store.runs.retries_of(run.id, _RETRIES),
        story=story if len(story) <= _MOST_SENTENCES else ["…", *story[-_MOST_SENTENCES:]],
        output=output,
    )


@router.get("/runs/{run_id}/lines")
def show_lines(
    run_id: RunId,
    page: AtPage,
    asked: AskedOutput,
    stream: Annotated[str, Query(pattern="^(stdout|stderr)$")],
    number: Annotated[int | None, Query(ge=1, le=_LARGEST)] = None,
) -> HTMLResponse:
    """Return what a stream has from a byte on, or its end, for a page that shows what was before: its script asks."""
    run = page.desk.questions.run(run_id)
    kept = written(page.desk, run, attempt_of(run, asked.attempt), stream)
    begin = asked.start
    lines = kept.last_page(asked.find) if begin is None else kept.page(begin, asked.find, number=number)
    return HTMLResponse(
        render("lines.html", page.request, tastes=page.tastes, now=page.now, stream=stream, lines=lines)
    )


@router.post("/runs/{run_id}/cancel")
def cancel_run(
    run_id: RunId, page: AtPage, fields: SentFields, change: Annotated[Change, audited("run.cancel", Scope.RUN)]
) -> RedirectResponse:
    """End a run, with all that it has started."""
    run = page.desk.questions.run(run_id)
    page.desk.verbs.cancel(run.id, f"cancelled by {change.who.name}")
    after = page.desk.questions.run(run.id)
    text = "It is being ended, with all that it has started." if after.state in ACTIVE else "It is cancelled."
    return page.go(_back(fields, run.id), text)


@router.post("/runs/{run_id}/retry", dependencies=[audited("run.retry", Scope.RUN)])
def retry_run(run_id: RunId, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Ask for an ended run once more, with its parameters, and go on to the new one."""
    run = page.desk.questions.run(run_id)
    made = page.desk.verbs.retry(run.id)
    return page.go(_back(fields, made), "Asked to run once more; this is the new run.")


def _back(fields: Fields, run_id: str) -> str:
    """Return the page that the button was on; a run's own, if it does not say."""
    return path_on_this_site(fields.text("next")) if fields.has("next") else f"/runs/{run_id}"


def _tries(page: Page, run: Run, asked: Asked, shown: int) -> Sequence[Try]:
    """Return the attempts: those that others followed, and after them the present one."""
    tries = [
        _try(asked, shown, each.attempt, each.state, (each.started_at, each.ended_at), each.exit_code, each.reason)
        for each in page.desk.store.runs.attempts(run.id)
    ]
    if run.attempt > len(tries):
        span = (run.started_at, run.ended_at)
        tries.append(_try(asked, shown, run.attempt, run.state, span, run.exit_code, run.reason))
    return tries[-_MOST_ATTEMPTS:]


def _try(
    asked: Asked,
    shown: int,
    number: int,
    state: State,
    span: tuple[datetime | None, datetime | None],
    code: int | None,
    reason: str,
) -> Try:
    path = Asked(asked.run, number, asked.view).path()
    return Try(number, state, *span, "" if code is None else exit_of(code), reason, path, number == shown)


def _readable(result: str | None) -> str | None:
    """Return what a function returned, as JSON in lines."""
    if result is None or len(result) > _LONGEST_RESULT:
        return None if result is None else f"{result[:_LONGEST_RESULT]}… ({len(result):,} characters in all)"
    return msgspec.json.format(result, indent=2)

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
from rota.control.host_names import HostNames, called, host_names
from rota.control.output import attempt_of
from rota.control.times import with_zone
from rota.control.why import Why
from rota.control.words import asked_by, exit_of, promptness_of, reason_beside_exit
from rota.model.access import Scope
from rota.model.run import ACTIVE, Attempt, Run, State
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
    host: str
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
    story = Why(desk.store, desk.clock, lambda when: with_zone(when, page.zone), desk.engine_pid).run(run).sentences
    names = host_names(desk.store)
    return page.show(
        "run.html",
        run=run,
        hosts=names,
        params=run.params if page.who.may(Scope.WRITE) else without_secrets(run.params),
        job=stored,
        is_active=run.state in ACTIVE,
        kill_after=job.policy.kill_after,
        asked_by=asked_by(run),
        exit="" if run.exit_code is None else exit_of(run.exit_code),
        reason=reason_beside_exit(run),
        late=promptness_of(run),
        result=_readable(run.result),
        tries=_tries(page, run, asked, output.attempt, names),
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
    run_id: RunId, page: AtPage, change: Annotated[Change, audited("run.cancel", Scope.RUN)]
) -> RedirectResponse:
    """End a run, with all that it has started."""
    run = page.desk.questions.run(run_id)
    page.desk.verbs.cancel(run.id, f"cancelled by {change.who.name}")
    after = page.desk.questions.run(run.id)
    text = "It is being ended, with all that it has started." if after.state in ACTIVE else "It is cancelled."
    return page.go(f"/runs/{run.id}", text)


@router.post("/runs/{run_id}/retry", dependencies=[audited("run.retry", Scope.RUN)])
def retry_run(run_id: RunId, page: AtPage) -> RedirectResponse:
    """Ask for an ended run once more, with its parameters, and go on to the new one."""
    run = page.desk.questions.run(run_id)
    made = page.desk.verbs.retry(run.id)
    return page.go(f"/runs/{made}", "It is asked to run once more: this is the new run.")


def _tries(page: Page, run: Run, asked: Asked, shown: int, names: HostNames) -> Sequence[Try]:
    """Return the attempts: those that others followed, and after them the present one."""
    tries = [
        Try(
            number=each.attempt,
            state=each.state,
            host=called(each.host, names) or "",
            started_at=each.started_at,
            ended_at=each.ended_at,
            exit="" if each.exit_code is None else exit_of(each.exit_code),
            reason=each.reason,
            path=Asked(asked.run, each.attempt, asked.view).path(),
            is_shown=each.attempt == shown,
        )
        for each in _attempts(page, run)
    ]
    return tries[-_MOST_ATTEMPTS:]


def _attempts(page: Page, run: Run) -> Sequence[Attempt | Run]:
    """Return the records of attempts, and the run itself for the present one."""
    earlier: list[Attempt | Run] = list(page.desk.store.runs.attempts(run.id))
    return [*earlier, run] if run.attempt > len(earlier) else earlier


def _readable(result: str | None) -> str | None:
    """Return what a function returned, as JSON in lines."""
    if result is None or len(result) > _LONGEST_RESULT:
        return None if result is None else f"{result[:_LONGEST_RESULT]}… ({len(result):,} characters in all)"
    return msgspec.json.format(result, indent=2)

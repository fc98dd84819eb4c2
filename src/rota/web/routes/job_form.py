"""Making and changing a job: a guided form, or the whole of it as text, with what it means while it is written.

Nothing is saved over what somebody else has saved meanwhile: then a page shows the difference, and lets them decide.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from rota.api.audit import Change, audited
from rota.api.names import JobName, in_path
from rota.api.who import needs
from rota.config.given import document_text, job_document
from rota.control.applying import Edit
from rota.control.changes import words_changed
from rota.control.editing import Applied
from rota.control.ownership import check_by_hand
from rota.control.times import relative
from rota.errors import BadJob, BadSchedule, JobExists, NotByHand, Outdated, kind_of
from rota.model.access import Scope
from rota.model.job import MAX_NAME, Job
from rota.schedule.zones import zone_names
from rota.web.foretelling import foretell
from rota.web.forms import SentFields, revision_of
from rota.web.guided import Document, Guided, guided_from
from rota.web.guided_places import where_told
from rota.web.guided_times import WEEKDAYS
from rota.web.job_drafts import (
    GUIDED,
    TEXT,
    Draft,
    Reading,
    draft_of,
    guided_again,
    read_draft,
    read_schedule,
    read_where,
)
from rota.web.rendering import AtPage, Page

router = APIRouter()
_WRITERS = [Depends(needs(Scope.WRITE))]
_BAD = "bad-job"
Way = Annotated[str, Query(pattern=f"^({GUIDED}|{TEXT})$")]


@router.get("/jobs/new", dependencies=_WRITERS)
def new_job(
    page: AtPage,
    copy: Annotated[str, Query(max_length=MAX_NAME)] = "",
    way: Way = GUIDED,
) -> HTMLResponse:
    """Show an empty form, or one with what another job says."""
    draft = Draft(GUIDED, Guided(when="days", times="09:00", timezone=page.tastes.zone))
    if copy:
        base = _without_anchor(_document(page.desk.store.jobs.get(copy).job))
        name = f"copy of {copy}" if len(copy) < MAX_NAME - 10 else ""
        draft = Draft(GUIDED, guided_from(name, base), base=base)
    return _form(page, draft.as_text() if way == TEXT else draft)


@router.post("/jobs/new")
def make_job(page: AtPage, fields: SentFields, change: Annotated[Change, audited("job.make", Scope.WRITE)]) -> Response:
    """Make it, or show the form again with what is wrong."""
    draft = draft_of(fields)
    reading = read_draft(draft)
    if reading.job is None:
        change.also(draft.form.name, _BAD)
        return _form(page, draft, reading)
    change.target = reading.job.name
    try:
        applied = page.desk.verbs.add(reading.job)
    except (JobExists, BadJob, BadSchedule) as error:
        change.also(reading.job.name, kind_of(error))
        field = "name" if isinstance(error, JobExists) and draft.way == GUIDED else ""
        return _form(page, draft, reading.refused(field, str(error)))
    return _saved(page, applied, reading, "made")


@router.get("/jobs/{name}/edit", dependencies=_WRITERS)
def edit_job(name: JobName, page: AtPage, way: Way = GUIDED) -> HTMLResponse:
    """Show the form of a job; of one that a file or a program says, where that is."""
    stored = page.desk.store.jobs.get(name)
    try:
        check_by_hand(stored)
    except NotByHand as error:
        return page.show(
            "job_not_by_hand.html", name=name, why=str(error), can_copy=job_document(stored.job) is not None
        )
    base = _document(stored.job)
    draft = Draft(GUIDED, guided_from(name, base), "", base, name, str(stored.revision))
    return _form(page, draft.as_text() if way == TEXT else draft)


@router.post("/jobs/{name}/edit")
def change_job(
    name: JobName, page: AtPage, fields: SentFields, change: Annotated[Change, audited("job.change", Scope.WRITE)]
) -> Response:
    """Change it, if nobody has changed it since the form was shown."""
    check_by_hand(page.desk.store.jobs.get(name))
    draft = draft_of(fields, name)
    reading = read_draft(draft)
    if reading.job is None:
        change.also(name, _BAD)
        return _form(page, draft, reading)
    try:
        applied = page.desk.verbs.change(name, reading.job, revision_of(draft.revision))
    except Outdated as error:
        change.also(name, kind_of(error))
        return _conflict(page, draft, reading.job)
    except (BadJob, BadSchedule) as error:
        change.also(name, kind_of(error))
        return _form(page, draft, reading.refused("", str(error)))
    return _saved(page, applied, reading, "changed")


@router.post("/jobs/-/draft", dependencies=_WRITERS)
def show_draft(page: AtPage, fields: SentFields) -> HTMLResponse:
    """Show what somebody has written with what it means, or the other way to write it; nothing is saved."""
    draft = draft_of(fields)
    if fields.text("do") == TEXT:
        return _form(page, draft.as_text())
    reading = read_draft(draft)
    if fields.text("do") == GUIDED and draft.way == TEXT and reading.job is not None:
        return _form(page, guided_again(draft, reading.job))
    told = reading if draft.way == TEXT else read_schedule(draft)
    return _form(page, draft, msgspec.structs.replace(told, job=None, warnings=reading.warnings), HTTPStatus.OK)


@router.post("/jobs/-/preview", dependencies=_WRITERS)
def preview_job(page: AtPage, fields: SentFields) -> HTMLResponse:
    """Return the part of the form that says what it means, for a script to put in place."""
    draft = draft_of(fields)
    return page.show("job_preview.html", draft=draft, **_meaning(page, draft))


def _form(page: Page, draft: Draft, reading: Reading | None = None, status: HTTPStatus | None = None) -> HTMLResponse:
    """Show a draft; what is wrong with it, if that is known."""
    reading = reading or Reading()
    is_wrong = bool(reading.fields or reading.general)
    return page.show(
        "job_form.html",
        status or (HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK),
        draft=draft,
        form=draft.form,
        faults=reading.fields,
        general=reading.general,
        zones=zone_names(),
        week=WEEKDAYS,
        host_names=[host.name for host in page.desk.store.hosts.all()],
        **_meaning(page, draft),
    )


def _meaning(page: Page, draft: Draft) -> dict[str, Any]:
    """Return what the schedule of a draft means, or why that cannot be told; and where it would run."""
    reading = read_schedule(draft)
    where = {"where": where_told(read_where(draft), page.desk.store.hosts.all())}
    if reading.job is None:
        return where | {
            "foretold": None,
            "unclear": [*(text for each in reading.fields.values() for text in each), *reading.general],
        }
    try:
        return where | {"foretold": foretell(reading.job, page.now, page.zone), "unclear": []}
    except BadSchedule as error:
        return where | {"foretold": None, "unclear": [str(error)]}


def _conflict(page: Page, draft: Draft, mine: Job) -> HTMLResponse:
    """Show what a job says now and what somebody wanted it to say, and let them decide."""
    stored = page.desk.store.jobs.get(draft.editing)
    changes = words_changed(Edit(stored, mine, stored.origin))
    text = document_text(_document(mine))
    return page.show(
        "job_conflict.html",
        HTTPStatus.CONFLICT,
        name=draft.editing,
        changes=changes,
        text=text,
        revision=stored.revision,
    )


def _saved(page: Page, applied: Applied, reading: Reading, done: str) -> Response:
    """Go to the job's page, with a word about when it runs."""
    name, due = applied.stored.name, applied.stored.next_slot
    words = [f"{name} is {done}{f', and due {relative(due, page.now)}' if due is not None else ''}."]
    warned = [*applied.warnings, *reading.warnings]
    return page.go(f"/jobs/{in_path(name)}", " ".join([*words, *warned]), "late" if warned else "good")


def _document(job: Job) -> Document:
    document = job_document(job)
    if document is None:
        raise BadJob(f"job {job.name!r} is a function of somebody's program, which no form can say")
    return document


def _without_anchor(document: Document) -> Document:
    """Let a copy count from its own beginning."""
    every = document.get("every")
    if not isinstance(every, dict):
        return document
    rest = {key: value for key, value in every.items() if key != "anchor"}
    return {**document, "every": rest if len(rest) > 1 else rest["every"]}

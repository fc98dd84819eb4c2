"""Trying things out: what a schedule means, and what is wrong with a document. Nothing is changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.documents import BodyText, faults_of, file_body
from rota.api.problems import BadRequest
from rota.api.schemas import overview as schemas
from rota.api.schemas.base import Fault
from rota.api.who import needs
from rota.config.given import read_document, read_job
from rota.control.preview import preview
from rota.control.times import relative, with_zone, zone_named
from rota.control.views import instant_view
from rota.errors import BadSchedule
from rota.model.access import Scope
from rota.model.job import ScheduleSpec
from rota.schedule.boot import as_kept
from rota.schedule.instant import parse_instant
from rota.schedule.parse import KINDS

router = APIRouter(tags=["trying out"])


@router.post("/schedules/preview", summary="What a schedule means", dependencies=[Depends(needs(Scope.READ))])
def preview_schedule(asked: schemas.PreviewRequest, desk: AtDesk) -> schemas.Preview:
    """Say a schedule in words, with its next slots and what happens to them where the clock changes."""
    kinds = [kind for kind in KINDS if getattr(asked, kind) is not None]
    if len(kinds) != 1:
        text = f"{len(kinds)} schedules are given; write one of {', '.join(KINDS)}"
        raise BadRequest(text, [Fault(place="body", problem=text)])
    kind, now = kinds[0], desk.clock.now()
    text = getattr(asked, kind)
    try:
        spec = _spec(kind, text, asked)
        found = preview(spec, asked.timezone, now, asked.n)
    except BadSchedule as error:
        words = {kind: text, "anchor": asked.anchor, "timezone": asked.timezone}
        place = next((word for word, said in words.items() if said == error.text), kind)
        fault = Fault(place=place, column=error.column or None, problem=error.problem, hint=error.hint)
        raise BadRequest(f"{place}: {error.problem}", [fault], "bad-schedule") from None
    zone = zone_named(found.timezone)
    return schemas.Preview(
        kind=kind,
        text=text,
        timezone=found.timezone,
        explanation=found.explanation,
        next=[
            schemas.Coming(slot=str(instant_view(at)), local=with_zone(at, zone), relative=relative(at, now))
            for at in found.slots
        ],
        notes=found.notes,
    )


@router.post(
    "/validate",
    summary="What is wrong with a document",
    dependencies=[Depends(needs(Scope.WRITE))],
    openapi_extra=file_body(),
)
def validate(
    body: BodyText,
    name: Annotated[
        str | None, Query(description="The document is one job, and this is its name.", max_length=200)
    ] = None,
    job: Annotated[bool, Query(description="The document is one job, which says its name.")] = False,
) -> schemas.Validation:
    """Tell everything that is wrong with a whole file, or with one job, each with its keys, line and column.

    It also looks whether the paths in it are there, so it needs the right to make jobs.
    """
    given = read_job(body, name) if job or name is not None else read_document(body)
    return schemas.Validation(
        valid=not given.faults,
        jobs=[each.name for each in given.jobs],
        problems=faults_of(given.faults),
        warnings=faults_of(given.warnings),
    )


def _spec(kind: str, text: str, asked: schemas.PreviewRequest) -> ScheduleSpec:
    anchor = None if asked.anchor is None else parse_instant(asked.anchor, asked.timezone)
    said = as_kept(text) if kind == "at" else text
    return ScheduleSpec(kind, said, anchor, kind == "every" and asked.start == "end", asked.dst)  # type: ignore[arg-type]

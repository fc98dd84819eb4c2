"""A job that somebody is writing, by the form or as text, and what it would be.

However it is written, it becomes a document, which the one reader of documents reads. What is wrong comes back beside
the field that said it, or with line and column of the text.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from rota.config.given import Fault, Given, document_text, job_document, read_job
from rota.errors import UsageError
from rota.model.host import ANYWHERE, RunsOn
from rota.model.job import Job
from rota.web.forms import Fields
from rota.web.guided import Document, Guided, document_of, field_of, guided_from, guided_of, wrong_fields
from rota.web.guided_places import where_said

GUIDED, TEXT = "guided", "text"
_FOR_THE_CLOCK = ("cron", "every", "at", "calendar", "custom", "schedules", "timezone", "not_before", "not_after")
_NAMELESS = "nameless"
"""Stands for a name that is missing still, so that everything else that is wrong is told as well."""


class Draft(msgspec.Struct, frozen=True):
    """What somebody has written until now."""

    way: str
    form: Guided
    text: str = ""
    base: Document = {}
    """What the form is laid over."""
    editing: str = ""
    """The job that it is to change; none is a new one."""
    revision: str = ""

    @property
    def base_text(self) -> str:
        """Return the base as a field of a form carries it."""
        return json.dumps(self.base)

    def as_text(self) -> Draft:
        """Return the same as text."""
        if self.way == TEXT:
            return self
        text = document_text(document_of(self.form, self.base))
        return msgspec.structs.replace(self, way=TEXT, text=text)


class Reading(msgspec.Struct, frozen=True):
    """What a draft says, if it can be read; else what is wrong, by field and in general."""

    job: Job | None = None
    fields: dict[str, list[str]] = {}
    general: list[str] = []
    warnings: list[str] = []

    def refused(self, field: str, why: str) -> Reading:
        """Return the same with one thing more that is wrong, at a field or in general."""
        if field:
            return msgspec.structs.replace(self, job=None, fields={**self.fields, field: [why]})
        return msgspec.structs.replace(self, job=None, general=[*self.general, why])


def draft_of(fields: Fields, editing: str = "") -> Draft:
    """Return what a form sends."""
    form = guided_of(fields)
    editing = editing or fields.text("editing")
    return Draft(
        way=TEXT if fields.text("way") == TEXT else GUIDED,
        form=msgspec.structs.replace(form, name=editing) if editing else form,
        text=next(iter(fields.all("text")), "").replace("\r\n", "\n"),
        base=_base(fields.text("base", "{}")),
        editing=editing,
        revision=fields.text("revision"),
    )


def read_draft(draft: Draft) -> Reading:
    """Read it."""
    if draft.way == TEXT:
        return _reading(draft, read_job(draft.text, draft.form.name or None), {})
    wrong = {field: [text] for field, text in wrong_fields(draft.form).items()}
    document = {"name": draft.form.name or _NAMELESS, **document_of(draft.form, draft.base)}
    return _reading(draft, read_job(json.dumps(document, indent=1), None), wrong)


def read_schedule(draft: Draft) -> Reading:
    """Read only when it is due, whatever else is missing still."""
    if draft.way == TEXT:
        return read_draft(draft)
    wrong = {
        field: [text]
        for field, text in wrong_fields(draft.form).items()
        if field in ("times", "weekdays", "month_days")
    }
    document = document_of(draft.form, draft.base)
    shown = {key: value for key, value in document.items() if key in _FOR_THE_CLOCK}
    return _reading(draft, read_job(json.dumps({"run": "true", **shown}, indent=1), _NAMELESS), wrong)


def read_where(draft: Draft) -> RunsOn:
    """Read only where it runs; anywhere, as long as that cannot be read."""
    if draft.way == TEXT:
        job = read_draft(draft).job
    else:
        said = where_said(draft.form.where, draft.form.host, draft.form.labels)
        given = read_job(json.dumps({"run": "true", **said}), _NAMELESS)
        job = given.jobs[0] if given.jobs and not given.faults else None
    return ANYWHERE if job is None else job.runs_on


def guided_again(draft: Draft, job: Job) -> Draft:
    """Return a text that can be read as a form; what the form does not show stays in what it is laid over."""
    base = job_document(job) or {}
    return msgspec.structs.replace(draft, way=GUIDED, base=base, form=guided_from(job.name, base))


def _reading(draft: Draft, given: Given, wrong: dict[str, list[str]]) -> Reading:
    fields, general = dict(wrong), []
    for fault in given.faults:
        field = "" if draft.way == TEXT else field_of(fault.place, fault.problem, draft.form)
        if field in wrong:
            continue  # what it says is no document at all, and has been told
        if field:
            fields[field] = [*fields.get(field, []), _said(fault)]
        else:
            general.append(f"{_place(fault, draft.way)}{_said(fault)}")
    job = given.jobs[0] if given.jobs and not fields and not general else None
    return Reading(job, fields, general, [_said(fault) for fault in given.warnings])


def _said(fault: Fault) -> str:
    return f"{fault.problem}; {fault.hint}" if fault.hint else fault.problem


def _place(fault: Fault, way: str) -> str:
    if way == TEXT:
        return f"line {fault.line}, column {fault.column}: "
    return f"{fault.place}: " if fault.place and not fault.problem.startswith(fault.place) else ""


def _base(text: str) -> Document:
    try:
        said: Any = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UsageError("the form does not say what it changes; open it again")
    return said

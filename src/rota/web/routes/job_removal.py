"""Removing one job: a page that says what that means, and asks."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse

from rota.api.audit import audited
from rota.api.names import JobName
from rota.api.who import needs
from rota.control.ownership import check_by_hand
from rota.errors import UsageError
from rota.model.access import Scope
from rota.web.forms import SentFields
from rota.web.rendering import AtPage

router = APIRouter()


@router.get("/jobs/{name}/remove", dependencies=[Depends(needs(Scope.WRITE))])
def ask(name: JobName, page: AtPage) -> HTMLResponse:
    """Ask."""
    line = page.desk.questions.job(name)
    check_by_hand(line.stored)
    return page.show("job_remove.html", line=line)


@router.post("/jobs/{name}/remove", dependencies=[audited("job.remove", Scope.WRITE)])
def remove(name: JobName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Take it out of service, if it is as it was when that was asked."""
    check_by_hand(page.desk.store.jobs.get(name))
    left = page.desk.verbs.remove(name, revision_of(fields.text("revision")))
    going_on = "" if not left else f" {len(left)} of its runs go{'es' if len(left) == 1 else ''} on."
    return page.go("/jobs", f"{name} is removed.{going_on}")


def revision_of(text: str) -> int:
    """Return the revision of a job that a form was made for."""
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UsageError(f"{text[:40]!r} is no revision of a job; open its page again")
    return int(text)

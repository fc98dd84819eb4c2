"""One deed on many jobs: those that are ticked, or all that the list's filter finds.

Removing asks first, on a page of its own, and then removes those that were named there and no others. No job's name
begins with a hyphen, so these paths are no job's.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from rota.api.audit import Change, audited
from rota.api.problems import NotAllowed
from rota.api.who import needs
from rota.control.bulk import MOST, Action, Bulk, Outcome
from rota.control.desk import Desk
from rota.control.listing import Listing
from rota.errors import UsageError
from rota.model.access import Scope
from rota.model.job import BY_HAND
from rota.web.forms import Fields, SentFields, path_on_this_site
from rota.web.job_filters import filters_of
from rota.web.rendering import AtPage

router = APIRouter()
MOST_ASKED = 1_000
"""How many a page asks about: their names travel with it."""
_DONE = {
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.RUN: "asked to run",
    Action.DELETE: "removed",
}


@router.get("/jobs/-/bulk")
@router.get("/jobs/-/removal")
@router.get("/jobs/-/draft")
def show_frame(page: AtPage) -> HTMLResponse:
    """Show what is around an answer to a form: for who opens its path again, and to keep its frame up to date."""
    return page.show("jobs_answer.html")


@router.post("/jobs/-/bulk")
def do_bulk(page: AtPage, fields: SentFields, change: Annotated[Change, audited("job.bulk", Scope.RUN)]) -> Response:
    """Do it, and say what came of it: in a word if all went well, else with every job that it did not go well for."""
    action = _action(fields.text("do"))
    change.action = f"job.{action}"
    if action is Action.DELETE and not change.who.may(Scope.WRITE):
        raise NotAllowed(HTTPStatus.FORBIDDEN, f"{change.who.name} may not remove jobs; that needs {Scope.WRITE.value}")
    names, back = _names(page.desk, fields), path_on_this_site(fields.text("next", "/jobs"))
    if not names:
        return page.go(back, "No job was chosen: tick some, or all that match.", "bad")
    outcomes = Bulk(page.desk.store, page.desk.verbs).do(action, names)
    for outcome in outcomes:
        change.also(outcome.name, outcome.kind)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if not failed:
        return page.go(back, f"{told(outcomes, _DONE[action])}.")
    done = [outcome for outcome in outcomes if outcome.ok]
    return page.show("jobs_outcomes.html", said=told(done, _DONE[action]), failed=failed, back=back)


@router.post("/jobs/-/removal", dependencies=[Depends(needs(Scope.WRITE))])
def ask_to_remove(page: AtPage, fields: SentFields) -> Response:
    """Ask whether these jobs shall go; nothing is changed."""
    desk, back = page.desk, path_on_this_site(fields.text("next", "/jobs"))
    found = [desk.store.jobs.find(name) for name in _names(desk, fields)]
    there = [stored for stored in found if stored is not None and stored.removed_at is None]
    by_hand = [stored.name for stored in there if stored.origin == BY_HAND]
    others = [stored for stored in there if stored.origin != BY_HAND]
    if not there:
        return page.go(back, "No job was chosen: tick some, or all that match.", "bad")
    asked = by_hand[:MOST_ASKED]
    return page.show(
        "jobs_remove.html",
        names=asked,
        more=len(by_hand) - len(asked),
        others=[each.name for each in others],
        back=back,
    )


def told(outcomes: list[Outcome], done: str) -> str:
    """Say what was done to whom: a name or two, or their number."""
    if not outcomes:
        return f"No job was {done}"
    if len(outcomes) == 1:
        return f"{outcomes[0].name} is {done}"
    return f"{len(outcomes):,} jobs are {done}"


def _action(text: str) -> Action:
    if text not in set(Action):
        raise UsageError(f"jobs can be told to {', '.join(Action)}, and not to {text!r}")
    return Action(text)


def _names(desk: Desk, fields: Fields) -> list[str]:
    """Return which jobs are meant."""
    if fields.has("all"):
        return Listing(desk.store, desk.questions).names(filters_of(fields.one_each()).wanted(), MOST)
    return [*fields.all("name"), *fields.text("names").split("\n")] if fields.text("names") else fields.all("name")

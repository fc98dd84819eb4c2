"""All runs, newest first: filtered, in pages, and the first page live."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from rota.api.queries import instant
from rota.control.host_names import HostNames, called, host_names
from rota.control.listing import Listing
from rota.control.pages import Page as OfRuns
from rota.control.words import ending_of, late_of, length_of, trigger_of
from rota.errors import NoSuchHost, NoSuchJob, UsageError
from rota.model.run import Run
from rota.model.settlement import RunFilter
from rota.web.rendering import AtPage, Page
from rota.web.state_choices import SEVERAL_STATES, STATES

router = APIRouter()
_A_PAGE = 100
_Text = Annotated[str, Query(max_length=200)]
_STATES = (("", "any state"), *STATES)
_QUICK: tuple[tuple[str, dict[str, str]], ...] = (
    ("all", {}),
    *((word, {"state": state}) for state, word in SEVERAL_STATES),
)
T = TypeVar("T")


class Wanted(msgspec.Struct, frozen=True):
    """What somebody wants to see, as they said it."""

    job: str = ""
    text: str = ""
    state: str = ""
    tag: str = ""
    since: str = ""
    until: str = ""
    host: str = ""

    def href(self, **more: str) -> str:
        """Return the way to it."""
        given = self.given | more
        return f"/runs?{urlencode(given)}" if given else "/runs"

    @property
    def given(self) -> dict[str, str]:
        """Return what was said at all."""
        return {name: text for name, text in msgspec.structs.asdict(self).items() if text}


class Row(msgspec.Struct, frozen=True):
    """A run, in words."""

    run: Run
    trigger: str
    late: str
    took: str
    ending: str
    host: str


@router.get("/runs")
def list_runs(
    page: AtPage,
    job: _Text = "",
    text: _Text = "",
    state: _Text = "",
    tag: _Text = "",
    since: _Text = "",
    until: _Text = "",
    host: _Text = "",
    before: Annotated[str | None, Query(max_length=2_000)] = None,
) -> HTMLResponse:
    """Show a page of runs; what cannot be meant is said beside what was asked."""
    wanted = Wanted(*(each.strip() for each in (job, text, state, tag, since, until, host)))
    faults: list[str] = []
    found = _find(page, wanted, before, faults)
    runs = [] if found is None else found.items
    names = host_names(page.desk.store)
    has_hosts = len(names) > 1 or bool(wanted.host)
    return page.show(
        "runs.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
        wanted=wanted,
        states=_STATES if wanted.state in dict(_STATES) else (*_STATES, (wanted.state, wanted.state)),
        quick=[(word, Wanted(**given).href(), wanted.given == given) for word, given in _QUICK],
        faults=faults,
        rows=[
            Row(
                run,
                trigger_of(run),
                late_of(run),
                length_of(run, page.now),
                ending_of(run),
                called(run.host, names) or "",
            )
            for run in runs
        ],
        hosts=names,
        host_choices=[("", "any host"), *((name, name) for name in _known(names, wanted.host))] if has_hosts else [],
        is_first=before is None,
        newest=wanted.href(),
        older=None if found is None or found.next is None else wanted.href(before=found.next),
    )


def _find(page: Page, wanted: Wanted, before: str | None, faults: list[str]) -> OfRuns[Run] | None:
    """Return the runs that somebody wants; times are those of their own wall clock."""
    zone = page.tastes.zone
    since = _heard(faults, lambda: instant("since", wanted.since or None, page.now, zone))
    until = _heard(faults, lambda: instant("until", wanted.until or None, page.now, zone))
    asked = RunFilter(state=wanted.state, since=since, until=until, text=wanted.text, tag=wanted.tag)
    listing = Listing(page.desk.store, page.desk.questions)
    found = _heard(faults, lambda: listing.runs(asked, before, _A_PAGE, wanted.job or None, wanted.host))
    return None if faults else found


def _known(names: HostNames, wanted: str) -> list[str]:
    """Return the hosts to choose from, and the one that a link has chosen, if it is none of these."""
    known = sorted(names.values())
    return [*known, wanted] if wanted and wanted not in known else known


def _heard(faults: list[str], find: Callable[[], T]) -> T | None:
    """Return what is found; what somebody cannot mean is a fault, and no page of its own."""
    try:
        return find()
    except (UsageError, NoSuchJob, NoSuchHost) as fault:
        faults.append(str(fault))
        return None

"""Hosts: which machines work on the store, what runs there, and what people say to them."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, RedirectResponse

from rota.api.audit import audited
from rota.api.names import HostName, in_path
from rota.api.who import needs
from rota.control.listing import Listing
from rota.control.words import ending_of, length_of
from rota.model.access import Scope
from rota.model.settlement import JobFilter, RunFilter
from rota.web.forms import SentFields
from rota.web.host_words import capacity_of, row_of
from rota.web.rendering import AtPage, Page

router = APIRouter(prefix="/hosts")
_RUNS, _JOBS = 20, 100
_LATELY = timedelta(hours=24)
"""Among so many runs of other hosts those of one host are looked for, and not among all that there ever were."""


@router.get("")
def list_hosts(page: AtPage) -> HTMLResponse:
    """Show every host."""
    desk = page.desk
    rows = [row_of(view, desk.home_id, page.now, is_shared=desk.store.is_shared) for view in desk.hosts.all()]
    return page.show(
        "hosts.html",
        rows=rows,
        capacity_of=capacity_of,
        is_shared=desk.store.is_shared,
        has_labels=any(row.labels for row in rows),
    )


@router.get("/{name}")
def show_host(name: HostName, page: AtPage) -> HTMLResponse:
    """Show a host, what runs there, how its last runs went, and which jobs are for it alone."""
    desk = page.desk
    view = desk.hosts.one(name)
    listing = Listing(desk.store, desk.questions)
    jobs = listing.names(JobFilter(host=view.host.name), _JOBS + 1)
    return page.show(
        "host.html",
        row=row_of(view, desk.home_id, page.now, is_shared=desk.store.is_shared),
        host=view.host,
        capacity=capacity_of(view),
        running=desk.hosts.running(view.host.id),
        lately=listing.runs(RunFilter(since=page.now - _LATELY), None, _RUNS, host=view.host.id).items,
        ending_of=ending_of,
        length_of=length_of,
        jobs=jobs[:_JOBS],
        more_jobs=len(jobs) > _JOBS,
        is_shared=desk.store.is_shared,
    )


@router.post("/{name}/drain", dependencies=[audited("host.drain", Scope.RUN)])
def drain_host(name: HostName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Let it start nothing more; what runs there goes on, or is handed over where that is allowed."""
    view = page.desk.hosts.drain(name, hand_over=bool(fields.text("hand_over")))
    left = "Nothing runs there." if not view.running else f"{view.running} still running there."
    return _back(page, fields, view.host.name, f"{view.host.name} starts nothing more. {left}")


@router.post("/{name}/resume", dependencies=[audited("host.resume", Scope.RUN)])
def resume_host(name: HostName, page: AtPage, fields: SentFields) -> RedirectResponse:
    """Let it start runs again."""
    view = page.desk.hosts.resume(name)
    return _back(page, fields, view.host.name, f"{view.host.name} starts runs again.")


@router.get("/{name}/forget", dependencies=[Depends(needs(Scope.WRITE))])
def ask_to_forget(name: HostName, page: AtPage) -> HTMLResponse:
    """Ask whether it is gone for good."""
    view = page.desk.hosts.one(name)
    jobs = page.desk.store.jobs.page("", _JOBS + 1, JobFilter(host=view.host.name))
    row = row_of(view, "", page.now, is_shared=page.desk.store.is_shared)
    return page.show("host_forget.html", row=row, jobs=[stored.name for stored in jobs])


@router.post("/{name}/forget", dependencies=[audited("host.forget", Scope.WRITE)])
def forget_host(name: HostName, page: AtPage) -> RedirectResponse:
    """Forget it; what is not gone after all stays."""
    view = page.desk.hosts.forget(name)
    return page.go("/hosts", f"{view.host.name} is forgotten.")


def _back(page: Page, fields: SentFields, name: str, notice: str) -> RedirectResponse:
    return page.go(fields.way_back(f"/hosts/{in_path(name)}"), notice)

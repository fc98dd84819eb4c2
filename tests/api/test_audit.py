"""Every change has a line that says who, how, from where, what, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI

from rota.api import problems
from rota.api.audit import Change, audited
from rota.api.callers import PEER
from rota.api.door import Door, Owner
from rota.model.access import Scope
from rota.web.people_words import deed_in_words
from rota.web.site import create_pages
from rota.wiring.client import Client
from rota.wiring.desks import ClientDesks
from web.page_routes import changing, dependencies, rest_app

from .webs import PASSWORD

NOTED_BY_HAND = {"login", "logout", "token", "refresh", "change_password", "enter", "leave"}
"""Routes that write their own line, because there is nobody yet, or nobody any more, when they begin."""
ONLY_ASK = {"preview_schedule", "validate", "preview_job", "show_draft", "ask_to_remove"}
"""Questions whose text is too long for a path."""


CHANGES_NOTHING_HERE = {"choose_theme"}
"""It changes a cookie of the browser that asks."""


@pytest.mark.parametrize(
    ("make", "among"),
    [
        (lambda rest: rest, {"add_user", "add_token", "run_job"}),
        (create_pages, {"enter", "leave", "add_token", "change_password", "set_password"}),
    ],
    ids=["REST", "pages"],
)
def test_every_route_that_changes_something_is_audited(make, among):
    found = changing(make(rest_app()))
    assert among <= {route.name for route in found}
    forgotten = [
        f"{route.methods} {route.path}"
        for route in found
        if route.name not in NOTED_BY_HAND | ONLY_ASK | CHANGES_NOTHING_HERE
        and not any(hasattr(call, "audits") for call in dependencies(route.dependant))
    ]
    assert [] == forgotten


def test_everything_that_is_audited_is_said_in_words():
    rest = rest_app()
    actions = {
        call.audits
        for route in changing(rest) + changing(create_pages(rest))
        for call in dependencies(route.dependant)
        if hasattr(call, "audits")
    }
    assert {"job.run", "user.add"} <= actions
    assert set() == {action for action in actions if deed_in_words(action) == action}


def test_what_is_done_refused_and_failed_is_in_the_audit_with_its_address(peopled):
    ann, vera = peopled.token("ann"), peopled.token("vera")
    body = {"name": "eve", "role": "viewer", "password": PASSWORD}
    assert 201 == peopled.with_token(ann, "POST", "/api/v1/users", json=body).status_code
    assert 409 == peopled.with_token(ann, "POST", "/api/v1/users", json=body).status_code
    assert 403 == peopled.with_token(vera, "POST", "/api/v1/users", json=body).status_code
    assert 422 == peopled.with_token(ann, "POST", "/api/v1/users", json={"role": 1}).status_code
    assert 404 == peopled.with_token(ann, "DELETE", "/api/v1/users/nobody").status_code
    assert 202 == peopled.with_token(ann, "POST", "/api/v1/jobs/backup/run").status_code
    assert [
        ("ann", "job.run", "backup", "ok"),
        ("ann", "user.remove", "nobody", "no-such-user"),
        ("ann", "user.add", "", "bad-request"),
        ("vera", "POST", "/api/v1/users", "refused"),
        ("ann", "user.add", "eve", "user-exists"),
        ("ann", "user.add", "eve", "ok"),
    ] == peopled.audit()[:6]
    lines = peopled.with_token(ann, path="/api/v1/audit").json()["items"]
    assert {("token", "127.0.0.1")} == {(line["how"], line["address"]) for line in lines[:6]}


def test_the_audit_is_read_in_pages_by_admins(peopled):
    ann = peopled.token("ann")
    for _ in range(5):
        peopled.with_token(ann, "POST", "/api/v1/jobs/backup/run")
    seen, path = [], "/api/v1/audit?who=ann&limit=2"
    page = peopled.with_token(ann, path=path).json()
    while page["next"] is not None and len(seen) < 6:
        seen += [line["id"] for line in page["items"]]
        page = peopled.with_token(ann, path=f"{path}&before={page['next']}").json()
    assert sorted(set(seen), reverse=True) == seen
    assert 422 == peopled.with_token(ann, path="/api/v1/audit?before=nonsense").status_code
    assert 403 == peopled.with_token(peopled.token("olga"), path="/api/v1/audit").status_code


def test_a_change_of_many_things_has_a_line_for_each(tmp_path):
    Client(str(tmp_path)).close()
    app, desks = FastAPI(), ClientDesks(str(tmp_path))
    app.state.desks, app.state.door = desks, Door(Owner(7, "me"))
    problems.install(app)

    @app.post("/bulk")
    def bulk(change: Annotated[Change, audited("job.pause", Scope.RUN)]) -> str:
        change.also("a")
        change.also("b", "no-such-job")
        return change.who.name

    async def owned(scope, receive, send):
        scope["state"] = {PEER: 7}
        await app(scope, receive, send)

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(owned), base_url="http://localhost") as client:
            return await client.post("/bulk")

    assert "me" == asyncio.run(ask()).json()
    with desks.borrow() as desk:
        lines = [(line.who, line.action, line.target, line.outcome) for line in desk.accounts.audit()]
    desks.close()
    assert [("me", "job.pause", "b", "no-such-job"), ("me", "job.pause", "a", "ok")] == lines

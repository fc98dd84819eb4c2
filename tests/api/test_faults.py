"""What goes wrong is said as a problem, whatever it is, and nothing of the machine is told with it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from rota.api.routes import overview
from rota.errors import StoreBusy
from rota.model.access import Kind, Role

from .passwords import let_in
from .worlds import API

ODD_PATHS = [
    "/nothing",
    "/jobs/",
    "/jobs//run",
    "/jobs/a/b/c",
    "/runs/",
    "/events/",
    "/../jobs",
    "/jobs/%2e%2e",
    "/%00",
]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_path_that_leads_nowhere_is_not_found(world, path):
    answer = world.ask("GET", API + path)
    assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


def test_a_method_that_is_not_there_says_which_are(world):
    answer = world.ask("DELETE", f"{API}/jobs")
    assert (405, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "GET" in answer.headers["allow"]


def test_a_store_that_is_busy_is_a_reason_to_try_again(world, monkeypatch):
    def busy(*_given):
        raise StoreBusy("rota.db is locked by another program")

    monkeypatch.setattr(overview.overview, "summary", busy)
    answer = world.ask("GET", f"{API}/summary")
    assert (503, "1") == (answer.status_code, answer.headers["retry-after"])
    assert "locked by another program" in answer.json()["detail"]


def test_a_mistake_of_rotas_own_is_a_problem_that_tells_nothing_of_the_inside(world, monkeypatch):
    def broken(*_given):
        raise RuntimeError("a secret place: /home/ann/.rota")

    monkeypatch.setattr(overview.overview, "summary", broken)

    async def ask():
        transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(f"{API}/summary")

    answer = asyncio.run(ask())
    assert (500, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert "secret" not in answer.text


def test_another_user_of_the_machine_sees_and_changes_nothing(world):
    world.add()
    world.app.uid = 65_534
    for method, path in (("GET", "/jobs"), ("GET", "/events"), ("POST", "/jobs/backup/run"), ("POST", "/validate"),
                         ("DELETE", "/jobs/backup"), ("GET", "/events/past"), ("POST", "/jobs/bulk")):  # fmt: skip
        answer = world.ask(method, API + path, json={"action": "run", "filter": {}} if path == "/jobs/bulk" else None)
        assert 403 == answer.status_code, path


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Last-Event-ID": "-1"}, 422), ({"Last-Event-ID": "x"}, 422), ({"Last-Event-ID": "9" * 40}, 422)],
)
def test_a_place_in_the_facts_that_was_made_up_is_refused(world, headers, status):
    assert status == world.ask("GET", f"{API}/events", headers=headers).status_code


def test_facts_of_a_job_that_is_not_there_are_not_waited_for(world):
    world.get("/events?job=nobody", 404)


REQUESTS = (
    ("GET", "/jobs", {}),
    ("POST", "/jobs/backup/run", {}),
    ("POST", "/jobs/bulk", {"json": {"action": "pause", "names": ["backup"]}}),
    ("PUT", "/jobs/backup", {"json": {"run": "true"}}),
    ("POST", "/validate", {"content": "jobs: {}"}),
    ("POST", "/jobs/bulk", {"json": {"action": "delete", "names": ["backup"]}}),
    ("POST", "/jobs", {"json": {"name": "new", "run": "true"}}),
)


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.VIEWER, [200, 403, 403, 403, 403, 403, 403]),
        (Role.OPERATOR, [200, 202, 200, 403, 403, 403, 403]),
        (Role.ADMIN, [200, 202, 200, 200, 200, 200, 201]),
    ],
)
def test_a_viewer_reads_an_operator_runs_and_an_admin_changes_jobs(world, role, statuses):
    world.add()
    let_in(world.client, "root")
    let_in(world.client, "ada", role)
    token = world.client.accounts.issue("ada", Kind.TOKEN).secret
    shown = {"headers": {"Authorization": f"Bearer {token}"}}
    answers = [world.ask(method, API + path, **shown, **more) for method, path, more in REQUESTS]
    assert statuses == [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    ("path", "body", "place", "hint"),
    [
        ("/schedules/preview", {"crn": "* * * * *"}, "body.crn", "did you mean 'cron'?"),
        ("/jobs/bulk", {"action": "run", "filter": {"txt": ""}}, "body.filter.txt", "did you mean 'text'?"),
        ("/jobs/backup/run", {"parms": {}}, "body.parms", "did you mean 'params'?"),
        ("/auth/login", {"name": "a", "password": "b", "qqq": 1}, "body.qqq", "known here: name, password"),
    ],
)
def test_a_wrong_word_in_a_body_is_told_with_the_one_that_may_be_meant(world, path, body, place, hint):
    world.add()
    told = world.post(path, 422, json=body)
    assert [(place, hint)] == [(fault["place"], fault["hint"]) for fault in told["problems"]]
    assert f"{place}: unknown key {place.rpartition('.')[2]!r}" == told["detail"]


def test_of_thousands_of_wrong_words_some_are_told(world):
    many = {f"word{number}": 1 for number in range(5_000)}
    assert 20 == len(world.get("/jobs?" + "&".join(many), 422)["problems"])
    assert 20 == len(world.post("/auth/login", 422, json=many)["problems"])


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/runs?since=tomorow", "since 'tomorow': it is no date and time"),
        ("/load?timezone=Europe/Berln", "timezone 'Europe/Berln': no time zone is named 'Europe/Berln'; did you mean"),
    ],
)
def test_what_cannot_be_read_after_the_question_mark_is_told_with_its_word(world, path, said):
    assert world.get(path, 422)["detail"].startswith(said)

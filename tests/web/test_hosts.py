"""The pages about hosts where there is one, and what is said of a host in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from rota.control.hosts import HostView
from rota.model.host import ANYWHERE, Host, RunsOn
from rota.web.guided_places import where_told
from rota.web.host_words import does_of

from .sites import Site

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)


def post(site: Site, path: str, status: int, **fields: str) -> str:
    """Send a form as the owner of a home where nobody signs in."""
    answer = httpx.post(site.url + path, data=fields, headers={"Accept": "text/html"}, trust_env=False)
    assert status == answer.status_code, answer.text
    return answer.text


def host(name="db-1", *, drained=False, hands_over=False, stopped=False, seen=NOW, **labels) -> Host:
    return Host(name, name, labels, 4, "1.0.0", 6, drained, hands_over, None, stopped, NOW, seen)


def view(host: Host, state: str, running: int) -> HostView:
    return HostView(host, state, running, plans=False)


@pytest.mark.parametrize(
    ("seen", "is_shared", "words", "tone"),
    [
        (view(host(), "up", 1), True, "up", "succeeded"),
        (view(host(drained=True), "drained", 0), True, "drained", "paused"),
        (view(host(drained=True), "draining", 2), True, "draining, 2 still running", "late"),
        (view(host(drained=True, hands_over=True), "draining", 2), True, "handing over, 2 still running", "late"),
        (view(host(seen=NOW - timedelta(minutes=5)), "gone", 0), True, "silent for 5m", "failed"),
        (view(host(stopped=True, seen=NOW - timedelta(seconds=7)), "stopped", 0), True, "stopped 7s ago", "paused"),
        (view(host(), "gone", 0), False, "its engine does not run", "failed"),
    ],
)
def test_a_host_s_state_is_told_in_words(seen, is_shared, words, tone):
    assert (words, tone) == does_of(seen, NOW, is_shared=is_shared)


@pytest.mark.parametrize(
    ("runs_on", "words"),
    [
        (ANYWHERE, ""),
        (RunsOn(all=True), "It runs once on each host: db-1, db-2."),
        (RunsOn(host="db-1"), "It runs only on host db-1."),
        (RunsOn(host="db-7"), "It runs only on host db-7, and none is known now: its runs wait until one is."),
        (RunsOn(labels={"disk": "big"}), "It runs only on hosts with disk=big: db-1, db-2."),
        (
            RunsOn(labels={"gpu": "a100"}),
            "It runs only on hosts with gpu=a100, and none is known now: its runs wait until one is.",
        ),
    ],
    ids=str,
)
def test_where_a_job_would_run_is_told_with_the_hosts_that_it_may_run_on(runs_on, words):
    assert words == where_told(runs_on, [host(disk="big"), host("db-2", disk="big")])


def test_the_one_host_of_a_store_is_shown_and_how_to_get_more(shared):
    name = shared.client.store.hosts.all()[0].name
    text = shared.get("/hosts")
    assert all(words in text for words in (name, "up", "More than one host", "rota store copy", "many-hosts.md"))
    assert ">plans<" not in text
    assert ">Drain<" not in text
    assert "Its last runs" in shared.get(f"/hosts/{name}")


def test_a_run_s_page_names_its_host_and_that_host_s_page_shows_the_run(shared):
    name = shared.client.store.hosts.all()[0].name
    shared.add("here")
    run_id = shared.run("here")
    assert f'href="/hosts/{name}"' in shared.get(f"/runs/{run_id}")
    assert f'href="/runs/{run_id}"' in shared.get(f"/hosts/{name}")
    assert "Host" not in shared.get("/runs").split("<main")[1], "there is only one"


def test_a_host_that_there_is_not_has_no_page_and_no_runs(shared):
    assert "No host named &#39;nowhere&#39;" in shared.get("/hosts/nowhere", 404)
    assert "no host named &#39;nowhere&#39;" in shared.get("/runs?host=nowhere", 422)


def test_the_only_host_is_neither_drained_nor_forgotten_while_it_works(shared):
    name = shared.client.store.hosts.all()[0].name
    for deed, words in (("drain", "stop its engine instead"), ("forget", "stop its engine first")):
        assert words in post(shared, f"/hosts/{name}/{deed}", 409)


def test_a_form_says_where_a_job_runs(shared):
    text = post(shared, "/jobs/new", 422, name="x", what="line", line="true", when="hand", where="labels", labels="gpu")
    assert "&#39;gpu&#39; has no &#39;=&#39;; write such as gpu=a100, one to a line" in text
    post(shared, "/jobs/new", 303, name="on-all", what="line", line="true", when="hand", where="all", enabled="yes")
    assert RunsOn(all=True) == shared.client.store.jobs.get("on-all").job.runs_on
    assert "every host, once each" in shared.get("/jobs/on-all")

"""Two hosts on one PostgreSQL, each with pages of its own: whoever looks at one of them sees both."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from prometheus_client.parser import text_string_to_metric_families

from api.passwords import PASSWORD
from process.waiting import wait_for
from rota.api.cookies import SESSION_COOKIE
from rota.model.access import Kind
from rota.model.action import Shell
from rota.model.host import NewHost, RunsOn
from rota.model.job import Job
from rota.model.run import State
from rota.store.address import parse_address
from servers.postgres import drop_schema, fresh_url

from .crawling import csrf_token
from .sites import Site, session_of, sign_in

ONE, TWO = "db-1", "db-2"
FAR_OFF = 60.0


@pytest.fixture(scope="module")
def hosts(tmp_path_factory, postgres_server) -> Iterator[dict[str, Site]]:
    """Two homes on one store, whose engines run; ann may do everything, and vera may look."""
    url = fresh_url(postgres_server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROTA_STORE", url)
        made = {name: Site(tmp_path_factory.mktemp(name)) for name in (ONE, TWO)}
        for name, site in made.items():
            site.env["ROTA_STORE"] = url
            site.start("--host-name", name, "--label", f"disk={name[-1]}")
        made[ONE].user("ann")
        made[ONE].user("vera", "viewer")
        yield made
        for site in made.values():
            site.close()
        drop_schema(url)


@pytest.fixture(scope="module")
def running(hosts) -> Iterator[str]:
    """A run on the second host that has written something, and goes on until the tests are over."""
    run_id = begin(hosts, "talks", "echo said by $ROTA_JOB; exec sleep 600")
    yield run_id
    hosts[ONE].client.verbs.cancel(run_id)
    wait_until(hosts, run_id, State.CANCELLED)


def begin(hosts: dict[str, Site], name: str, line: str) -> str:
    """Start a job on the second host, as somebody on the first one asks for it."""
    desk = hosts[ONE].client
    desk.verbs.add(Job(name, Shell(line), runs_on=RunsOn(host=TWO), cwd="/"))
    run_id = desk.verbs.trigger(name)
    wait_until(hosts, run_id, State.RUNNING)
    return run_id


def wait_until(hosts: dict[str, Site], run_id: str, state: State) -> None:
    wait_for(lambda: hosts[ONE].client.store.runs.find(run_id).state is state, FAR_OFF)


def asked(site: Site, path: str, shown: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, site.url + path, headers={"Authorization": f"Bearer {shown}"}, trust_env=False)


def token(site: Site, name: str = "ann") -> str:
    return site.client.accounts.issue(name, Kind.TOKEN, "test").secret


def measured(site: Site) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(asked(site, "/metrics", token(site)).text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


# -- people -----------------------------------------------------------------------------------------------------------


def test_who_signs_in_at_one_host_is_known_at_the_other(hosts):
    given = httpx.post(
        f"{hosts[ONE].url}/api/v1/auth/token", json={"name": "ann", "password": PASSWORD}, trust_env=False
    ).json()
    for site in hosts.values():
        me = asked(site, "/api/v1/me", given["access_token"]).json()
        assert ("ann", "access") == (me["name"], me["how"])
    assert [] == [site.home for site in hosts.values() if (site.home / "web.key").exists()]


def test_a_browser_s_session_at_one_host_is_one_at_the_other(hosts):
    cookies = {SESSION_COOKIE: session_of(hosts[ONE], "ann")}
    assert 200 == httpx.get(f"{hosts[TWO].url}/api/v1/me", cookies=cookies, trust_env=False).status_code


# -- runs elsewhere ---------------------------------------------------------------------------------------------------


def test_what_a_run_writes_on_one_host_is_seen_on_the_other_s_pages_while_it_runs(hosts, running, person):
    sign_in(person, hosts[ONE])
    page = person.new_page()
    page.goto(f"{hosts[ONE].url}/runs/{running}")
    expect(page.get_by_text("said by talks")).to_be_visible(timeout=FAR_OFF * 1000)
    expect(page.locator("#run-facts").get_by_role("link", name=TWO)).to_be_visible()
    page.goto(hosts[ONE].url)
    expect(page.locator("#running")).to_contain_text(f"on {TWO}")


def test_what_a_run_writes_on_one_host_is_streamed_by_the_other(hosts, running):
    headers = {"Authorization": f"Bearer {token(hosts[ONE])}"}
    path = f"{hosts[ONE].url}/api/v1/runs/{running}/output/live"
    with httpx.stream("GET", path, headers=headers, timeout=FAR_OFF, trust_env=False) as stream:
        assert any("said by talks" in line for line in stream.iter_lines())


def test_a_run_is_told_and_found_by_the_name_of_its_host(hosts, running):
    shown = token(hosts[ONE])
    assert TWO == asked(hosts[ONE], f"/api/v1/runs/{running}", shown).json()["host"]
    assert [running] == [run["id"] for run in asked(hosts[ONE], f"/api/v1/runs?host={TWO}", shown).json()["items"]]
    assert [] == asked(hosts[TWO], f"/api/v1/runs?host={ONE}", shown).json()["items"]
    assert TWO in hosts[ONE].get("/runs", user="vera")
    assert "No run is like that" in hosts[ONE].get(f"/runs?host={ONE}", user="vera")


def test_a_run_on_one_host_is_cancelled_from_the_pages_of_the_other(hosts):
    run_id = begin(hosts, "endless", "exec sleep 600")
    assert 202 == asked(hosts[ONE], f"/api/v1/runs/{run_id}/cancel", token(hosts[ONE]), "POST").status_code
    wait_until(hosts, run_id, State.CANCELLED)


# -- the hosts themselves ---------------------------------------------------------------------------------------------


def test_all_hosts_are_on_the_pages_of_each_with_what_they_are(hosts, running):
    for name, site in hosts.items():
        text = site.get("/hosts", user="vera")
        assert all(words in text for words in (ONE, TWO, "disk=1", "disk=2", ">plans<", ">this host<"))
        alone = site.get(f"/hosts/{name}", user="vera")
        assert ">this host<" in alone
    text = hosts[ONE].get(f"/hosts/{TWO}", user="vera")
    assert all(words in text for words in (f"/runs/{running}", "/jobs/talks", "All of its runs"))
    assert f"/runs/{running}" not in hosts[TWO].get(f"/hosts/{ONE}", user="vera")


def test_a_host_is_drained_and_resumed_from_the_pages_of_another_by_who_may(hosts, person):
    assert "/drain" not in hosts[ONE].get("/hosts", user="vera")
    sign_in(person, hosts[ONE])
    page = person.new_page()
    page.goto(f"{hosts[ONE].url}/hosts")
    page.get_by_role("button", name=f"Drain {TWO}").click()
    expect(page.locator(".notice")).to_contain_text(f"{TWO} starts nothing more.")
    assert hosts[TWO].client.hosts.one(TWO).host.drained
    page.get_by_role("button", name=f"Resume {TWO}").click()
    expect(page.locator(".notice")).to_contain_text(f"{TWO} starts runs again.")
    assert not hosts[TWO].client.hosts.one(TWO).host.drained
    deeds = [(line.action, line.target) for line in hosts[ONE].client.accounts.audit()]
    assert {("host.drain", TWO), ("host.resume", TWO)} <= set(deeds)


def test_a_host_hands_over_from_the_pages_and_keeps_what_may_not_begin_twice(hosts, running, person):
    sign_in(person, hosts[ONE])
    page = person.new_page()
    page.goto(f"{hosts[ONE].url}/hosts/{TWO}")
    page.get_by_role("button", name=f"Hand over {TWO}").click()
    expect(page.locator(".notice")).to_contain_text(f"{TWO} starts nothing more. 1 still running there.")
    expect(page.locator("main")).to_contain_text("handing over, 1 still running")
    expect(page.get_by_role("button", name=f"Hand over {TWO}")).to_have_count(0)
    assert "draining" == asked(hosts[TWO], f"/api/v1/hosts/{TWO}", token(hosts[ONE])).json()["state"]
    assert 200 == asked(hosts[TWO], f"/api/v1/hosts/{TWO}/resume", token(hosts[ONE]), "POST").status_code
    assert State.RUNNING is hosts[ONE].client.store.runs.find(running).state


def test_a_host_that_is_there_is_not_forgotten(hosts):
    with httpx.Client(base_url=hosts[ONE].url, trust_env=False, headers={"Accept": "text/html"}) as ann:
        ann.cookies.set(SESSION_COOKIE, session_of(hosts[ONE], "ann"), domain=ann.base_url.host)
        token_of_form = csrf_token(ann.get(f"/hosts/{TWO}/forget").text)
        answer = ann.post(f"/hosts/{TWO}/forget", data={"csrf_token": token_of_form})
    assert 409 == answer.status_code
    assert TWO in hosts[ONE].get("/hosts", user="vera")


def test_a_host_that_is_silent_is_told_and_forgotten_and_its_runs_keep_its_id(hosts, person):
    home_id, desk = "0123456789abcdef", hosts[ONE].client
    desk.store.hosts.register(NewHost(home_id, "old/one", True, {}, 2, "1.0.0"))
    let_be_silent(home_id)
    sign_in(person, hosts[ONE])
    page = person.new_page()
    page.goto(f"{hosts[ONE].url}/hosts")
    expect(page.locator("#hosts")).to_contain_text("silent for")
    page.get_by_role("link", name="Forget old/one").click()
    expect(page.get_by_role("heading", name="Forget old/one?")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    expect(page.locator(".notice")).to_have_text("old/one is forgotten.")
    person.complaints.clear()  # the page that asked may have looked for its host once more
    assert [] == asked(hosts[TWO], f"/api/v1/runs?host={home_id}", token(hosts[ONE])).json()["items"]


def let_be_silent(home_id: str) -> None:
    """Let a host be seen a while ago."""
    address = parse_address(os.environ["ROTA_STORE"])
    with psycopg.connect(address.libpq) as connection:
        connection.execute(f"UPDATE {address.schema}.host SET seen_at = seen_at - 300000000 WHERE id = %s", [home_id])


def test_where_a_job_may_run_is_told_while_it_is_written(hosts, person):
    sign_in(person, hosts[ONE])
    page = person.new_page()
    page.goto(f"{hosts[ONE].url}/jobs/new")
    page.get_by_text("How it behaves").click()
    page.get_by_label("Runs on").select_option("labels")
    page.get_by_label("Labels").fill("disk=2")
    expect(page.locator("#preview")).to_contain_text(f"It runs only on hosts with disk=2: {TWO}.")
    page.get_by_label("Name", exact=True).fill("by-label")
    page.get_by_label("The line").fill("true")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#definition")).to_contain_text("hosts with disk=2")
    assert RunsOn(labels={"disk": "2"}) == hosts[TWO].client.store.jobs.get("by-label").job.runs_on


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (360, "dark")])
def test_everybody_can_use_the_pages_of_hosts(hosts, running, chromium, width, colours):
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=colours)
    sign_in(context, hosts[ONE])
    page = context.new_page()
    for path in ("/hosts", f"/hosts/{TWO}", f"/hosts/{TWO}/forget", "/runs", f"/runs/{running}"):
        page.goto(hosts[ONE].url + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        assert [] == [each["id"] for each in Axe().run(page).response["violations"]], path
    context.close()


# -- whether it works -------------------------------------------------------------------------------------------------


def test_each_host_says_of_its_own_engine_whether_it_works_and_of_the_others_who_is_there(hosts):
    for name, site in hosts.items():
        told = httpx.get(f"{site.url}/readyz", trust_env=False)
        assert (200, name, "ok") == (told.status_code, told.json()["host"], told.json()["status"])
        assert [other for other in hosts if other != name] == told.json()["others"]
        found = measured(site)
        assert (2, 1) == (found["rota_hosts", "up"], found["rota_engine_up",])
        assert 1 == found["rota_planner", ONE] + found["rota_planner", TWO]


def test_the_pages_of_a_host_whose_engine_was_stopped_say_so_and_who_does_its_work(hosts):
    hosts[TWO].process.send_signal(signal.SIGSTOP)
    try:
        told = httpx.get(f"{hosts[TWO].url}/readyz", trust_env=False)
        assert (503, f"the engine of {TWO} was stopped; {ONE} does what is due") == (
            told.status_code,
            told.json()["status"],
        )
        assert f"The engine of {TWO} is stopped by a signal" in hosts[TWO].get("/", user="vera")
        assert 200 == httpx.get(f"{hosts[ONE].url}/readyz", trust_env=False).status_code
        assert "Scheduling" in hosts[ONE].get("/", user="vera")
    finally:
        hosts[TWO].process.send_signal(signal.SIGCONT)

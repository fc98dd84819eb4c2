"""The dashboard: how things stand, live, and the timeline that can be moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from process.waiting import wait_for
from rota.model.run import State
from rota.model.settlement import RunFilter

from .sites import Site

ODD = "<script>alert(1)</script> & Söhne/日本"
LONG = "x" * 200
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def steady(tmp_path_factory) -> Iterator[Site]:
    """A home with a job every ten minutes that has run by hand as well, in vain."""
    made = Site(tmp_path_factory.mktemp("steady"))
    made.add("backup", "exit 1", ("every", "10m"))
    made.start().run("backup")
    yield made
    made.close()


@pytest.fixture(scope="module")
def strange(tmp_path_factory) -> Iterator[Site]:
    """A home with names that are markup, or long, whose runs have failed; and one more job."""
    made = Site(tmp_path_factory.mktemp("strange"))
    for name in (ODD, LONG, "backup"):
        made.add(name, "exit 1", ("every", "1h"))
    made.start()
    for name in (ODD, LONG):
        made.run(name)
    yield made
    made.close()


def waiting_for(path: Path) -> str:
    """Return a command that ends when there is a file."""
    return f"while [ ! -e '{path}' ]; do sleep 0.05; done"


def figure(page: Page, name: str):
    """Return a number at the top of the page."""
    return page.locator("#figures div").filter(has=page.get_by_text(name, exact=True)).locator("a")


def test_a_home_without_jobs_says_how_to_make_the_first_one(empty, page):
    page.goto(empty.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduling.")
    expect(page.get_by_role("link", name="Make the first one")).to_have_attribute("href", "/jobs/new")
    expect(page.locator("#welcome")).to_contain_text("rota add hello --every 1m -- echo hello")


def test_a_run_appears_and_ends_without_the_page_being_loaded_again(site, page):
    site.add("backup", waiting_for(site.folder / "go"))
    site.start()
    page.goto(site.url)
    expect(page.locator("#running")).to_contain_text("Nothing runs at this moment.")
    expect(page.locator("#welcome")).to_be_hidden()
    page.evaluate("window.wasHere = true")
    run = site.client.verbs.trigger("backup")
    expect(page.locator("#running").get_by_role("link", name="backup")).to_have_attribute("href", f"/runs/{run}")
    expect(figure(page, "running")).to_have_text("1")
    expect(page.locator(f'.plot a[href="/runs/{run}"] .bar.running')).to_have_count(1)
    (site.folder / "go").touch()
    expect(page.locator("#running")).to_contain_text("Nothing runs at this moment.")
    expect(page.locator(f'.plot a[href="/runs/{run}"] .bar.succeeded')).to_have_count(1)
    expect(figure(page, "succeeded, 24 h")).to_have_text("1")
    assert page.evaluate("window.wasHere")


def test_a_run_that_goes_wrong_is_there_with_its_reason_and_in_the_sentence(site, page):
    site.add("breaks", "exit 3")
    site.start()
    page.goto(site.url)
    expect(page.locator("#failed")).to_contain_text("No run has gone wrong.")
    run = site.run("breaks")
    expect(page.locator("#failed").get_by_role("link", name="breaks")).to_have_attribute("href", f"/runs/{run}")
    expect(page.locator("#failed")).to_contain_text("exit code 3")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduling. In the last 24 hours 1 run went wrong.")
    figure(page, "failed, 24 h").click()
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    expect(page.locator("#runs")).to_contain_text("breaks")


def test_a_skipped_slot_says_why_and_leads_to_its_story(site, page):
    site.add("stuck", "sleep 60", ("every", "1s"))
    site.start()
    page.goto(site.url)
    late = page.locator("#late")
    expect(late).to_contain_text("was still running")
    assert "/jobs/stuck?why=" in (late.get_by_role("link", name="Why?").first.get_attribute("href") or "")
    expect(page.locator("#coming")).to_contain_text("stuck")


def test_a_run_that_waits_too_long_is_told(site, page):
    site.add("first", waiting_for(site.folder / "go"))
    site.add("second")
    site.start("--capacity", "1")
    first = site.client.verbs.trigger("first")
    wait_for(lambda: site.client.store.runs.find(first).state is State.RUNNING)
    site.client.verbs.trigger("second")
    page.goto(site.url)
    wait_for(lambda: overdue(site))
    page.reload()
    expect(page.locator("#late").get_by_role("link", name="second")).to_be_visible()
    expect(figure(page, "overdue")).to_have_text("1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Scheduling, but 1 run waits for a place.")
    (site.folder / "go").touch()


def overdue(site) -> bool:
    """Tell whether a run has been waiting for more than a moment."""
    (queued,) = site.client.store.runs.page(RunFilter(state="queued"), None, 1)
    return site.client.clock.now() - queued.queued_at > timedelta(seconds=5.5)


def test_links_change_the_span_and_the_page_stays(steady, page):
    page.goto(steady.url)
    expect(page.locator(".plot .now")).to_have_count(1)
    expect(page.locator("#timeline")).to_have_attribute("data-span", "6h")
    page.evaluate("window.wasHere = true")
    page.get_by_role("link", name="24h").click()
    expect(page.locator("#timeline")).to_have_attribute("data-span", "24h")
    assert page.url.endswith("/?span=24h")
    page.keyboard.press("-")
    expect(page.locator("#timeline")).to_have_attribute("data-span", "7d")
    page.keyboard.press("+")
    expect(page.locator("#timeline")).to_have_attribute("data-span", "24h")
    page.get_by_role("link", name="← earlier").click()
    page.get_by_role("link", name="← earlier").click()
    expect(page.locator(".plot .now")).to_have_count(0)
    page.get_by_role("link", name="now", exact=True).click()
    expect(page.locator(".plot .now")).to_have_count(1)
    page.go_back()
    expect(page.locator(".plot .now")).to_have_count(0)
    assert page.evaluate("window.wasHere")


def since(page: Page) -> float:
    """Return when the timeline begins."""
    return float(page.locator("#timeline").get_attribute("data-since") or 0)


def test_the_timeline_is_dragged_and_turned_with_the_wheel(steady, page):
    page.goto(steady.url)
    box = wait_for(page.locator(".plot").bounding_box)  # none while the page puts a newer one in its place
    before = since(page)
    page.mouse.move(box["x"] + 100, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 100 + box["width"] / 2, box["y"] + 10, steps=5)
    page.mouse.up()
    wait_for(lambda: abs((before - since(page)) - 3 * 3600) < 300)
    page.keyboard.down("Control")
    page.locator(".plot").hover()
    page.mouse.wheel(0, -100)
    expect(page.locator("#timeline")).to_have_attribute("data-span", "1h")
    page.keyboard.up("Control")


def test_without_scripts_the_span_is_in_the_address_and_what_makes_no_sense_is_refused(steady):
    assert 'data-span="7d"' in steady.get("/?span=7d")
    assert 'class="now"' not in steady.get("/?span=1h&at=2d+ago")
    assert "did you mean &#39;6h&#39;" in steady.get("/?span=6hh", 422)
    assert "a year back" in steady.get("/?at=1970-01-01", 422)


def test_ticks_are_on_the_clock_of_whoever_looks(steady, page):
    now = steady.client.clock.now()
    summer = now.replace(year=now.year + (now.month >= 6), month=6, day=1)
    page.goto(f"{steady.url}/?span=1h&at={summer:%Y-%m-%d}T10:00Z")
    expect(page.locator(".plot text").first).to_have_text("11:20")
    expect(page.locator("#timeline .head")).to_contain_text("1 Jun 11:20 to 12:20")
    assert 3 <= page.locator(".plot .slot").count() <= 6


def test_names_are_text_wherever_they_are(strange, page):
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(strange.url)
    for part in (".lanes", "#failed", "#coming"):
        expect(page.locator(part)).to_contain_text(ODD)
    expect(page.locator(".lanes").get_by_role("link", name=ODD)).to_have_attribute(
        "href", "/jobs/%3Cscript%3Ealert%281%29%3C%2Fscript%3E%20%26%20S%C3%B6hne%2F%E6%97%A5%E6%9C%AC"
    )
    assert 0 == page.evaluate(SIDEWAYS)
    assert [] == dialogs


def test_on_a_phone_nothing_scrolls_sideways_and_nothing_is_wrong_for_who_listens(strange, phone):
    phone.goto(strange.url)
    expect(phone.locator(".bar.failed")).to_have_count(2)
    assert 0 == phone.evaluate(SIDEWAYS)
    assert [] == [each["id"] for each in Axe().run(phone).response["violations"]]


def test_a_wide_page_is_right_for_who_listens_too(steady, page):
    page.goto(steady.url)
    expect(page.locator(".bar.failed")).to_have_count(1)
    assert [] == [each["id"] for each in Axe().run(page).response["violations"]]
    assert "1 failed; due in" in (page.locator(".lanes").text_content() or "")


def test_the_week_is_a_table_that_can_be_read(steady, page):
    page.goto(steady.url)
    expect(page.locator(".heat .current")).to_contain_text("1 run, 1 went wrong")
    expect(page.locator(".heat .current")).to_have_class("level-5 current")
    assert 7 == page.locator(".heat tbody tr").count()

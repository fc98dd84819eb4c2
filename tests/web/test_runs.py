"""The list of runs: filtered, in pages, live, and kind to those who ask for what cannot be."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from rota.model.settlement import RunFilter

from .test_dashboard import LONG, ODD, SIDEWAYS


def states(text: str) -> list[str]:
    """Return the states of the runs that a page lists, in order."""
    return re.findall(r'<td><a class="plain"[^>]*><span class="state (\w+)"', text)


def test_a_list_without_runs_says_where_they_come_from(site):
    site.start()
    assert "Nothing has run yet." in site.get("/runs")
    assert "No run is like that." in site.get("/runs?state=failed")


def test_runs_are_told_with_what_made_them_and_how_they_ended(site):
    site.add("breaks", "exit 3")
    site.start()
    run = site.run("breaks")
    text = site.get("/runs")
    for part in (f'href="/runs/{run}"', 'href="/jobs/breaks"', "by hand", "exit code 3"):
        assert part in text


def test_runs_are_filtered_by_all_that_is_asked_for(site):
    site.add("well", tags=("night",))
    site.add("wrong", "exit 1")
    site.start()
    site.run("well")
    site.run("wrong")
    for query, expected in {
        "": ["failed", "succeeded"],
        "?state=trouble": ["failed"],
        "?state=succeeded": ["succeeded"],
        "?state=active": [],
        "?text=wro": ["failed"],
        "?job=well": ["succeeded"],
        "?tag=night": ["succeeded"],
        "?since=1h": ["failed", "succeeded"],
        "?until=1h": [],
        "?since=1h&state=failed&text=w": ["failed"],
    }.items():
        assert expected == states(site.get(f"/runs{query}")), query


def test_what_cannot_be_asked_for_is_said_beside_the_form_with_what_was_meant(site):
    site.add("backup")
    site.start()
    site.run("backup")
    for query, says in {
        "state=faild": "did you mean &#39;failed&#39;",
        "job=bakcup": "did you mean &#39;backup&#39;",
        "since=whenever": "since &#39;whenever&#39;: it is no date and time",
        "before=nonsense": "no cursor of this list",
    }.items():
        text = site.get(f"/runs?{query}", 422)
        assert says in text, query
        assert 'name="state"' in text
    assert 'value="whenever"' in site.get("/runs?since=whenever", 422)


def test_older_runs_are_a_page_away_and_the_way_keeps_the_filters(site, page):
    site.add("tick")
    for _ in range(101):
        site.client.verbs.trigger("tick")
    for run in site.client.store.runs.page(RunFilter(), None, 200):
        site.client.verbs.cancel(run.id, "not needed")
    site.start()
    page.goto(f"{site.url}/runs?state=cancelled")
    expect(page.locator("#runs tbody tr")).to_have_count(100)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    assert "state=cancelled" in page.url
    expect(page.get_by_role("link", name="Older")).to_have_count(0)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("#runs tbody tr")).to_have_count(100)


def test_a_new_run_comes_by_itself(site, page):
    site.add("backup")
    site.start()
    page.goto(f"{site.url}/runs")
    expect(page.locator("#runs")).to_contain_text("Nothing has run yet.")
    site.run("backup")
    row = page.locator("#runs tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("succeeded")
    page.keyboard.press("j")
    expect(row).to_have_class("here")


def test_the_form_asks_and_the_search_key_leads_to_it(site, page):
    site.add("backup")
    site.add("other")
    site.start()
    site.run("backup")
    site.run("other")
    page.goto(f"{site.url}/runs")
    page.keyboard.press("/")
    page.keyboard.type("back")
    page.keyboard.press("Enter")
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    page.get_by_role("link", name="went wrong").click()
    expect(page.locator("#runs")).to_contain_text("No run is like that.")


def test_on_a_phone_nothing_scrolls_sideways_and_names_are_text(site, phone):
    for name in (ODD, LONG):
        site.add(name, "exit 1")
    site.start()
    for name in (ODD, LONG):
        site.run(name)
    phone.goto(f"{site.url}/runs")
    expect(phone.locator("#runs tbody tr")).to_have_count(2)
    expect(phone.locator("#runs")).to_contain_text(ODD)
    assert 0 == phone.evaluate(SIDEWAYS)
    assert [] == [each["id"] for each in Axe().run(phone).response["violations"]]

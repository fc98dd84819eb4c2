"""Pages were made one by one: what is on several of them is the same on each, and leads to where it says."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from rota.web.guided import Guided, wrong_fields

_ON_THE_CLOCK_OF_BERLIN = re.compile(r"\d\d:\d\d:\d\d CES?T")


def test_the_number_of_paused_jobs_leads_to_those(site, page):
    site.add("asleep")
    site.add("awake")
    site.client.verbs.pause("asleep")
    site.start()
    page.goto(site.url)
    page.locator("#figures div").filter(has_text="paused").get_by_role("link").click()
    expect(page.locator("#jobs a.name")).to_have_text(["asleep"])


def test_who_is_known_finds_the_other_pages_from_one_that_is_not_there(site, person, page):
    site.start()
    page.goto(f"{site.url}/jobs/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not here")
    assert 0 == page.locator("[data-live]").count(), "nothing of it asks for the page again"
    page.get_by_role("navigation").get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    person.complaints.clear()  # of the page that was not there


def test_the_story_of_a_run_and_of_a_job_are_on_the_clock_of_whoever_reads_them(site, page):
    site.add("hello", "true", ("every", "1h"), timezone="Asia/Tokyo")
    site.start()
    run = site.run("hello")
    page.goto(site.url)  # a browser says its clock
    page.goto(f"{site.url}/runs/{run}")
    expect(page.locator("#run-story")).to_contain_text(_ON_THE_CLOCK_OF_BERLIN)
    page.goto(f"{site.url}/jobs/hello")
    expect(page.locator("#why-answer")).to_contain_text(_ON_THE_CLOCK_OF_BERLIN)
    expect(page.locator("#job-next li").first).not_to_contain_text("JST")
    page.goto(f"{site.url}/jobs/hello?why=00:00")
    expect(page.locator("#why-answer")).to_contain_text("JST")


def test_the_page_of_a_job_leads_to_all_of_its_runs(site, page):
    name = "odd/näme & <b>"
    site.add(name)
    site.add("other")
    site.start()
    site.run("other")
    site.run(name)
    page.goto(f"{site.url}/jobs")
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name="All of its runs").click()
    expect(page.locator("#runs a.name")).to_have_text([name])


def test_states_have_the_same_words_in_the_lists_of_jobs_and_of_runs(site, page):
    site.add("hello")
    site.start()
    page.goto(f"{site.url}/runs")
    runs = page.locator('select[name="state"] option').all_inner_texts()
    page.goto(f"{site.url}/jobs")
    jobs = page.locator('select[name="state"] option').all_inner_texts()
    assert [f"last run: {word}" for word in runs[1:]] == jobs[1:]


def test_a_run_that_timed_out_has_its_mark_in_the_list_of_jobs_too(site, page):
    site.add("slow", "sleep 60", timeout=timedelta(seconds=0.2))
    site.start()
    site.run("slow")
    page.goto(f"{site.url}/jobs")
    expect(page.locator("#jobs a.state.timed_out")).to_contain_text("timed out")
    expect(page.locator("#jobs a.state .mark.timed_out circle")).to_have_count(1)


def test_a_form_that_has_nothing_to_run_says_so_in_words_of_the_form():
    for what in ("line", "argv", "python"):
        said = wrong_fields(Guided(name="a", what=what))[what]
        assert said.startswith("it has nothing to run yet; ")

"""The list of jobs: what it says of each, how it is searched, what can be done there, and that it stays in peace."""

from __future__ import annotations

import re

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from rota.model.access import Kind

ODD = "a/b c% ünï <script>alert(1)</script>"


def row(page: Page, name: str):
    return page.locator("tr[data-row]", has=page.get_by_role("link", name=name, exact=True))


def post(site, path: str, data: dict, user: str = ""):
    headers = {"Accept": "text/html"}
    if user:
        headers["Authorization"] = f"Bearer {site.client.accounts.issue(user, Kind.TOKEN, 'test').secret}"
    return httpx.post(site.url + path, data=data, headers=headers)


def site_post(site, path: str, data: dict, status: int = 200, user: str = "") -> str:
    answer = post(site, path, data, user)
    assert status == answer.status_code, answer.text
    return answer.text


def test_a_home_without_jobs_says_how_to_make_one(site, page):
    site.start()
    page.goto(f"{site.url}/jobs")
    expect(page.locator("main")).to_contain_text("There are no jobs yet")
    expect(page.locator("main")).to_contain_text("rota init")
    page.get_by_role("link", name="Make one here").click()
    expect(page.get_by_role("heading", name="New job")).to_be_visible()


def test_a_row_says_what_a_job_is_when_it_is_due_and_how_it_went(site, page):
    site.add("backup", "exit 3", ("cron", "30 2 * * *"), tags=("nightly",), timezone="Europe/Berlin")
    site.start()
    for _ in range(2):
        site.run("backup")
    page.goto(f"{site.url}/jobs")
    mine = row(page, "backup")
    expect(mine).to_contain_text("at 02:30 every day (Europe/Berlin)")
    expect(mine.locator(".next")).to_contain_text(re.compile(r"in .*02:30"))
    expect(mine.locator(".last")).to_contain_text("failed (3)")
    expect(mine.get_by_role("img", name="last 2 runs: 2 failed")).to_be_visible()


def test_names_and_tags_are_text_whatever_is_in_them(site, page):
    site.add(ODD, tags=("<b>bold</b>",))
    site.add("n" * 200)
    site.start()
    page.goto(f"{site.url}/jobs")
    expect(page.get_by_role("link", name=ODD, exact=True)).to_be_visible()
    page.get_by_role("link", name="<b>bold</b>").click()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.get_by_role("button", name=f"Pause {ODD}").click()
    expect(page.get_by_role("status")).to_contain_text(f"{ODD} is paused")


def test_jobs_are_found_by_name_tag_last_run_and_what_they_are(site):
    site.add("apple", tags=("fruit",))
    site.add("pear", "exit 1", tags=("fruit",))
    site.add("plane", enabled=False)
    site.start()
    site.run("pear")
    site.client.verbs.pause("apple")

    def names(query: str) -> list[str]:
        return re.findall(r'class="name" href="/jobs/(\w+)"', site.get(f"/jobs?{query}"))

    assert ["apple", "pear", "plane"] == names("")
    assert ["plane"] == names("text=LAN")
    assert ["apple", "pear"] == names("tag=fruit")
    assert ["pear"] == names("state=failed")
    assert ["apple"] == names("status=paused")
    assert ["plane"] == names("status=disabled")
    assert ["pear"] == names("status=on")
    assert ["apple", "pear", "plane"] == names("origin=hand")
    assert "No job matches" in site.get("/jobs?text=zebra")
    site.get("/jobs?status=odd", 422)
    site.get("/jobs?state=odd", 422)


def test_a_long_list_comes_in_pages(site, page):
    for number in range(60):
        site.add(f"job-{number:02}")
    site.start()
    page.goto(f"{site.url}/jobs")
    expect(page.locator("tr[data-row]")).to_have_count(50)
    page.get_by_role("link", name="Next 50").click()
    expect(page.locator("tr[data-row]")).to_have_count(10)
    page.get_by_role("link", name="From the beginning").click()
    expect(page.get_by_role("link", name="job-00")).to_be_visible()


def test_a_button_of_a_row_runs_its_job_and_the_row_tells_of_it_by_itself(site, page):
    site.add("quick", "true")
    site.start()
    page.goto(f"{site.url}/jobs?text=quick")
    page.get_by_role("button", name="Run quick").click()
    expect(page.get_by_role("status")).to_have_text("quick is asked to run.")
    assert page.url.endswith("/jobs?text=quick")
    expect(row(page, "quick").locator(".last")).to_contain_text("succeeded")


def test_ticked_jobs_are_paused_together_and_others_are_not(site, page):
    for name in ("one", "two", "three"):
        site.add(name, "true", ("every", "1h"))
    site.start()
    page.goto(f"{site.url}/jobs")
    expect(page.locator("#bulk").get_by_role("button", name="Pause")).to_be_disabled()
    page.get_by_label("Tick one").check()
    page.get_by_label("Tick two").check()
    expect(page.locator("[data-ticked]")).to_have_text("the 2 that are ticked")
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("2 jobs are paused.")
    paused = {name for name in ("one", "two", "three") if site.client.store.jobs.get(name).paused_at}
    assert {"one", "two"} == paused


def test_one_box_ticks_all_on_the_page_and_another_takes_all_that_match(site, page):
    for number in range(55):
        site.add(f"job-{number:02}", "true", ("every", "1h"))
    site.add("other", "true", ("every", "1h"))
    site.start()
    page.goto(f"{site.url}/jobs?text=job")
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-ticked]")).to_have_text("the 50 that are ticked")
    page.get_by_label("All that match").check()
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("55 jobs are paused.")
    assert site.client.store.jobs.get("other").paused_at is None


def test_what_could_not_be_done_is_listed_with_its_reason(site):
    site.add("there")
    site.start()
    text = site_post(site, "/jobs/-/bulk", {"do": "run", "name": ["there", "gone"], "next": "/jobs?text=e"})
    assert "there is asked to run; 1 could not be" in text
    assert "no job named &#39;gone&#39;" in text
    assert 'href="/jobs?text=e"' in text


def test_jobs_are_removed_only_after_a_page_has_asked(site, page):
    (site.folder / "rota.yaml").write_text("jobs:\n  filed:\n    run: 'true'\n")
    site.add("one")
    site.add("two")
    site.start()
    page.goto(f"{site.url}/jobs")
    page.get_by_label("All on this page").check()
    page.get_by_role("button", name="Remove…").click()
    expect(page.get_by_role("heading", name="Remove 2 jobs?")).to_be_visible()
    expect(page.locator("main")).to_contain_text("from files or programs, which say what is so, and stays: filed")
    assert {"filed", "one", "two"} == set(site.client.store.jobs.names())
    assert [] == Axe().run(page).response["violations"]
    page.get_by_role("button", name="Remove them").click()
    expect(page.get_by_role("status")).to_have_text("2 jobs are removed.")
    assert ["filed"] == site.client.store.jobs.names()


def test_a_page_that_answers_a_form_stays_and_what_is_around_it_is_kept_up_to_date(site, page):
    site.add("one")
    site.start()
    page.goto(f"{site.url}/jobs")
    page.get_by_label("Tick one").check()
    page.get_by_role("button", name="Remove…").click()
    with page.expect_response(lambda answer: answer.url.endswith("/jobs/-/removal")) as answered:
        site.add("two")
    assert 200 == answered.value.status
    expect(page.get_by_role("heading", name="Remove 1 job?")).to_be_visible()
    expect(page.locator("[data-lost]")).to_be_hidden()


def test_one_job_is_removed_unless_somebody_changed_it_meanwhile(site, page):
    site.add("old")
    site.start()
    page.goto(f"{site.url}/jobs/old/remove")
    expect(page.get_by_role("heading", name="Remove old?")).to_be_visible()
    site.client.verbs.pause("old")
    job = site.client.store.jobs.get("old").job
    site.client.verbs.change("old", job)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    page.context.complaints.clear()  # a browser notes that an answer is 412
    page.goto(f"{site.url}/jobs/old/remove")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("status")).to_contain_text("old is removed.")
    assert [] == site.client.store.jobs.names()


def test_a_list_in_which_something_is_ticked_is_left_alone_until_it_is_not(site, page):
    site.add("one")
    site.start()
    page.goto(f"{site.url}/jobs")
    page.get_by_label("Tick one").check()
    site.add("two")
    site.run("one")
    with page.expect_response(lambda answer: answer.url.endswith("/jobs")):
        pass
    expect(page.get_by_label("Tick one")).to_be_checked()
    expect(row(page, "two")).to_have_count(0)
    page.get_by_label("Tick one").uncheck()
    page.get_by_role("heading", name="Jobs").click()
    site.run("one")
    expect(row(page, "two")).to_be_visible()


def test_a_viewer_sees_no_deeds_and_is_refused_them(site):
    site.user("ann")
    vera = site.user("vera", "viewer")
    site.add("backup")
    site.start()
    text = site.get("/jobs", user=vera)
    assert "backup" in text
    assert not re.search(r"<button[^>]*>(Run|Pause)|New job|type=\"checkbox\"", text)
    for path in ("/jobs/backup/run", "/jobs/backup/pause", "/jobs/-/bulk", "/jobs/backup/remove", "/jobs/new"):
        site_post(site, path, {"do": "pause", "name": "backup"}, 403, vera)
    for path in ("/jobs/new", "/jobs/backup/edit", "/jobs/backup/remove"):
        site.get(path, 403, vera)
    assert site.client.store.jobs.get("backup").paused_at is None


def test_an_operator_runs_jobs_and_neither_makes_nor_removes_them(site):
    site.user("ann")
    olga = site.user("olga", "operator")
    site.add("backup")
    site.start()
    text = site.get("/jobs", user=olga)
    assert "Pause" in text
    assert "New job" not in text
    assert "Remove" not in text
    site_post(site, "/jobs/-/bulk", {"do": "delete", "name": "backup"}, 403, olga)
    site_post(site, "/jobs/backup/pause", {}, 303, olga)
    assert site.client.store.jobs.get("backup").paused_at is not None


def test_a_button_leads_nowhere_but_to_pages_of_this_site(site):
    site.add("backup")
    site.start()
    answer = post(site, "/jobs/backup/pause", {"next": "https://elsewhere.example/"})
    assert "/" == answer.headers["location"]


def test_the_list_is_whole_on_a_phone(site, phone):
    site.add("backup", "true", ("cron", "30 2 * * *"), tags=("nightly",))
    site.add("n" * 200, "true", tags=("t" * 100,))
    site.start()
    site.run("backup")
    phone.goto(f"{site.url}/jobs")
    expect(row(phone, "backup").get_by_role("button", name="Run backup")).to_be_visible()
    assert 0 >= phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert [] == Axe().run(phone).response["violations"]


def test_the_list_has_no_barriers(site, page):
    site.add("backup", "exit 1", ("cron", "30 2 * * *"), tags=("nightly",))
    site.add("paused", "true", ("every", "1h"))
    site.client.verbs.pause("paused")
    site.start()
    site.run("backup")
    for path in ("/jobs", "/jobs?text=zebra", "/jobs/backup/remove"):
        page.goto(site.url + path)
        assert [] == Axe().run(page).response["violations"], path

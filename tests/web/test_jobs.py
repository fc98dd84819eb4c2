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


def test_a_home_without_jobs_says_how_to_make_one(empty, page):
    page.goto(f"{empty.url}/jobs")
    expect(page.locator("main")).to_contain_text("There are no jobs yet")
    expect(page.locator("main")).to_contain_text("rota init")
    page.get_by_role("link", name="Make one here").click()
    expect(page.get_by_role("heading", name="New job")).to_be_visible()


def test_a_row_says_what_a_job_is_when_it_is_due_and_how_it_went(shared, page):
    shared.add("dump", "exit 3", ("cron", "30 2 * * *"), tags=("nightly",), timezone="Europe/Berlin")
    for _ in range(2):
        shared.run("dump")
    page.goto(f"{shared.url}/jobs?text=dump")
    mine = row(page, "dump")
    expect(mine).to_contain_text("at 02:30 every day (Europe/Berlin)")
    expect(mine.locator(".next")).to_contain_text(re.compile(r"in .*02:30"))
    expect(mine.locator(".last")).to_contain_text("failed (3)")
    expect(mine.get_by_role("img", name="last 2 runs: 2 failed")).to_be_visible()


def test_names_and_tags_are_text_whatever_is_in_them(shared, page):
    shared.add(ODD, tags=("<b>bold</b>",))
    shared.add("<script>" + "n" * 190)
    page.goto(f"{shared.url}/jobs?text=script")
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


def test_a_long_list_comes_in_pages(shared, page):
    for number in range(60):
        shared.add(f"page-{number:02}")
    page.goto(f"{shared.url}/jobs?text=page-")
    expect(page.locator("tr[data-row]")).to_have_count(50)
    page.get_by_role("link", name="Next 50").click()
    expect(page.locator("tr[data-row]")).to_have_count(10)
    page.get_by_role("link", name="From the beginning").click()
    expect(page.get_by_role("link", name="page-00")).to_be_visible()


def test_a_button_of_a_row_runs_its_job_and_the_row_tells_of_it_by_itself(shared, page):
    shared.add("quick", "true")
    page.goto(f"{shared.url}/jobs?text=quick")
    page.get_by_role("button", name="Run quick").click()
    expect(page.get_by_role("status")).to_have_text("quick is asked to run.")
    assert page.url.endswith("/jobs?text=quick")
    expect(row(page, "quick").locator(".last")).to_contain_text("succeeded")


def test_ticked_jobs_are_paused_together_and_others_are_not(shared, page):
    for name in ("t-one", "t-two", "t-three"):
        shared.add(name, "true", ("every", "1h"))
    page.goto(f"{shared.url}/jobs?text=t-")
    expect(page.locator("#bulk").get_by_role("button", name="Pause")).to_be_disabled()
    page.get_by_label("Tick t-one").check()
    page.get_by_label("Tick t-two").check()
    expect(page.locator("[data-ticked]")).to_have_text("the 2 that are ticked")
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("2 jobs are paused.")
    paused = {name for name in ("t-one", "t-two", "t-three") if shared.client.store.jobs.get(name).paused_at}
    assert {"t-one", "t-two"} == paused


def test_one_box_ticks_all_on_the_page_and_another_takes_all_that_match(shared, page):
    for number in range(55):
        shared.add(f"job-{number:02}", "true", ("every", "1h"))
    shared.add("other", "true", ("every", "1h"))
    page.goto(f"{shared.url}/jobs?text=job")
    page.get_by_label("All on this page").check()
    expect(page.locator("[data-ticked]")).to_have_text("the 50 that are ticked")
    page.get_by_label("All that match").check()
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_have_text("55 jobs are paused.")
    assert shared.client.store.jobs.get("other").paused_at is None


def test_what_could_not_be_done_is_listed_with_its_reason(shared):
    shared.add("there")
    text = site_post(shared, "/jobs/-/bulk", {"do": "run", "name": ["there", "gone"], "next": "/jobs?text=e"})
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


def test_a_page_that_answers_a_form_stays_and_what_is_around_it_is_kept_up_to_date(shared, page):
    shared.add("asked")
    page.goto(f"{shared.url}/jobs?text=asked")
    page.get_by_label("Tick asked").check()
    page.get_by_role("button", name="Remove…").click()
    with page.expect_response(lambda answer: answer.url.endswith("/jobs/-/removal")) as answered:
        shared.add("come")
    assert 200 == answered.value.status
    expect(page.get_by_role("heading", name="Remove 1 job?")).to_be_visible()
    expect(page.locator("[data-lost]")).to_be_hidden()


def test_one_job_is_removed_unless_somebody_changed_it_meanwhile(shared, page):
    shared.add("old")
    page.goto(f"{shared.url}/jobs/old/remove")
    expect(page.get_by_role("heading", name="Remove old?")).to_be_visible()
    shared.client.verbs.pause("old")
    job = shared.client.store.jobs.get("old").job
    shared.client.verbs.change("old", job)
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("heading", name="Somebody was faster")).to_be_visible()
    page.context.complaints.clear()  # a browser notes that an answer is 412
    page.goto(f"{shared.url}/jobs/old/remove")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("status")).to_contain_text("old is removed.")
    assert "old" not in shared.client.store.jobs.names()


def test_a_list_in_which_something_is_ticked_is_left_alone_until_it_is_not(shared, page):
    shared.add("held")
    page.goto(f"{shared.url}/jobs?text=held")
    page.get_by_label("Tick held").check()
    shared.add("held-2")
    shared.run("held")
    with page.expect_response(lambda answer: answer.url.endswith("/jobs?text=held")):
        pass
    expect(page.get_by_label("Tick held")).to_be_checked()
    expect(row(page, "held-2")).to_have_count(0)
    page.get_by_label("Tick held").uncheck()
    page.get_by_role("heading", name="Jobs").click()
    shared.run("held")
    expect(row(page, "held-2")).to_be_visible()


def test_a_viewer_sees_no_deeds_and_is_refused_them(peopled):
    peopled.add("seen")
    text = peopled.get("/jobs", user="vera")
    assert "seen" in text
    assert not re.search(r"<button[^>]*>(Run|Pause)|New job|type=\"checkbox\"", text)
    for path in ("/jobs/seen/run", "/jobs/seen/pause", "/jobs/-/bulk", "/jobs/seen/remove", "/jobs/new"):
        site_post(peopled, path, {"do": "pause", "name": "seen"}, 403, "vera")
    for path in ("/jobs/new", "/jobs/seen/edit", "/jobs/seen/remove"):
        peopled.get(path, 403, "vera")
    assert peopled.client.store.jobs.get("seen").paused_at is None


def test_an_operator_runs_jobs_and_neither_makes_nor_removes_them(peopled):
    peopled.add("operated")
    text = peopled.get("/jobs", user="olga")
    assert "Pause" in text
    assert "New job" not in text
    assert "Remove" not in text
    site_post(peopled, "/jobs/-/bulk", {"do": "delete", "name": "operated"}, 403, "olga")
    site_post(peopled, "/jobs/operated/pause", {}, 303, "olga")
    assert peopled.client.store.jobs.get("operated").paused_at is not None


def test_a_button_leads_nowhere_but_to_pages_of_this_site(shared):
    shared.add("backup")
    answer = post(shared, "/jobs/backup/pause", {"next": "https://elsewhere.example/"})
    assert "/" == answer.headers["location"]


def test_the_list_is_whole_on_a_phone(shared, phone):
    shared.add("phoned", "true", ("cron", "30 2 * * *"), tags=("nightly",))
    shared.add("phoned" + "n" * 190, "true", tags=("t" * 100,))
    shared.run("phoned")
    phone.goto(f"{shared.url}/jobs?text=phoned")
    expect(row(phone, "phoned").get_by_role("button", name="Run phoned")).to_be_visible()
    assert 0 >= phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert [] == Axe().run(phone).response["violations"]


def test_the_list_has_no_barriers(shared, page):
    shared.add("barred", "exit 1", ("cron", "30 2 * * *"), tags=("nightly",))
    shared.add("barred-2", "true", ("every", "1h"))
    shared.client.verbs.pause("barred-2")
    shared.run("barred")
    for path in ("/jobs?text=barred", "/jobs?text=zebra", "/jobs/barred/remove"):
        page.goto(shared.url + path)
        assert [] == Axe().run(page).response["violations"], path

"""The form of a job in a real browser: it is guided, says what it means while somebody types, and loses nothing."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from rota.model.action import Command, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Overlap, Policy

from .test_jobs import post


def stored(site, name: str) -> Job:
    return site.client.store.jobs.get(name).job


@pytest.fixture
def plain(chromium):
    """A page of a browser without scripts."""
    context: BrowserContext = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_a_job_is_made_by_the_form_and_is_in_the_list_and_in_the_store(site, page: Page):
    site.start()
    page.goto(f"{site.url}/jobs")
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("What it is for").fill("Keeps the shop")
    page.get_by_label("The line").fill("pg_dump shop > /dev/null")
    page.get_by_label("Times", exact=True).fill("09:00, 17:30")
    page.get_by_label("On", exact=True).select_option("week")
    for day in ("Mon", "Tue", "Wed"):
        page.get_by_label(day, exact=True).check()
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_text("How it behaves").click()
    page.get_by_label("Time limit").fill("1h")
    page.get_by_label("Retries").fill("2")
    page.get_by_label("Tags").fill("nightly, shop")
    page.get_by_label("Variables").fill("LEVEL=9\nNAME=a=b")
    page.get_by_label("Secrets").fill("TOKEN=env:SHOP_TOKEN")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("backup is made, and due in")
    expect(page.get_by_role("heading", name="backup")).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").click()
    expect(page.locator("tr[data-row]")).to_contain_text("at 09:00 on Monday to Wednesday")
    job = stored(site, "backup")
    assert Shell("pg_dump shop > /dev/null") == job.action
    assert (ScheduleSpec("cron", "0 9 * * 1-3"), ScheduleSpec("cron", "30 17 * * 1-3")) == job.schedules
    assert ("Europe/Berlin", ("nightly", "shop")) == (job.timezone, job.tags)
    assert (3600, 2) == (job.policy.timeout.total_seconds(), job.policy.retries.count)
    assert ({"LEVEL": "9", "NAME": "a=b"}, {"TOKEN": "env:SHOP_TOKEN"}) == (job.env, job.secrets)


def test_what_a_schedule_means_is_told_while_somebody_types_with_what_the_clock_does(site, page: Page):
    site.start()
    page.goto(f"{site.url}/jobs/new")
    preview = page.locator("#preview")
    page.get_by_label("Times", exact=True).fill("02:30")
    page.get_by_label("Time zone").fill("America/New_York")
    expect(preview).to_contain_text("At 02:30 every day (America/New_York)")
    expect(preview).to_contain_text("there is no 02:30: it fires at 03:00 instead")
    expect(preview).to_contain_text("on your clock")
    expect(preview.locator("li")).to_have_count(10)
    page.get_by_label("As in cron").check()
    page.get_by_label("Cron", exact=True).fill("61 * * * *")
    expect(preview).to_contain_text("minute must be 0 to 59, not 61")
    page.get_by_label("Cron", exact=True).fill("*/20 * * * *")
    expect(preview).to_contain_text("Every 20 minutes")
    page.get_by_label("Again and again").check()
    expect(page.get_by_label("Time zone")).to_be_hidden()
    page.get_by_label("Every", exact=True).fill("90")
    expect(preview).to_contain_text("Every 1 hour 30 minutes")
    page.get_by_label("Only by hand").check()
    expect(preview).to_contain_text("never by itself")


def test_what_is_wrong_is_told_beside_its_field_and_what_was_typed_stays(site, page: Page):
    site.add("taken")
    site.start()
    page.goto(f"{site.url}/jobs/new")
    page.get_by_label("Name", exact=True).fill("taken")
    page.get_by_label("The line").fill("true")
    page.get_by_label("Times", exact=True).fill("9 o'clock")
    page.get_by_text("How it behaves").click()
    page.get_by_label("Time limit").fill("long")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert").first).to_contain_text("It is not saved")
    limit, times = page.get_by_label("Time limit"), page.get_by_label("Times", exact=True)
    expect(limit).to_have_value("long")
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_accessible_description(re.compile("timeout: 'long' is no duration: .*; write a number"))
    expect(times).to_have_accessible_description(re.compile("'9' is no time of day; write it such as 09:00"))
    times.fill("09:00")
    limit.fill("10m")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#h-name")).to_contain_text("there is a job named 'taken' already")
    page.get_by_label("Name", exact=True).fill("free")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("free is made")
    page.context.complaints.clear()  # a browser notes that two answers were 422


def test_the_whole_job_is_written_as_text_with_every_problem_at_its_line(site, page: Page):
    site.start()
    page.goto(f"{site.url}/jobs/new")
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("The line").fill("true")
    page.get_by_role("button", name="As text").click()
    text = page.get_by_label("The job as YAML")
    expect(text).to_have_value("run: 'true'\ncron: '0 9 * * *'\ntimezone: Europe/Berlin\n")
    text.fill("run: [echo, hello]\nretires: 2\ncron: 61 * * * *\n")
    expect(page.locator("#preview")).to_contain_text("line 2, column 1: unknown key 'retires'; did you mean 'retries'?")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert").first).to_contain_text("line 3, column 7: cron '61 * * * *'")
    text.fill("run: [echo, hello]\numask: '027'\nschedules: [{cron: 0 1 * * *}, {every: 5m}]\n")
    expect(page.locator("#preview li")).to_have_count(10)
    page.get_by_role("button", name="As a form").click()
    expect(page.get_by_label("As it is now, which only its text can say")).to_be_checked()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("backup is made")
    job = stored(site, "backup")
    assert (Command(("echo", "hello")), 0o027, 2) == (job.action, job.umask, len(job.schedules))
    page.context.complaints.clear()  # a browser notes that one answer was 422


def test_an_edit_keeps_what_the_form_does_not_show(site, page: Page):
    policy = Policy(overlap=Overlap.QUEUE, max_instances=3)
    specs = (ScheduleSpec("calendar", "Mon 09:00", dst="skip"),)
    job = Job("odd/näme <b>", Command(("a", "", "b\nc")), specs, policy, "UTC", env={"A": "1\n2"}, umask=0o77)
    site.client.verbs.add(job)
    site.start()
    page.goto(f"{site.url}/jobs/odd%2Fn%C3%A4me%20%3Cb%3E/edit")
    expect(page.get_by_role("heading", name="Change odd/näme <b>")).to_be_visible()
    page.get_by_label("What it is for").fill("Why not")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("odd/näme <b> is changed")
    after = stored(site, "odd/näme <b>")
    assert "Why not" == after.description
    assert (job.action, job.schedules, job.policy, job.env, job.umask) == (
        after.action,
        after.schedules,
        after.policy,
        after.env,
        after.umask,
    )


def test_whoever_is_second_sees_the_difference_and_decides(site, page: Page):
    site.add("backup", "echo old", ("every", "1h"))
    site.start()
    page.goto(f"{site.url}/jobs/backup/edit")
    page.get_by_label("The line").fill("echo mine")
    theirs = stored(site, "backup")
    site.client.verbs.change("backup", Job("backup", Shell("echo theirs"), theirs.schedules, cwd=theirs.cwd))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Somebody changed backup while you did")).to_be_visible()
    expect(page.get_by_role("row", name="run")).to_contain_text("echo theirs")
    expect(page.get_by_role("row", name="run")).to_contain_text("echo mine")
    assert Shell("echo theirs") == stored(site, "backup").action
    assert [] == Axe().run(page).response["violations"]
    page.get_by_role("button", name="Go on with mine").click()
    expect(page.get_by_label("The line")).to_have_value("echo mine")
    page.get_by_label("The line").fill("echo ours")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("backup is changed")
    assert Shell("echo ours") == stored(site, "backup").action
    page.context.complaints.clear()  # a browser notes that an answer was 409


def test_a_job_of_a_file_is_changed_there_and_can_be_copied(site, page: Page):
    path = site.folder / "rota.yaml"
    path.write_text("jobs:\n  filed:\n    run: echo filed\n    every: 7m\n    umask: '027'\n")
    site.start()
    page.goto(f"{site.url}/jobs/filed/edit")
    expect(page.locator("main")).to_contain_text(str(path))
    assert [] == Axe().run(page).response["violations"]
    page.get_by_role("link", name="Copy it as a new job").click()
    expect(page.get_by_label("The line")).to_have_value("echo filed")
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("status")).to_contain_text("mine is made")
    mine, filed = stored(site, "mine"), stored(site, "filed")
    assert ("7m", 0o027) == (mine.schedules[0].text, mine.umask)
    assert mine.schedules[0].anchor > filed.schedules[0].anchor


def test_without_scripts_a_job_is_made_and_its_schedule_explained(site, plain: Page):
    site.start()
    plain.goto(f"{site.url}/jobs/new")
    plain.get_by_label("Name", exact=True).fill("backup")
    plain.get_by_label("A program with its arguments").check()
    plain.get_by_label("The program, and each argument").fill("echo\nhello world")
    plain.get_by_label("Times", exact=True).fill("02:30")
    plain.get_by_label("Time zone").fill("Europe/Berlin")
    plain.get_by_role("button", name="Show what this means").click()
    expect(plain.locator("#preview")).to_contain_text("At 02:30 every day (Europe/Berlin)")
    expect(plain.locator("#preview li")).to_have_count(10)
    expect(plain.get_by_label("The program, and each argument")).to_have_value("echo\nhello world")
    assert [] == site.client.store.jobs.names()
    plain.get_by_role("button", name="Make it").click()
    expect(plain.get_by_role("status")).to_contain_text("backup is made")
    assert Command(("echo", "hello world")) == stored(site, "backup").action
    plain.get_by_role("button", name="Pause", exact=True).click()
    expect(plain.get_by_role("button", name="Resume", exact=True)).to_be_visible()


def test_a_job_is_made_on_a_phone(site, phone: Page):
    site.start()
    phone.goto(f"{site.url}/jobs/new")
    phone.get_by_label("Name", exact=True).fill("backup")
    phone.get_by_label("The line").fill("true")
    phone.get_by_label("Again and again").check()
    phone.get_by_label("Every", exact=True).fill("10")
    expect(phone.locator("#preview")).to_contain_text("Every 10 minutes")
    assert 0 >= phone.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert [] == Axe().run(phone).response["violations"]
    phone.get_by_role("button", name="Make it").click()
    expect(phone.get_by_role("status")).to_contain_text("backup is made")


def test_enter_in_a_field_saves_and_does_nothing_else(site, page: Page):
    site.start()
    page.goto(f"{site.url}/jobs/new")
    page.get_by_label("The line").fill("true")
    page.get_by_label("Name", exact=True).fill("backup")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("backup is made")


def test_the_form_has_no_barriers(site, page: Page):
    site.add("backup", "true", ("cron", "30 2 * * *"))
    site.start()
    for path in ("/jobs/new", "/jobs/backup/edit", "/jobs/backup/edit?way=text"):
        page.goto(site.url + path)
        for option in page.locator(".option input[type=radio]").all():
            option.check()
            assert [] == Axe().run(page).response["violations"], path


def test_what_is_saved_and_what_is_refused_is_in_the_audit(site):
    site.start()
    fields = {"way": "text", "name": "backup", "text": "rn: x"}
    assert 422 == post(site, "/jobs/new", fields).status_code
    assert 303 == post(site, "/jobs/new", {**fields, "text": "run: x"}).status_code
    stale = {**fields, "text": "run: y", "revision": "99"}
    assert 409 == post(site, "/jobs/backup/edit", stale).status_code
    assert 422 == post(site, "/jobs/backup/edit", {**stale, "revision": "x"}).status_code
    with site.client.store.transaction():
        lines = [(each.action, each.target, each.outcome) for each in site.client.store.access.audit("", None, 10)]
    assert [
        ("job.change", "backup", "usage-error"),
        ("job.change", "backup", "outdated"),
        ("job.make", "backup", "ok"),
        ("job.make", "backup", "bad-job"),
    ] == lines

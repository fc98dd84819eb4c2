"""The page of a job: how it went, what comes, its ledger, and why it did not run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from process.waiting import wait_for
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.ledger import Skip, SkipCode
from rota.model.origin import of_file

STRANGE = "sync/a <script>alert(1)</script> ü"


def test_a_job_is_seen_with_its_runs_figures_and_definition(shared, page):
    shared.add("dump", "echo done", ("cron", "30 2 * * *"), timezone="Europe/Berlin", tags=("nightly",))
    good = shared.run("dump")
    page.goto(f"{shared.url}/jobs/dump")
    expect(page.get_by_role("heading", level=1)).to_have_text("dump")
    expect(page.locator("#job-head")).to_contain_text("at 02:30 every day (Europe/Berlin)")
    expect(page.locator("#job-figures")).to_contain_text("100 %")
    expect(page.locator("#definition")).to_contain_text("echo done")
    expect(page.locator("#definition")).to_contain_text("It was made by hand")
    page.locator("#ledger").get_by_role("link", name="succeeded").click()
    expect(page).to_have_url(f"{shared.url}/runs/{good}")


def test_durations_are_plotted_and_each_leads_to_its_run(shared, page):
    shared.add("mixed", "exit ${ROTA_PARAM_CODE:-0}")
    shared.run("mixed")
    bad = shared.client.verbs.trigger("mixed", {"CODE": "3"})
    wait_for(lambda: shared.client.store.runs.find(bad).ended_at)
    page.goto(f"{shared.url}/jobs/mixed")
    expect(page.locator("#durations figcaption")).to_contain_text("The last 2 runs: 1 succeeded, 1 failed")
    page.locator("#durations a").last.click()
    expect(page).to_have_url(f"{shared.url}/runs/{bad}")


def test_the_next_ten_times_are_on_both_clocks(shared, page):
    shared.add("early", "true", ("cron", "30 2 * * *"), timezone="Asia/Tokyo")
    page.goto(f"{shared.url}/jobs/early")
    expect(page.locator("footer")).to_contain_text("Europe/Berlin")
    expect(page.locator("#job-next li")).to_have_count(10)
    expect(page.locator("#job-next li").first).to_contain_text("02:30:00 JST")


def test_a_job_runs_from_its_page_and_its_page_follows(shared, page):
    shared.add("hello", "echo hello")
    page.goto(f"{shared.url}/jobs/hello")
    expect(page.locator("#ledger")).to_contain_text("Nothing has become of it yet")
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("#ledger")).to_contain_text("succeeded")
    expect(page.locator("#durations")).to_contain_text("One run: 1 succeeded")


def test_a_run_is_asked_for_with_parameters_and_a_mistake_is_said_beside_the_field(shared, page, person):
    shared.add("greet", 'echo "hello $ROTA_PARAM_WHO"')
    page.goto(f"{shared.url}/jobs/greet")
    page.get_by_text("Run with parameters").click()
    page.get_by_label("Parameters", exact=True).fill("WHO")
    page.get_by_role("button", name="Run with these").click()
    expect(page.locator("#params-fault")).to_have_text("'WHO' is no parameter; write NAME=VALUE, one a line")
    person.complaints.clear()  # of the 422, which the console tells as well
    page.get_by_label("Parameters", exact=True).fill("WHO=a whole world")
    page.get_by_role("button", name="Run with these").click()
    expect(page.locator("#stdout")).to_contain_text("hello a whole world")
    expect(page.locator("#run-facts")).to_contain_text("WHO=a whole world")
    asked = [entry for entry in shared.client.accounts.audit() if entry.target == "greet"]
    assert [("greet", "ok"), ("greet", "bad-job")] == [(entry.target, entry.outcome) for entry in asked]


def test_why_it_did_not_run_at_half_past_two_is_that_it_was_paused(shared, page):
    shared.add("paused", "true", ("cron", "30 2 * * *"), timezone="UTC")
    job = shared.client.store.jobs.get("paused")
    slot = datetime.now(UTC).replace(hour=2, minute=30, second=0, microsecond=0)
    slot -= timedelta(days=slot > datetime.now(UTC))
    skip = Skip(slot, slot, 1, SkipCode.PAUSED, "the job was paused")
    shared.client.store.ledger.add_skips(job.id, [skip], datetime.now(UTC))
    page.goto(f"{shared.url}/jobs/paused")
    page.get_by_label("At", exact=True).fill("02:30")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#why-answer")).to_contain_text("was skipped: the job was paused.")
    expect(page.locator("#ledger")).to_contain_text("the job was paused")


def test_why_it_did_not_run_is_that_the_run_before_was_still_there(shared, page):
    shared.add("slow", "sleep 30", ("every", "1s"))
    wait_for(lambda: shared.client.store.ledger.of_job(shared.client.store.jobs.get("slow").id, None, 1))
    shared.client.verbs.pause("slow")
    page.goto(f"{shared.url}/jobs/slow")
    row = page.locator("#ledger tr", has_text="skipped").first
    expect(row).to_contain_text("was still running")
    row.get_by_role("link", name="That run").click()
    expect(page.locator("#run-head")).to_contain_text("running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-head")).to_contain_text("cancelled")


def test_a_time_that_nobody_understands_is_said_beside_the_field(shared, page):
    shared.add("at-night", "true", ("cron", "30 2 * * *"))
    page.goto(f"{shared.url}/jobs/at-night?why=halfpast")
    expect(page.locator("#why-fault")).to_be_visible()
    expect(page.get_by_label("At", exact=True)).to_have_attribute("aria-invalid", "true")


def test_a_long_ledger_has_pages(shared, page):
    shared.add("often", "true", ("cron", "0 * * * *"), timezone="UTC")
    job = shared.client.store.jobs.get("often")
    first = datetime(2027, 1, 1, tzinfo=UTC)
    skips = [
        Skip(first + timedelta(hours=n), first + timedelta(hours=n), 1, SkipCode.PAUSED, f"reason {n}")
        for n in range(40)
    ]
    shared.client.store.ledger.add_skips(job.id, skips, datetime.now(UTC))
    page.goto(f"{shared.url}/jobs/often")
    expect(page.locator("#ledger tbody tr")).to_have_count(25)
    expect(page.locator("#ledger tbody tr").first).to_contain_text("reason 39")
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#ledger tbody tr")).to_have_count(15)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("#ledger tbody tr")).to_have_count(25)


def test_a_removed_job_still_tells_its_history(shared):
    shared.add("gone", "true")
    shared.run("gone")
    shared.client.verbs.remove("gone")
    text = shared.get("/jobs/gone")
    assert "It was removed" in text
    assert "Run now" not in text
    assert "succeeded" in text


def test_a_job_of_a_file_says_which_file_and_cannot_be_edited_here(shared):
    job = Job("filed", Shell("true"), (ScheduleSpec("cron", "30 2 * * *"),))
    shared.client.verbs.add(job, of_file("/etc/rota/rota.yaml"))
    text = shared.get("/jobs/filed")
    assert "/etc/rota/rota.yaml" in text
    assert "/jobs/filed/edit" not in text


def test_a_name_that_looks_like_markup_is_text(shared, page):
    shared.add(STRANGE, "echo hi", description="<b>bold</b>", tags=("a&b",))
    page.goto(f"{shared.url}/jobs/sync%2Fa%20%3Cscript%3Ealert(1)%3C%2Fscript%3E%20%C3%BC")
    expect(page.get_by_role("heading", level=1)).to_have_text(STRANGE)
    expect(page.get_by_text("<b>bold</b>", exact=True)).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    page.locator("#ledger").get_by_role("link", name="succeeded").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"A run of {STRANGE}")


def test_who_may_only_look_is_shown_no_buttons(peopled):
    peopled.add("looked-at", "true")
    text = peopled.get("/jobs/looked-at", user="vera")
    assert "Run now" not in text
    assert "/edit" not in text


def test_a_job_that_is_not_there_is_named_with_one_that_is(shared):
    shared.add("backup", "true")
    assert "did you mean &#39;backup&#39;?" in shared.get("/jobs/bakcup", 404)


def test_a_job_fits_on_a_phone(shared, phone):
    shared.add("x" * 200, "echo hi; exit 1", ("every", "1h"))
    shared.run("x" * 200)
    phone.goto(f"{shared.url}/jobs/{'x' * 200}")
    expect(phone.locator("#ledger")).to_contain_text("failed")
    assert 390 == phone.evaluate("document.documentElement.scrollWidth")

"""The page of a run: its output live, found, paged and in colours; cancelled, tried again, and explained."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from process.waiting import wait_for
from rota.model.access import Kind
from rota.model.policy import Output, Retries
from rota.model.run import State


def trigger(site, name: str) -> str:
    """Ask for a run, and return as soon as it runs."""
    run_id = site.client.verbs.trigger(name)
    wait_for(lambda: site.client.store.runs.find(run_id).state is not State.QUEUED)
    return run_id


def lines(page, stream: str):
    return page.locator(f"#{stream} .lines li .t")


def gate(folder: Path, name: str) -> str:
    """Return shell words that wait until a file is there."""
    return f"until [ -e {folder}/{name} ]; do sleep 0.05; done"


def test_a_run_is_seen_live_line_by_line_and_to_its_end(shared, page, tmp_path):
    shared.add(
        "count",
        f"echo one; {gate(tmp_path, 'a')}; printf 'two, '; {gate(tmp_path, 'b')}; echo and three; echo oops >&2",
    )
    page.goto(f"{shared.url}/runs/{trigger(shared, 'count')}")
    expect(lines(page, "stdout")).to_have_text(["one"])
    expect(page.locator("#run-head")).to_contain_text("running")
    (tmp_path / "a").touch()
    expect(lines(page, "stdout")).to_have_text(["one", "two, "])
    (tmp_path / "b").touch()
    expect(lines(page, "stdout")).to_have_text(["one", "two, and three"])
    expect(lines(page, "stderr")).to_have_text(["oops"])
    expect(page.locator("#run-head")).to_contain_text("succeeded")
    expect(page.locator("[data-follow]")).to_be_hidden()


def test_a_run_that_waits_is_seen_from_its_first_line_on(shared, page, tmp_path):
    shared.add("first", gate(tmp_path, "a"), pool="narrow")
    shared.add("second", "echo at last", pool="narrow")
    trigger(shared, "first")
    waiting = shared.client.verbs.trigger("second")
    page.goto(f"{shared.url}/runs/{waiting}")
    expect(page.locator("#output")).to_contain_text("It has not started yet")
    (tmp_path / "a").touch()
    expect(lines(page, "stdout")).to_have_text(["at last"])


def test_a_run_is_cancelled_and_is_seen_cancelled(shared, page):
    shared.add("endless", "echo begins; sleep 60")
    run_id = trigger(shared, "endless")
    page.goto(f"{shared.url}/runs/{run_id}")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-head")).to_contain_text("cancelled")
    expect(page.locator("#run-story")).to_contain_text("its end was asked for: cancelled by")
    assert State.CANCELLED is shared.client.store.runs.find(run_id).state


def test_a_failed_run_is_run_again_and_each_names_the_other(shared, page):
    shared.add("fails", "echo no; exit 3")
    first = shared.run("fails")
    page.goto(f"{shared.url}/runs/{first}")
    expect(page.locator("#run-facts")).to_contain_text("exit 3")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#run-facts")).to_contain_text(f"retry of{first}")
    second = page.url.rpartition("/")[2]
    page.goto(f"{shared.url}/runs/{first}")
    expect(page.locator("#run-facts")).to_contain_text(second)


def test_an_end_by_a_signal_is_said_in_words(shared):
    shared.add("killed", "kill -9 $$")
    assert "exit 137: probably killed by signal 9 (SIGKILL)" in shared.get(f"/runs/{shared.run('killed')}")


def test_attempts_are_chosen_and_each_has_its_output(shared, page):
    shared.add("again", 'echo "this is attempt $ROTA_ATTEMPT"; exit 1', retries=Retries(1, timedelta(0)))
    page.goto(f"{shared.url}/runs/{shared.run('again')}")
    expect(lines(page, "stdout")).to_have_text(["this is attempt 2"])
    page.locator("#run-tries").get_by_role("link", name="1").click()
    expect(lines(page, "stdout")).to_have_text(["this is attempt 1"])


def test_the_next_attempt_appears_by_itself(shared, page, tmp_path):
    script = f'echo "attempt $ROTA_ATTEMPT"; {gate(tmp_path, "attempt$ROTA_ATTEMPT")}; exit 1'
    shared.add("next", script, retries=Retries(1, timedelta(0)))
    page.goto(f"{shared.url}/runs/{trigger(shared, 'next')}")
    expect(lines(page, "stdout")).to_have_text(["attempt 1"])
    (tmp_path / "attempt1").touch()
    expect(lines(page, "stdout")).to_have_text(["attempt 2"])
    (tmp_path / "attempt2").touch()
    expect(page.locator("#run-head")).to_contain_text("failed")


def test_output_is_text_in_colours_and_never_markup(shared, page):
    shared.add("loud", r"printf '\033[1;31m<script>alert(1)</script>\033[0m & <b>\n10%%\r100%%\n'; echo bad >&2")
    page.goto(f"{shared.url}/runs/{shared.run('loud')}")
    expect(lines(page, "stdout")).to_have_text(["<script>alert(1)</script> & <b>", "100%"])
    expect(page.locator("#stdout .f1.bold")).to_have_text("<script>alert(1)</script>")
    assert 0 == page.locator(".lines script, .lines b").count()


def test_streams_are_side_by_side_merged_or_alone(shared, page):
    shared.add("both", "echo out; echo err >&2")
    page.goto(f"{shared.url}/runs/{shared.run('both')}")
    out, err = (wait_for(page.locator(f"#{name}").bounding_box) for name in ("stdout", "stderr"))
    assert out["y"] == err["y"]
    page.get_by_role("link", name="merged").click()
    expect(page.locator("#output")).to_contain_text("standard error is below standard output")
    out, err = (wait_for(page.locator(f"#{name}").bounding_box) for name in ("stdout", "stderr"))
    assert out["y"] + out["height"] <= err["y"]
    page.locator(".views").get_by_role("link", name="stderr").click()
    expect(lines(page, "stderr")).to_have_text(["err"])
    expect(page.locator("#stdout")).to_have_count(0)


def test_text_is_found_in_output_with_the_ways_to_the_next_and_back(shared, page):
    shared.add("many", "seq 1 3000 | sed 's/^/number /'; echo number 7 is bad >&2")
    page.goto(f"{shared.url}/runs/{shared.run('many')}")
    page.keyboard.press("/")
    page.keyboard.type("Number 7")
    page.keyboard.press("Enter")
    expect(page.locator(".finds")).to_contain_text("112 lines hold “Number 7”: 111 in stdout, 1 in stderr.")
    expect(page.locator("#stdout .current mark")).to_have_text("number 7")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator("#stdout .current .t")).to_have_text("number 70")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("#stdout .current .t")).to_have_text("number 7")
    page.locator(".found a").last.click()
    expect(page.locator("#stdout .current .t")).to_be_in_viewport()
    page.get_by_role("link", name="Show everything").click()
    expect(page.locator(".finds")).to_have_count(0)


def test_what_is_nowhere_in_output_is_said(shared):
    shared.add("short", "echo hello")
    assert "No line holds “bye”." in shared.get(f"/runs/{shared.run('short')}?find=bye")


def test_huge_output_has_pages_and_says_what_is_missing(shared, page):
    shared.add("huge", "seq 1 200000", output=Output(head=20_000, tail=20_000))
    run_id = shared.run("huge")
    page.goto(f"{shared.url}/runs/{run_id}?view=stdout")
    expect(lines(page, "stdout")).to_have_count(1_000)
    expect(lines(page, "stdout").last).to_have_text("200000")
    page.get_by_role("link", name="Earlier lines").click()
    expect(lines(page, "stdout").first).not_to_have_text("199001")
    page.get_by_role("link", name="From its beginning").click()
    expect(lines(page, "stdout").first).to_have_text("1")
    while page.locator(".gap").count() == 0:
        page.get_by_role("link", name="Later lines").click()
    expect(page.locator(".gap")).to_contain_text("bytes are missing here")


def test_a_line_has_a_link_of_its_own(shared, page):
    shared.add("three", "seq 1 300")
    page.goto(f"{shared.url}/runs/{shared.run('three')}")
    page.locator("#stdout .n", has_text=re.compile("^250$")).click()
    page.reload()
    expect(page.locator("#stdout li:target .t")).to_have_text("250")
    expect(page.locator("#stdout li:target")).to_be_in_viewport()


def test_fast_output_leaves_the_page_small(shared, page, tmp_path):
    shared.add("fast", f"echo begins; {gate(tmp_path, 'a')}; seq 1 60000; {gate(tmp_path, 'b')}; echo the end")
    page.goto(f"{shared.url}/runs/{trigger(shared, 'fast')}?view=stdout")
    expect(lines(page, "stdout")).to_have_text(["begins"])
    (tmp_path / "a").touch()
    expect(lines(page, "stdout").last).to_have_text("60000")
    assert page.locator("#stdout .lines li").count() <= 2_000
    expect(page.locator("[data-trimmed]")).to_be_visible()
    (tmp_path / "b").touch()
    expect(lines(page, "stdout").last).to_have_text("the end")


def test_who_reads_above_the_end_is_not_moved(shared, page, tmp_path):
    shared.add("long", f"seq 1 500; {gate(tmp_path, 'a')}; seq 501 600; {gate(tmp_path, 'b')}")
    page.goto(f"{shared.url}/runs/{trigger(shared, 'long')}?view=stdout")
    expect(lines(page, "stdout")).to_have_count(500)
    page.get_by_label("follow").uncheck()
    page.locator("#stdout .paper").evaluate("paper => paper.scrollTop = 0")
    (tmp_path / "a").touch()
    expect(lines(page, "stdout")).to_have_count(600)
    assert 0 == page.locator("#stdout .paper").evaluate("paper => paper.scrollTop")
    page.get_by_label("follow").check()
    left = "paper => paper.scrollHeight - paper.scrollTop - paper.clientHeight"
    assert page.locator("#stdout .paper").evaluate(left) < 5
    (tmp_path / "b").touch()
    expect(page.locator("#run-head")).to_contain_text("succeeded")


@pytest.mark.parametrize(
    ("name", "command", "said"),
    [("silent", "true", "It wrote nothing."), ("binary", r"printf '\177ELF\0\0\1'", "This looks like no text.")],
)
def test_output_that_is_none_or_no_text_is_said_to_be_so(shared, name, command, said):
    shared.add(name, command)
    assert said in shared.get(f"/runs/{shared.run(name)}")


def test_output_is_downloaded_as_it_was_written(shared, page):
    shared.add("taken", "echo out")
    page.goto(f"{shared.url}/runs/{shared.run('taken')}")
    with page.expect_download() as download:
        page.locator("#stdout").get_by_role("link", name="Download").click()
    assert "out\n" == download.value.path().read_text()


def test_a_run_that_is_not_there_is_said_so(shared):
    assert "it may have been pruned" in shared.get("/runs/01M6EYEXA4Q6GDMCK0R7KVXH9E", 404)
    shared.add("once", "true")
    assert "so there is no attempt 9" in shared.get(f"/runs/{shared.run('once')}?attempt=9", 404)


def test_only_who_may_run_may_cancel(peopled):
    peopled.add("endless", "sleep 60")
    run_id = trigger(peopled, "endless")
    assert "Cancel" not in peopled.get(f"/runs/{run_id}", user="vera")
    token = peopled.client.accounts.issue("vera", Kind.TOKEN, "test").secret
    answer = httpx.post(f"{peopled.url}/runs/{run_id}/cancel", headers={"Authorization": f"Bearer {token}"})
    assert 403 == answer.status_code
    peopled.client.verbs.cancel(run_id)


def test_a_run_fits_on_a_phone(shared, phone):
    shared.add("wide", "printf 'x%.0s' $(seq 1 500); echo; echo word >&2; exit 1", description="d")
    phone.goto(f"{shared.url}/runs/{shared.run('wide')}")
    expect(phone.locator("#run-head")).to_contain_text("failed")
    expect(phone.locator("#stderr")).to_contain_text("word")
    assert 390 == phone.evaluate("document.documentElement.scrollWidth")

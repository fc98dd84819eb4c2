"""A page that is left open: it is up to date, says when it is not, and loses nothing that somebody does on it."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import expect

from rota.model.access import Kind

from .sites import PASSWORD, sign_in

SOON = 40_000
"""The longest that a page goes without looking is 30 s."""


@pytest.fixture
def ann(site, person):
    """An admin's page, on a site with people."""
    for name, role in (("ann", "admin"), ("vera", "viewer")):
        site.user(name, role)
    site.start()
    sign_in(person, site)
    return person.new_page()


def token_of(site, name):
    """Give somebody a token, and let the open pages notice something."""
    site.client.accounts.issue("ann", Kind.TOKEN, name)
    if not any(line.stored.job.name == "tick" for line in site.client.questions.jobs()):
        site.add("tick")
    site.client.verbs.trigger("tick")


def test_a_page_that_is_open_shows_what_happens(site, ann):
    ann.goto(f"{site.url}/account")
    token_of(site, "deploy")
    expect(ann.get_by_text("deploy")).to_be_visible(timeout=SOON)


def test_the_engine_s_end_and_its_return_are_told_without_anybody_doing_anything(site, page, person):
    site.start()
    port = httpx.URL(site.url).port
    page.goto(site.url)
    expect(page.locator("#pulse")).to_have_text("scheduling")
    site.stop()
    expect(page.get_by_text("No answer from rota since")).to_be_visible(timeout=SOON)
    site.start("--port", str(port))
    expect(page.get_by_text("No answer from rota since")).to_be_hidden(timeout=SOON)
    expect(page.locator("#pulse")).to_have_text("scheduling", timeout=SOON)
    person.complaints.clear()  # the browser's own, of a server that was not there


def test_a_page_whose_session_has_ended_leads_to_signing_in_and_from_there_back(site, ann, person):
    ann.goto(f"{site.url}/audit?who=vera")
    for session in site.client.accounts.credentials("ann", Kind.SESSION):
        site.client.accounts.revoke(session.id)
    token_of(site, "later")
    expect(ann.get_by_role("heading", name="Sign in")).to_be_visible(timeout=SOON)
    ann.get_by_label("Name").fill("ann")
    ann.get_by_label("Password").fill(PASSWORD)
    ann.get_by_role("button", name="Sign in").click()
    expect(ann).to_have_url(f"{site.url}/audit?who=vera")
    person.complaints.clear()  # the stream that was refused


def test_what_was_typed_outlives_the_session(site, ann, person):
    ann.goto(f"{site.url}/people")
    ann.get_by_label("Name", exact=True).fill("somebody new")
    for session in site.client.accounts.credentials("ann", Kind.SESSION):
        site.client.accounts.revoke(session.id)
    token_of(site, "later")
    expect(ann.get_by_text("What you have typed is still here")).to_be_visible(timeout=SOON)
    expect(ann.get_by_label("Name", exact=True)).to_have_value("somebody new")
    person.complaints.clear()  # the stream that was refused


def test_a_page_whose_person_is_gone_says_so(site, ann, person):
    ann.goto(f"{site.url}/people/vera")
    site.client.accounts.remove_user("vera")
    token_of(site, "later")
    expect(ann.get_by_text("Nobody is named 'vera' here")).to_be_visible(timeout=SOON)
    person.complaints.clear()  # of a page that is not there


def test_signing_out_in_one_tab_leads_the_others_to_signing_in(site, ann, person):
    ann.goto(f"{site.url}/people")
    other = person.new_page()
    other.goto(f"{site.url}/account")
    other.get_by_role("button", name="Sign out").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    ann.bring_to_front()
    ann.get_by_label("viewer", exact=True).check()
    ann.get_by_role("link", name="vera").click()
    expect(ann.get_by_role("heading", name="Sign in")).to_be_visible()
    person.complaints.clear()


PART = """() => {
  const part = document.createElement("section");
  part.id = "part";
  part.dataset.live = "";
  part.innerHTML = `<h2>old</h2><input id="text"><input id="tick" type="checkbox">
    <select id="choice"><option>a<option>b</select>
    <details id="more"><summary>more</summary><p>inside</p></details>
    <table><tr data-row id="row"><td><a href="/x">x</a></td></tr></table>`;
  document.querySelector("main").append(part);
}"""
"""A part with everything that somebody may touch; the tests let the server have a newer one."""
NEWER = """async () => {
  const real = window.fetch;
  const part = document.getElementById("part").cloneNode(true);
  part.querySelector("h2").textContent = "new";
  for (const row of part.querySelectorAll(".here")) row.classList.remove("here");
  for (const details of part.querySelectorAll("details")) details.removeAttribute("open");
  const page = `<!doctype html><title>newer</title><main>${part.outerHTML}</main>`;
  let asked = false;
  window.fetch = async () => ((asked = true), new Response(page, { headers: { "Content-Type": "text/html" } }));
  const { refresh } = await import(document.querySelector("script[src]").src.replace("page.js", "fresh.js"));
  while (!asked) {
    await refresh(); // does nothing while the page is asking already
    await new Promise(requestAnimationFrame);
  }
  window.fetch = real;
}"""


@pytest.fixture
def part(site, page):
    """A page with a part that is newer at the server's."""
    site.start()
    page.goto(f"{site.url}/account")
    page.evaluate(PART)
    return page


def test_what_nobody_touches_is_replaced(part):
    part.evaluate(NEWER)
    expect(part.locator("#part h2")).to_have_text("new")


@pytest.mark.parametrize(
    "touch",
    [
        lambda page: page.fill("#text", "half a wo"),
        lambda page: (page.fill("#text", "half a wo"), page.focus("a.brand")),
        lambda page: page.check("#tick"),
        lambda page: page.select_option("#choice", "b"),
        lambda page: page.focus("#text"),
    ],
    ids=["typing", "typed", "ticked", "chosen", "about to type"],
)
def test_what_somebody_types_ticks_or_chooses_is_left_alone(part, touch):
    touch(part)
    part.evaluate(NEWER)
    expect(part.locator("#part h2")).to_have_text("old")


def test_what_is_open_stays_open_and_the_focus_and_the_row_stay_where_they_are(part):
    part.click("#more summary")
    part.keyboard.press("j")
    part.focus("#part a")
    part.evaluate(NEWER)
    expect(part.locator("#part h2")).to_have_text("new")
    expect(part.get_by_text("inside")).to_be_visible()
    expect(part.locator("#part a")).to_be_focused()
    expect(part.locator("#row")).to_have_class("here")


def test_a_form_is_sent_once_however_often_its_button_is_pressed(site, ann):
    ann.goto(f"{site.url}/account")
    ann.click("#new-token summary")
    ann.get_by_label("Name").fill("deploy")
    ann.get_by_role("button", name="Make the token").dblclick()
    expect(ann.get_by_role("heading", name="The token deploy")).to_be_visible()
    assert ["ok"] == [line.outcome for line in site.client.accounts.audit("ann") if line.action == "token.add"]


def test_going_back_shows_how_things_are_now_and_never_a_secret_again(site, ann):
    ann.goto(f"{site.url}/account")
    ann.click("#new-token summary")
    ann.get_by_label("Name").fill("deploy")
    ann.get_by_role("button", name="Make the token").click()
    expect(ann.get_by_label("Its secret")).to_be_visible()
    ann.goto(f"{site.url}/people")
    ann.goto(f"{site.url}/account")
    expect(ann.get_by_text("deploy")).to_be_visible()
    expect(ann.get_by_label("Its secret")).to_have_count(0)
    ann.get_by_role("button", name="Revoke deploy").click()
    expect(ann.locator(".notice")).to_contain_text("good for nothing")
    ann.go_back()
    expect(ann.get_by_role("button", name="Revoke deploy")).to_have_count(0, timeout=SOON)


def test_keys_lead_to_pages_and_through_lists(site, ann):
    ann.goto(f"{site.url}/people")
    ann.keyboard.press("j")
    ann.keyboard.press("j")
    ann.keyboard.press("k")
    ann.keyboard.press("j")
    ann.keyboard.press("Enter")
    expect(ann).to_have_url(f"{site.url}/people/vera")
    ann.goto(f"{site.url}/audit")
    ann.keyboard.press("/")
    ann.keyboard.type("gj")
    expect(ann.get_by_label("By")).to_have_value("gj")
    ann.goto(f"{site.url}/audit")
    ann.keyboard.press("g")
    ann.keyboard.press("d")
    expect(ann).to_have_url(f"{site.url}/")


def test_without_scripts_everything_is_there_but_that_it_is_live(site, chromium):
    for name, role in (("ann", "admin"), ("vera", "viewer")):
        site.user(name, role)
    site.start()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/people/vera")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#remove > summary").click()
    page.get_by_role("button", name="Remove vera").click()
    expect(page.locator(".notice")).to_contain_text("vera is removed")
    page.get_by_role("button", name="Colours: auto").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_url(f"{site.url}/people")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()

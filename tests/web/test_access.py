"""Everybody can use the pages: without a mouse, without good eyes, in light and dark, on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import PHONE
from .crawling import browser, walk
from .sites import PASSWORD, sign_in

DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def paths(town):
    """Where all pages are, as an admin finds them."""
    with browser(town, "ann") as ann:
        return [each.path for each in walk(ann) if each.answer.status_code == 200]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_to_complain_of(town, paths, chromium, colours, size):
    context = chromium.new_context(viewport=size, color_scheme=colours, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    sign_in(context, town)
    page = context.new_page()
    found = {}
    for path in [*paths, "/nowhere"]:
        page.goto(town.url + path)
        result = Axe().run(page)
        if result.violations_count:
            found[path] = [
                (violation["id"], node["html"], node["failureSummary"])
                for violation in result.response["violations"]
                for node in violation["nodes"]
            ]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px wider than its window"
    context.close()
    assert {} == found


def test_axe_finds_nothing_to_complain_of_where_people_sign_in(town, chromium):
    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(f"{town.url}/sign-in")
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("wrong every time")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    result = Axe().run(page)
    assert 0 == result.violations_count, result.generate_report()
    context.close()


def test_every_page_has_one_heading_landmarks_and_names_for_what_can_be_filled_in(town, paths):
    with browser(town, "ann") as ann:
        for each in [each for each in walk(ann) if each.path in paths]:
            elements = each.elements
            assert 1 == len(elements.of("h1")), each.path
            assert (1, 1, 1) == tuple(len(elements.of(tag)) for tag in ("main", "header", "footer")), each.path
            assert all(nav.get("aria-label") for nav in elements.of("nav")), each.path
            ids = [element.attributes["id"] for element in elements.found if "id" in element.attributes]
            assert sorted(set(ids)) == sorted(ids), each.path
            live = [element.attributes for element in elements.found if "data-live" in element.attributes]
            assert all("id" in attributes for attributes in live), each.path
            labelled = {label.get("for") for label in elements.of("label")}
            for field in elements.of("input") + elements.of("select") + elements.of("textarea"):
                named = field.get("id") in labelled or "aria-label" in field or "aria-labelledby" in field
                assert named or field.get("type") in ("hidden", "submit", "checkbox", "radio"), (each.path, field)


def test_somebody_is_let_in_without_a_mouse(site, person):
    site.user("ann")
    site.start()
    page = person.new_page()
    page.goto(site.url)
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#pulse")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="People"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("vera")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_have_text("vera may sign in.")
    assert "operator" == site.client.accounts.user("vera").role


def tab_to(page, target):
    """Press Tab until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("it cannot be reached by keyboard")


def test_what_has_the_focus_can_be_seen(town, chromium):
    context = chromium.new_context(viewport=DESK)
    sign_in(context, town)
    page = context.new_page()
    page.goto(f"{town.url}/people")
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
                              "(getComputedStyle(document.activeElement))")  # fmt: skip
        assert ["solid", "3px"] == style
    context.close()


def test_nothing_moves_for_who_does_not_want_that(town, paths, chromium):
    context = chromium.new_context(viewport=DESK, reduced_motion="reduce")
    sign_in(context, town)
    page = context.new_page()
    for path in paths:
        page.goto(town.url + path)
        assert 0 == page.evaluate("document.getAnimations().length"), path
    context.close()

"""What every page has: a frame that says whether it is scheduling, colours, keys, and a way back from mistakes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from starlette.requests import Request

from rota.web.problem_pages import problem_page
from rota.web.rendering import as_sentence


def test_a_page_says_whether_it_is_scheduling(empty, page):
    page.goto(empty.url)
    expect(page.locator("#pulse")).to_have_text("scheduling")


def test_colours_are_chosen_and_stay(empty, page):
    page.goto(empty.url)
    page.get_by_role("button", name="Colours: auto").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_times_are_on_the_clock_of_whoever_looks(empty, page):
    page.goto(empty.url)
    expect(page.locator("footer")).to_contain_text("clock of Europe/Berlin; the machine's is UTC")


def test_a_key_opens_the_help_and_escape_closes_it(empty, page):
    page.goto(empty.url)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_page_that_is_not_there_says_so_with_a_way_back(empty):
    text = empty.get("/nowhere", 404)
    assert "There is no such page." in text
    assert re.search(r'<a href="/">To the dashboard', text)


@pytest.mark.parametrize(("method", "is_offered"), [("GET", True), ("POST", False)])
def test_what_will_pass_can_be_looked_at_again(method, is_offered):
    scope = {"type": "http", "method": method, "path": "/hosts", "raw_path": b"/hosts", "query_string": b"state=up"}
    text = bytes(problem_page(Request({**scope, "headers": [], "state": {}}), 503, "It is away.").body).decode()
    assert is_offered is ('<a class="button" href="/hosts?state=up">Try again</a>' in text)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("no job named 'x'", "No job named 'x'."),
        ("postgresql://db/ops cannot be reached", "postgresql://db/ops cannot be reached."),
    ],
)
def test_an_error_is_told_as_a_sentence_in_which_an_address_stays_as_it_is(said, sentence):
    assert sentence == as_sentence(said)

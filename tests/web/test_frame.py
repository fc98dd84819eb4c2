"""What every page has: a frame that says whether it is scheduling, colours, keys, and a way back from mistakes."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def test_a_page_says_whether_it_is_scheduling(site, page):
    site.start()
    page.goto(site.url)
    expect(page.locator("#pulse")).to_have_text("scheduling")


def test_colours_are_chosen_and_stay(site, page):
    site.start()
    page.goto(site.url)
    page.get_by_role("button", name="Colours: auto").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_times_are_on_the_clock_of_whoever_looks(site, page):
    site.start()
    page.goto(site.url)
    expect(page.locator("footer")).to_contain_text("clock of Europe/Berlin; the machine's is UTC")


def test_a_key_opens_the_help_and_escape_closes_it(site, page):
    site.start()
    page.goto(site.url)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_page_that_is_not_there_says_so_with_a_way_back(site):
    site.start()
    text = site.get("/nowhere", 404)
    assert "There is no such page." in text
    assert re.search(r'<a href="/">To the dashboard', text)

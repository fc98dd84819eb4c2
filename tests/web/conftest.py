"""One browser for all tests; a context of its own, a person's, for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .sites import Site
from .towns import run_all, settle

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")  # while it is there, no other test of this thread can have an event loop
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("ROTA_TEST_REQUIRE") == "all":
            pytest.fail("pages are to be tried with a browser, and ROTA_TEST_REQUIRE=all: install chromium")
        pytest.skip("needs chromium")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A home with pages; the test starts it."""
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Iterator[Site]:
    """A home with people, and with jobs that have evil names and output; its tests change nothing of that."""
    made = settle(Site(tmp_path_factory.mktemp("town"))).start()
    run_all(made)
    yield made
    made.close()


@pytest.fixture
def person(chromium) -> Iterator[BrowserContext]:
    """Somebody with a browser in Berlin; what its console complains of fails the test."""
    context = chromium.new_context(timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))

    context.on("page", watch)
    context.complaints = complaints  # type: ignore[attr-defined]  # for tests that expect some
    yield context
    context.close()
    assert [] == complaints


@pytest.fixture
def page(person) -> Page:
    """Their page."""
    return person.new_page()


@pytest.fixture
def phone(chromium) -> Iterator[Page]:
    """A page on a phone, in the dark."""
    context = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme="dark")
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()

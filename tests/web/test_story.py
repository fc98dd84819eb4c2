"""One person's afternoon, at a desk and on a phone: a job is made, watched, ended, and asked why it did not run."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture(params=["page", "phone"], ids=["at a desk", "on a phone"])
def screen(request) -> Page:
    return request.getfixturevalue(request.param)


def test_a_job_is_made_watched_ended_and_asked_why_it_did_not_run(shared, screen, request):
    name = f"import {'by phone' if 'phone' in request.node.name else 'at a desk'}"
    rooms = screen.get_by_role("navigation", name="Pages")
    screen.goto(shared.url)
    rooms.get_by_role("link", name="Jobs").click()
    screen.get_by_role("link", name="New job").click()
    screen.get_by_label("Name", exact=True).fill(name)
    screen.get_by_label("The line").fill("for n in $(seq 1000); do echo row $n; sleep 0.1; done")
    screen.get_by_label("Again and again").check()
    screen.get_by_label("Every", exact=True).fill("30")
    expect(screen.locator("#preview")).to_contain_text("Every 30 minutes")
    screen.get_by_role("button", name="Make it").click()
    expect(screen.get_by_role("status")).to_contain_text(f"{name} is made, and due in")

    screen.get_by_role("button", name="Run now").click()
    screen.locator("a[href^='/runs/']").first.click()
    expect(screen.locator("main")).to_contain_text("running")
    expect(screen.get_by_text("row 3", exact=True)).to_be_visible()
    screen.get_by_role("button", name="Cancel").click()
    expect(screen.get_by_role("heading", level=1).locator("..")).to_contain_text("cancelled")

    screen.get_by_role("link", name=name).first.click()
    screen.get_by_role("button", name="Pause").click()
    expect(screen.get_by_role("button", name="Resume")).to_be_visible()
    screen.get_by_role("button", name="Ask").click()
    expect(screen.locator("#why-answer")).to_contain_text("paused")
    assert 0 >= screen.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

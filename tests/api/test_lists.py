"""Lists in pages: every row once, whatever comes meanwhile; filters; and words and cursors that mean nothing."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from process.waiting import wait_for
from rota.control.views import instant_view
from rota.model.run import State


def all_pages(world, path, cursor, limit=3):
    """Return the items of every page, following the cursors."""
    found, after = [], {}
    while True:
        page = world.get(path, params={"limit": limit} | after)
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        after = {cursor: page["next"]}


def test_pages_of_jobs_show_each_once_by_name(world):
    for number in range(7):
        world.add(f"job-{number}")
    assert [f"job-{number}" for number in range(7)] == [job["name"] for job in all_pages(world, "/jobs", "after")]


def test_pages_of_runs_show_each_once_newest_first(world):
    world.add(overlap="allow")
    made = [world.run() for _ in range(7)]
    assert made[::-1] == [run["id"] for run in all_pages(world, "/runs", "before")]


def test_jobs_are_found_by_what_is_known_of_them(world):
    world.add("backup-db", tags=("nightly", "db"))
    world.add("backup_x", origin="file:/etc/rota.yaml")
    world.add("report", enabled=False)
    world.client.verbs.pause("report")
    world.run("backup-db", State.FAILED, 1, "no")

    def names(**wanted):
        return [job["name"] for job in world.get("/jobs", params=wanted)["items"]]

    assert ["backup-db", "backup_x"] == names(text="BACK")
    assert ["backup_x"] == names(text="_")
    assert [] == names(text="%")
    assert [] == names(text="' OR 1=1 --")
    assert ["backup-db"] == names(tag="db")
    assert [] == names(tag="night")
    assert ["backup_x"] == names(origin="file") == names(origin="file:/etc/rota.yaml")
    assert ["backup-db", "report"] == names(origin="hand")
    assert ["backup-db"] == names(state="trouble") == names(state="failed")
    assert [] == names(state="active")
    assert ["report"] == names(paused="true") == names(enabled="false")
    assert ["backup-db", "backup_x"] == names(paused="false", enabled="true")


def test_runs_are_found_by_what_is_known_of_them(world):
    world.add("one", tags=("a",), overlap="allow")
    world.add("two", overlap="allow")
    good, bad = world.run("one"), world.run("two", State.FAILED, 1, "no")
    waiting = world.client.verbs.trigger("two")

    def ids(**wanted):
        return [run["id"] for run in world.get("/runs", params=wanted)["items"]]

    assert [waiting, bad, good] == ids()
    assert [waiting, bad] == ids(job="two") == ids(text="tw")
    assert [good] == ids(tag="a") == ids(state="succeeded") == ids(state="succeeded", text="o", tag="a")
    assert [bad] == ids(state="trouble") == ids(state="failed", job="two") == ids(state="trouble", text="TWO")
    assert [waiting] == ids(state="active") == ids(state="queued") == ids(state="active", job="two")
    assert [] == ids(state="lost") == ids(state="running")
    now = world.client.clock.now()
    assert [] == ids(until=instant_view(now - timedelta(hours=1)))
    assert [waiting, bad, good] == ids(since=instant_view(now - timedelta(hours=1))) == ids(since="1h")
    assert [] == ids(since=instant_view(now + timedelta(hours=1)))


def test_the_runs_of_a_job_that_was_removed_are_still_found(world):
    world.add("gone")
    run = world.run("gone")
    world.client.verbs.remove("gone")
    assert [run] == [each["id"] for each in world.get("/runs?job=gone")["items"]]
    assert [run] == [each["run"]["id"] for each in world.get("/jobs/gone/ledger")["items"]]


def test_a_ledger_has_runs_and_skips_together_newest_first(world):
    world.add("tick", ("every", "1s"))
    world.run("tick")
    world.client.verbs.pause("tick")
    world.run("tick")
    now, passed = world.client.clock.now, world.client.clock.now() + timedelta(seconds=1.1)
    wait_for(lambda: now() > passed)  # the pause holds a slot then
    world.client.verbs.resume("tick")
    world.run("tick")
    kinds = [entry["kind"] for entry in all_pages(world, "/jobs/tick/ledger", "after", 2)]
    assert ["run", "skip", "run", "run"] == kinds
    entry = world.get("/jobs/tick/ledger")["items"][1]
    assert "the job was paused" == entry["skip"]["reason"]
    assert entry["run"] is None


@pytest.mark.parametrize(
    "cursor",
    ["x", "%", "====", "a" * 1999, urlsafe_b64encode(b'{"type":"jobs","name":5}').decode(),
     urlsafe_b64encode(b'{"type":"ledger","run":null,"slot":"2026-01-01T00:00:00"}').decode(),
     urlsafe_b64encode(b'{"type":"runs","run":"\xff"}').decode(), "ünï"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/jobs?after=", "/runs?before=", "/jobs/backup/ledger?after="])
def test_a_cursor_that_was_tampered_with_is_refused(world, path, cursor):
    world.add()
    assert "is no cursor of this list" in world.get(path + cursor.replace("%", "%25"), 422)["detail"]


def test_a_cursor_of_another_list_is_refused(world):
    for number in range(3):
        world.add(f"job-{number}")
    cursor = world.get("/jobs?limit=1")["next"]
    assert "is no cursor of this list" in world.get("/runs", 422, params={"before": cursor})["detail"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=-1", "limit=99999999999999999999999", "limit=x", "limit=1e3", "paused=perhaps",
     "state=faild", "text=" + "x" * 201],
)  # fmt: skip
def test_a_query_that_means_nothing_is_refused(world, query):
    world.get(f"/jobs?{query}", 422)


def test_a_slip_in_a_query_is_answered_with_the_word_that_was_meant(world):
    told = world.get("/runs?stat=failed&sinc=1h", 422)
    assert ["did you mean 'state'?", "did you mean 'since'?"] == [each["hint"] for each in told["problems"]]


@pytest.mark.parametrize("when", ["yesterdy", "2026-13-01", "99999999999999999999", "\x00", "9" * 99])
def test_an_instant_that_cannot_be_read_is_refused(world, when):
    assert "since" in world.get("/runs", 422, params={"since": when})["detail"]


def test_an_offset_whose_plus_became_a_space_is_read_all_the_same(world):
    world.get("/runs?since=2026-01-31T10:00:00+01:00")

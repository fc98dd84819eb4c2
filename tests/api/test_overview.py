"""How things stand, when they happen, and what a schedule or a document means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.control.views import instant_view
from rota.model.run import State


def test_a_summary_says_that_nothing_is_scheduled_without_an_engine(world):
    world.add("backup", ("every", "1h"))
    world.run(state=State.FAILED, code=1, reason="no")
    world.client.verbs.trigger("backup")
    found = world.get("/summary")
    alone = {"host": None, "others": [], "planner": None}
    assert {"running": False, "scheduling": False, "late": 0.0} | alone == found["engine"]
    assert ({"total": 1, "paused": 0, "disabled": 0}, {"queued": 1}) == (found["jobs"], found["active"])
    assert ({"failed": 1}, ["failed"]) == (found["lately"], [run["state"] for run in found["trouble"]])
    assert "backup" == found["next"]["job"]
    ready = world.ask("GET", "/readyz")
    assert (503, "no engine is running") == (ready.status_code, ready.json()["status"])


def test_a_summary_has_the_facts_of_the_dashboard(world):
    world.add("backup", ("every", "1h"))
    run = world.client.verbs.trigger("backup")
    world.begin()
    found = world.get("/summary")
    assert "Not running: nothing starts until somebody runs rota serve." == found["sentence"]
    assert ([run], [], []) == ([each["id"] for each in found["running"]], found["held_up"], found["skips"])
    (coming,) = found["coming"]
    assert ("backup", 3, found["next"]["slot"]) == (coming["job"], len(coming["slots"]), coming["slots"][0])


def test_a_timeline_has_what_ran_and_what_is_coming(world):
    world.add("backup", ("every", "1h"))
    runs = [world.run() for _ in range(3)]
    found = world.get("/timeline")
    assert runs[::-1] == [run["id"] for run in found["runs"]]
    assert len(found["slots"]) in (5, 6)
    assert not found["more_runs"]
    few = world.get("/timeline?limit=2")
    assert (runs[:0:-1], True, True) == ([run["id"] for run in few["runs"]], few["more_runs"], few["more_slots"])
    assert [] == few["older_trouble"]


def test_a_timeline_has_a_run_that_went_on_into_it(world):
    world.add("backup")
    run = world.client.verbs.trigger("backup")
    world.begin()
    since = instant_view(world.client.clock.now() + timedelta(minutes=1))
    until = instant_view(world.client.clock.now() + timedelta(hours=1))
    assert [run] == [each["id"] for each in world.get(f"/timeline?since={since}&until={until}")["runs"]]


@pytest.mark.parametrize("query", ["since=2026-02-01&until=2026-01-01", "since=1970-01-01&until=2026-01-01"])
def test_a_timeline_that_cannot_be_is_refused(world, query):
    assert "a timeline" in world.get(f"/timeline?{query}", 422)["detail"]


def test_the_load_of_the_week_is_counted_on_the_wall_clock_that_is_asked_for(world):
    world.add("backup")
    world.run(state=State.FAILED, code=1)
    now = world.client.clock.now()
    utc = world.get("/load?timezone=UTC")["days"]
    assert (1, 1) == tuple(utc[now.weekday()][now.hour][key] for key in ("runs", "failed"))
    assert 1 == sum(hour["runs"] for day in utc for hour in day)
    elsewhere = now + timedelta(hours=9)
    tokyo = world.get("/load?timezone=Asia/Tokyo")["days"]
    assert 1 == tokyo[elsewhere.weekday()][elsewhere.hour]["runs"]
    assert "did you mean" in world.get("/load?timezone=Asia/Tokio", 422)["detail"]


def test_a_schedule_is_explained_with_its_next_slots_and_what_the_clock_does_to_them(world):
    found = world.post("/schedules/preview", json={"cron": "30 2 * * *", "timezone": "Europe/Berlin", "n": 3})
    assert "at 02:30 every day (Europe/Berlin)" == found["explanation"]
    assert 3 == len(found["next"])
    assert all("02:30:00 CE" in slot["local"] for slot in found["next"])
    gap = next(note for note in found["notes"] if "there is no 02:30" in note)
    assert "it fires at 03:00 instead" in gap
    assert any("02:30 comes twice: it fires once, the first time" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"every": "5m", "from": "end"}, "counts from the end"),
        ({"at": "boot"}, "each time the machine starts"),
        ({"at": "2001-01-01 10:00"}, "it will never run by itself"),
        ({"calendar": "*-*-* 02:30", "dst": "skip", "timezone": "Europe/Berlin"}, "it does not fire for that time"),
    ],
)
def test_a_preview_says_why_slots_cannot_be_told(world, asked, note):
    assert any(note in each for each in world.post("/schedules/preview", json=asked)["notes"])


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"every": "0s"}, "every"),
        ({"at": "someday"}, "at"),
        ({"calendar": "Foo 09:00"}, "calendar"),
        ({"cron": "@daily", "timezone": "Mars/Base"}, "timezone"),
        ({"cron": "@daily", "every": "5m"}, "body"),
        ({}, "body"),
        ({"cron": "@daily", "n": 101}, "body.n"),
        ({"corn": "@daily"}, "body.corn"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"cron": "9" * 1_001}, "body.cron"),
        ({"cron": "\x00"}, "cron"),
        ({"every": "99999999999999999999d"}, "every"),
        ({"every": "5m", "anchor": "never"}, "anchor"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused_with_its_place(world, asked, place):
    assert place == world.post("/schedules/preview", 422, json=asked)["problems"][0]["place"]


def test_a_document_is_validated_with_line_and_column_and_nothing_is_made(world):
    found = world.post(
        "/validate", content="jobs:\n  one:\n    run: 'true'\n    crn: '@daily'\n  two:\n    run: 'true'\n"
    )
    assert (False, ["one", "two"]) == (found["valid"], found["jobs"])
    assert ("jobs.one.crn", 4, 5) == tuple(found["problems"][0][key] for key in ("place", "line", "column"))
    assert [] == world.get("/jobs")["items"]


def test_one_job_is_validated_by_itself(world):
    assert world.post("/validate?name=x", content="run: 'true'\ncron: '@daily'\n")["valid"]
    assert not world.post("/validate?job=true", json={"run": "true"})["valid"]
    warned = world.post("/validate?job=true", json={"name": "x", "run": "true", "cwd": "/nowhere/at/all"})
    assert (True, "cwd") == (warned["valid"], warned["warnings"][0]["place"])

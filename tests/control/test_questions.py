"""Listings, and the plain data that others rely on."""

from __future__ import annotations

import pytest

from rota.control.questions import Questions
from rota.control.views import job_details_view, job_view, run_view, skip_view
from rota.errors import NoSuchJob, UsageError
from rota.model.run import State

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND, World


def ask(world: World) -> Questions:
    return Questions(world.store, world.clock)


def test_a_listing_tells_what_each_job_does_and_how_it_went_last(world):
    world.add("a", tags=("night",))
    world.add("b")
    run = world.verbs.trigger("b")
    world.claim()
    world.verbs.trigger("b")
    lines = ask(world).jobs()
    assert [("a", 0, 0), ("b", 1, 1)] == [(line.stored.name, line.running, line.queued) for line in lines]
    assert lines[1].last is not None
    assert run < lines[1].last.id
    assert ["a"] == [line.stored.name for line in ask(world).jobs("night")]


def test_coming_slots_of_all_jobs_are_merged_in_order(world):
    world.add("half", ("cron", "*/30 * * * *"))
    world.add("whole", ("cron", "0 * * * *"))
    world.add("paused", ("cron", "* * * * *"))
    world.verbs.pause("paused")
    slots = ask(world).coming(None, NOW, 4)
    assert [("half", 30), ("half", 60), ("whole", 60), ("half", 90)] == [
        (slot.job, (slot.at - NOW) // MINUTE) for slot in slots
    ]
    assert [] == ask(world).coming("paused", NOW, 4)


def test_a_schedule_that_counts_from_the_end_has_the_one_slot_that_is_known(world):
    from rota.model.action import Shell
    from rota.model.job import Job, ScheduleSpec

    world.verbs.add(Job("rest", Shell("true"), (ScheduleSpec("every", "5m", from_end=True),)))
    assert [NOW + 5 * MINUTE] == [slot.at for slot in ask(world).coming("rest", NOW, 10)]


def test_runs_are_filtered_by_state_and_age(world):
    world.add()
    old = world.verbs.trigger("backup")
    world.claim()
    world.end(old, State.FAILED, 1, "exit code 1")
    world.clock.at += DAY
    new = world.verbs.trigger("backup")
    assert [new, old] == [run.id for run in ask(world).runs("backup", "", None, 10)]
    assert [old] == [run.id for run in ask(world).runs(None, "trouble", None, 10)]
    assert [new] == [run.id for run in ask(world).runs(None, "active", None, 10)]
    assert [new] == [run.id for run in ask(world).runs(None, "", NOW + HOUR, 10)]


def test_an_unknown_state_or_job_is_told_with_the_nearest(world):
    world.add()
    with pytest.raises(UsageError, match="did you mean 'trouble'"):
        ask(world).runs(None, "troubel", None, 10)
    with pytest.raises(NoSuchJob, match="did you mean 'backup'"):
        ask(world).runs("bakcup", "", None, 10)


def test_a_removed_job_keeps_its_history(world):
    world.add()
    run = world.verbs.trigger("backup")
    world.verbs.remove("backup")
    assert [run] == [found.id for found in ask(world).runs("backup", "", None, 10)]


def test_the_view_of_a_job_has_the_names_that_others_rely_on(world):
    world.add("backup", ("cron", "30 2 * * *"), tags=("night",), priority=25)
    view = job_view(ask(world).job("backup").stored, None)
    assert {
        "name": "backup",
        "origin": "hand",
        "action": {"kind": "shell", "line": "true"},
        "schedules": [{"kind": "cron", "text": "30 2 * * *", "timezone": "UTC"}],
        "enabled": True,
        "paused": False,
        "priority": "high",
        "next_slot": "2026-03-03T02:30:00.000Z",
        "last_run": None,
        "tags": ["night"],
    } == view
    details = job_details_view(ask(world).job("backup").stored, None)
    assert view.items() <= details.items()
    assert 3600.0 == details["policy"]["grace"]


def test_the_view_of_a_run_has_the_names_that_others_rely_on(world):
    world.add("backup", ("cron", "* * * * *"))
    world.plan(NOW + MINUTE)
    run = world.claim()
    world.clock.at += 1.5 * SECOND
    world.end(run, State.FAILED, 137, "exit code 137")
    found = world.store.runs.find(run)
    assert found is not None
    assert {
        "id": run,
        "job": "backup",
        "trigger": "schedule",
        "slot": "2026-03-02T12:01:00.000Z",
        "state": "failed",
        "attempt": 1,
        "host": "host-one",
        "queued_at": "2026-03-02T12:01:00.000Z",
        "started_at": "2026-03-02T12:01:00.000Z",
        "ended_at": "2026-03-02T12:01:01.500Z",
        "duration": 1.5,
        "exit_code": 137,
        "signal": 9,
        "reason": "exit code 137",
        "lateness": 0.0,
    } == run_view(found, {})
    last = job_view(ask(world).job("backup").stored, found)["last_run"]
    assert ["id", "state", "started_at", "ended_at", "exit_code"] == list(last)


def test_the_view_of_a_skip_tells_its_range(world):
    world.add("backup", ("cron", "* * * * *"))
    world.verbs.pause("backup")
    world.clock.at += HOUR
    world.verbs.resume("backup")
    (record,) = world.store.ledger.page(None, NOW, None, 10)
    view = skip_view(record)
    assert ("backup", 60, "paused", "2026-03-02T12:01:00.000Z") == (
        view["job"],
        view["count"],
        view["code"],
        view["first_slot"],
    )

"""Why: the ledger in sentences."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rota.control.missed import missed
from rota.control.why import Why, is_exact
from rota.model.policy import CatchUp, Overlap, Retries
from rota.model.run import State
from rota.plan.boot import plan_boot

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND, World


def said(instant: datetime) -> str:
    return f"{instant:%d %H:%M:%S}"


def teller(world: World, engine: int | None = 1) -> Why:
    return Why(world.store, world.clock, said, lambda: engine)


def story(world: World, run_id: str, engine: int | None = 1) -> list[str]:
    run = world.store.runs.find(run_id)
    assert run is not None
    return list(teller(world, engine).run(run).sentences)


def of_job(world: World, name: str = "backup", engine: int | None = 1) -> str:
    return " ".join(teller(world, engine).job(world.store.jobs.get(name)).sentences)


def of_slot(world: World, at: datetime, *, exact: bool = False, engine: int | None = 1) -> str:
    stored = world.store.jobs.get("backup")
    return " ".join(teller(world, engine).slot(stored, at, exact=exact).sentences)


def hourly(world: World, **policy: object) -> None:
    world.add("backup", ("cron", "30 * * * *"), **policy)


def test_a_run_of_the_schedule_tells_its_slot_and_that_it_was_on_time(world):
    hourly(world)
    world.plan(NOW + 30 * MINUTE)
    run = world.claim()
    world.clock.at += 3 * SECOND
    world.end(run)
    assert [
        "Its schedule made it due at 02 12:30:00.",
        "It started at 02 12:30:00, on time.",
        "It succeeded after 3s, at 02 12:30:03.",
    ] == story(world, run)


def test_a_late_run_tells_how_late_and_how_long_it_waited(world):
    hourly(world)
    world.plan(NOW + 30 * MINUTE + 2 * SECOND)
    world.clock.at += 5 * SECOND
    run = world.claim()
    assert "It started at 02 12:30:07, 7s after its slot, of which it waited 5s for a place." in story(world, run)


def test_a_caught_up_run_says_so(world):
    hourly(world)
    world.plan(NOW + 50 * MINUTE)
    run = world.claim()
    assert "It was due at 02 12:30:00, which passed while nobody planned it; catch-up made it at 02 12:50:00." in story(
        world, run
    )


def test_every_attempt_of_a_run_has_its_sentence(world):
    world.add("backup", retries=Retries(count=1))
    run = world.verbs.trigger("backup", {"day": "monday"})
    world.claim()
    world.clock.at += 2 * SECOND
    world.end(run, State.FAILED, 1, "exit code 1", again=True)
    assert "It waits for attempt 2 of 2, at 02 12:00:12 (in 10s)." in story(world, run)
    world.plan(NOW + 12 * SECOND)
    world.claim()
    world.end(run, State.FAILED, 2, "exit code 2; all 2 attempts were used")
    assert [
        "It was asked for by hand at 02 12:00:00, with day=monday.",
        "Attempt 1 failed after 2s: exit code 1.",
        "Attempt 2 failed after 0s, at 02 12:00:12: exit code 2; all 2 attempts were used.",
    ] == story(world, run)


def test_a_failed_run_without_retries_says_why_it_was_not_tried_again(world):
    world.add()
    run = world.verbs.trigger("backup")
    world.claim()
    world.end(run, State.FAILED, 1, "exit code 1")
    assert "It was not tried again, because the job has no retries." == story(world, run)[-1]


def test_a_run_that_was_asked_for_again_names_the_first(world):
    world.add()
    run = world.verbs.trigger("backup")
    world.claim()
    world.end(run)
    again = world.verbs.retry(run)
    assert f"Somebody asked at 02 12:00:00 to run {run} once more." == story(world, again)[0]


def test_a_cancelled_run_tells_who_asked(world):
    world.add()
    run = world.verbs.trigger("backup")
    world.verbs.cancel(run)
    assert "It was cancelled before it started, at 02 12:00:00: cancelled by hand." == story(world, run)[-1]
    running = world.verbs.trigger("backup")
    world.claim()
    world.verbs.cancel(running)
    assert "At 02 12:00:00 its end was asked for: cancelled by hand." == story(world, running)[-1]


def test_a_queued_run_says_what_it_waits_for(world):
    world.add("backup", pool="db")
    world.add("other", pool="db")
    first = world.verbs.trigger("other")
    run = world.verbs.trigger("backup")
    assert "no engine is running" in story(world, run, engine=None)[-1]
    assert first == world.claim()
    assert "It is queued: its pool 'db' is full (1 of 1 places are taken)." == story(world, run)[-1]
    behind = world.verbs.trigger("other")
    assert f"It is queued: one run of the job may go at a time, and run {first} is running." == story(world, behind)[-1]


def test_a_running_run_without_an_engine_will_be_taken_over(world):
    world.add("backup", timeout=HOUR)
    run = world.verbs.trigger("backup")
    world.claim()
    world.clock.at += 90 * SECOND
    assert "It has been running for 1m 30s; it may take 1h." == story(world, run)[-1]
    assert "the next one that starts takes it over" in story(world, run, engine=None)[-1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda world: None, "Its next slot is 02 12:30:00 (in 30m)."),
        (lambda world: world.verbs.pause("backup"), "paused since 02 12:00:00. Go on with: rota resume backup"),
        (lambda world: world.verbs.remove("backup"), "It was removed at 02 12:00:00"),
    ],
)
def test_a_job_says_why_it_will_or_will_not_run(world, change, told):
    hourly(world)
    change(world)
    stored = world.store.jobs.find("backup")
    assert stored is not None
    assert told in " ".join(teller(world).job(stored).sentences)


def test_a_job_that_cannot_become_due_says_why(world):
    world.add("by hand")
    world.add("disabled", ("every", "1m"), enabled=False)
    world.add("once", ("at", "2026-03-02 12:00:30"))
    world.plan(NOW + MINUTE)
    assert "it has no schedule" in of_job(world, "by hand")
    assert "it is disabled" in of_job(world, "disabled")
    assert "no slot left" in of_job(world, "once")


def test_a_job_that_runs_without_an_engine_says_that_nobody_watches(world):
    world.add()
    run = world.verbs.trigger("backup")
    world.claim()
    assert f"Run {run} is running." in of_job(world)
    assert f"Run {run} is running, but no engine watches it now" in of_job(world, engine=None)


def test_a_job_without_an_engine_says_since_when_it_is_due(world):
    hourly(world)
    world.clock.at = NOW + HOUR
    assert "It has been due since 02 12:30:00 (30m ago), but no engine is running." in of_job(world, engine=None)


def test_a_job_tells_its_latest_skips(world):
    hourly(world, catch_up=CatchUp.NONE, grace=DAY)
    world.plan(NOW + 3 * HOUR)
    assert "The 3 slots from 02 12:30:00 to 02 14:30:00 were skipped: " in of_job(world)


def test_a_slot_that_ran_tells_the_story_of_its_run(world):
    hourly(world)
    world.plan(NOW + 30 * MINUTE)
    assert "Its schedule made it due at 02 12:30:00." in of_slot(world, NOW + 30 * MINUTE)


def test_a_time_said_to_the_minute_means_all_of_that_minute(world):
    world.add("backup", ("cron", "20 30 * * * *"))
    world.plan(NOW + 30 * MINUTE + 20 * SECOND)
    assert "made it due at 02 12:30:20" in of_slot(world, NOW + 30 * MINUTE)
    assert "No slot of its schedule is there" in of_slot(world, NOW + 30 * MINUTE, exact=True)


def test_a_skipped_slot_tells_the_reason(world):
    hourly(world, overlap=Overlap.SKIP)
    world.plan(NOW + 30 * MINUTE)
    first = world.claim()
    world.plan(NOW + 90 * MINUTE)
    assert f"The slot at 02 13:30:00 was skipped: run {first} was still running." == of_slot(world, NOW + 90 * MINUTE)


def test_a_time_between_the_slots_of_a_skipped_range_is_no_slot(world):
    hourly(world, catch_up=CatchUp.NONE)
    world.plan(NOW + 3 * HOUR)
    assert "were skipped" in of_slot(world, NOW + 90 * MINUTE)
    assert "No slot of its schedule is there" in of_slot(world, NOW + 100 * MINUTE)


def test_a_time_without_a_slot_names_the_nearest(world):
    hourly(world)
    told = of_slot(world, NOW + DAY)
    assert "No slot of its schedule is there: it is due every hour at minute 30" in told
    assert "before it, 03 11:30:00; after it, 03 12:30:00" in told


def test_a_slot_that_is_still_to_come_says_so(world):
    hourly(world)
    assert "It is still to come, in 1h 30m." == of_slot(world, NOW + 90 * MINUTE)
    world.verbs.pause("backup")
    assert "paused since" in of_slot(world, NOW + 90 * MINUTE)


def test_a_slot_that_nobody_has_decided_on_says_so(world):
    hourly(world)
    world.clock.at = NOW + HOUR
    assert "no engine has run since then" in of_slot(world, NOW + 30 * MINUTE, engine=None)


def test_a_slot_before_the_job_was_made_says_so(world):
    hourly(world)
    assert "The job was made later, at 02 12:00:00." == of_slot(world, NOW - 30 * MINUTE)


@pytest.mark.parametrize(
    ("text", "exact"),
    [("02:30", False), ("yesterday 2:30", False), ("2026-03-01T02:30", False), ("02:30:00", True), ("2d", True)],
)
def test_whether_a_time_was_said_with_its_seconds(text, exact):
    assert exact is is_exact(text)


def test_what_was_missed_is_skips_by_downtime_lost_runs_and_runs_that_waited_too_long(world):
    hourly(world, catch_up=CatchUp.LATEST, grace=timedelta(hours=9))
    world.add("patient", start_by=MINUTE)
    world.plan(NOW + 3 * HOUR)
    lost = world.claim()
    world.end(lost, State.LOST, None, "the machine restarted while it ran")
    late = world.verbs.trigger("patient")
    world.plan(NOW + 4 * HOUR)
    found = missed(world.store, teller(world), NOW - DAY)
    assert {("start_by", late), ("lost", lost), ("skipped", None)} == {(m.kind, m.run and m.run.id) for m in found}
    assert found == sorted(found, key=lambda miss: miss.at, reverse=True)
    assert [] == missed(world.store, teller(world), NOW + DAY)


def test_a_skip_because_of_a_running_run_is_no_miss(world):
    hourly(world)
    world.plan(NOW + 30 * MINUTE)
    world.claim()
    world.plan(NOW + 90 * MINUTE)
    assert [] == missed(world.store, teller(world), NOW)


# --- the start of the machine


def boot(world: World, at: datetime) -> None:
    """Do what an engine does that comes up after a start of the machine."""
    stored = world.store.jobs.get("backup")
    plan = plan_boot(stored, at, world.clock.at, world.store.runs.active(stored.id))
    assert plan is not None
    with world.store.transaction():
        world.store.record_plan_if_unmoved(stored, plan, world.clock.at, world.new_id)


def test_a_run_at_a_start_of_the_machine_says_that_and_how_long_it_took(world):
    world.add("backup", ("at", "boot"))
    boot(world, NOW - 40 * SECOND)
    run = world.claim()
    assert [
        "The machine started at 02 11:59:20, and it runs once for each start.",
        "It started at 02 12:00:00, 40s after its slot.",
    ] == story(world, run)[:2]
    assert "The machine started at 02 11:59:20" in of_slot(world, NOW - MINUTE), "said to the minute"


def test_a_run_of_a_schedule_beside_it_is_the_schedule_s(world):
    world.add("backup", ("at", "boot"), ("cron", "30 * * * *"), overlap=Overlap.ALLOW)
    boot(world, NOW - 40 * SECOND)
    world.plan(NOW + 30 * MINUTE)
    first, second = story(world, world.claim())[0], story(world, world.claim())[0]
    assert "The machine started at 02 11:59:20, and it runs once for each start." == first
    assert "Its schedule made it due at 02 12:30:00." == second


@pytest.mark.parametrize("exact", [True, False], ids=["to the second", "to the minute"])
def test_a_start_beyond_grace_is_explained(world, exact):
    world.clock.at = NOW - DAY
    world.add("backup", ("at", "boot"))
    world.clock.at = NOW
    boot(world, NOW - 2 * HOUR + 7 * SECOND)
    said_ = "the machine started at 2026-03-02 10:00:07 UTC, more than 1 hour (grace) before the engine came to it"
    at = NOW - 2 * HOUR + (7 * SECOND if exact else 0 * SECOND)
    assert f"The slot at 02 10:00:07 was skipped: {said_}." == of_slot(world, at, exact=exact)
    assert said_ in of_job(world)
    assert said_ in missed(world.store, teller(world), NOW - DAY)[0].text


def test_a_job_that_runs_at_starts_alone_says_so(world):
    world.add("backup", ("at", "boot"))
    assert of_job(world).startswith("It runs once each time the machine starts, as soon as the engine does. It has no")
    assert "engine does. No engine is running now; start one with: rota serve." in of_job(world, engine=None)
    assert "No slot of its schedule is there: it is due once when the machine starts." == of_slot(world, NOW)


def test_a_job_that_runs_at_starts_too_says_both(world):
    world.add("backup", ("at", "boot"), ("cron", "30 * * * *"))
    both = "Its next slot is 02 12:30:00 (in 30m). It also runs once each time the machine starts."
    assert of_job(world).startswith(both)

"""Jobs that are to run when the machine has started: once for each start, whatever becomes of the engine."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.engine.booting import BOOT_FACT
from rota.errors import StoreUnavailable
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import State, Trigger
from rota.plan.adopt import Evidence

from .machine import NOW, Act

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BOOT = ScheduleSpec("at", "boot")
STARTED = NOW - 40.26 * SECOND


def add(world, name="agent", *more, text="boot", enabled=True, **policy):
    specs = (ScheduleSpec("at", text), *more)
    return world.verbs.add(Job(name, Shell("true"), specs, Policy(**policy), timezone="UTC", enabled=enabled))


def start_machine(world, boot="second", *, took=20 * SECOND):
    """Start the machine anew, and the engine some time after."""
    world.crash()
    world.sleep_without_engine(5 * MINUTE)
    world.launcher.boot = boot
    world.launcher.up_since = world.clock.now()
    world.sleep_without_engine(took)
    world.boot()
    world.live(10)


def restart_engine(world):
    world.crash()
    world.boot()
    world.live(10)


def reasons(world, name="agent"):
    stored = world.store.jobs.get(name)
    return [record.skip.reason for record in world.store.ledger.page(stored.id, NOW - 9 * HOUR, None, 100)]


def test_it_runs_when_the_first_engine_comes_up_and_not_again_with_the_next_one(world):
    add(world)
    world.live(10)
    restart_engine(world)
    run = world.run("agent")
    assert (State.SUCCEEDED, Trigger.SCHEDULE) == (run.state, run.trigger)
    assert STARTED == run.slot, "the start of the machine, in hundredths of a second"
    assert "the machine started at 2026-03-01 11:59:19 UTC; 1 job runs because of that" in world.log.texts("INFO")


def test_it_runs_once_for_each_start_of_the_machine(world):
    add(world, text=" Boot")
    world.live(10)
    for number in range(3):
        start_machine(world, f"boot-{number}")
        restart_engine(world)
    assert [State.SUCCEEDED] * 4 == world.states("agent")
    assert 4 == len({run.slot for run in world.runs("agent")})


def test_a_home_that_is_served_in_turn_by_two_machines_that_go_on_fires_once_on_each(world):
    add(world)
    world.live(10)
    start_machine(world, "a-container")
    world.launcher.boot = "boot"
    restart_engine(world)
    assert 2 == len(world.runs("agent"))


def test_only_the_last_few_starts_are_remembered(world):
    for number in range(20):
        start_machine(world, f"boot-{number}")
    assert [f"boot-{number}" for number in range(12, 20)] == world.store.upkeep.fact(BOOT_FACT).split()


def test_a_job_that_is_added_or_changed_while_the_engine_runs_waits_for_the_next_start(world):
    world.live(10)
    add(world)
    world.add("later", "1h")
    world.verbs.change("later", Job("later", Shell("true"), (BOOT,)))
    world.live(10)
    restart_engine(world)
    assert [] == world.runs("agent") + world.runs("later")
    start_machine(world)
    assert 1 == len(world.runs("agent")) == len(world.runs("later"))


def test_a_paused_job_has_a_skip_for_each_start_and_none_of_them_is_caught_up(world):
    world.live(1)
    add(world)
    world.verbs.pause("agent")
    start_machine(world, "second")
    start_machine(world, "third")
    assert 0 == world.verbs.resume("agent")
    world.live(10)
    assert [("paused", 1), ("paused", 1)] == world.skips("agent")
    assert [] == world.runs("agent")


def test_a_disabled_job_has_no_record_of_it(world):
    add(world, enabled=False)
    start_machine(world)
    assert ([], []) == (world.runs("agent"), world.skips("agent"))


def test_a_start_beyond_grace_is_a_skip_that_was_missed(world):
    add(world, grace=MINUTE)
    start_machine(world, took=2 * MINUTE)
    assert [("beyond_grace", 1)] == world.skips("agent")
    assert "more than 1 minute (grace) before the engine came to it" in reasons(world)[0]
    assert "job.missed" in [event.kind for event in world.store.ledger.events(0, 1000)]


def test_a_job_that_was_made_long_after_the_start_has_missed_nothing(world):
    world.sleep_without_engine(2 * HOUR)
    add(world)
    world.live(10)
    assert ([], []) == (world.runs("agent"), world.skips("agent"))


def test_what_was_left_running_is_lost_first_and_makes_room(world):
    add(world)
    world.launcher.script["agent"] = [Act(seconds=None), Act()]
    world.live(10)
    run = world.run("agent")
    world.launcher.known[run.id] = Evidence(False, None, False, True, None, None)
    start_machine(world)
    assert [State.LOST, State.SUCCEEDED] == world.states("agent")


def test_a_lost_run_that_will_be_tried_again_is_the_one_run(world):
    add(world, retries=Retries(count=1))
    world.launcher.script["agent"] = [Act(seconds=None), Act()]
    world.live(10)
    run = world.run("agent")
    world.launcher.known[run.id] = Evidence(False, None, False, True, None, None)
    start_machine(world)
    world.live(MINUTE)
    assert [State.SUCCEEDED] == world.states("agent")
    assert [("overlap", 1)] == world.skips("agent")
    assert f"run {run.id} was still waiting for its next attempt" in reasons(world)[0]


def test_with_overlap_queue_it_waits_for_a_run_that_was_asked_for(world):
    world.live(1)
    add(world, overlap=Overlap.QUEUE)
    world.crash()
    world.verbs.trigger("agent")
    start_machine(world)
    assert [State.SUCCEEDED, State.SUCCEEDED] == world.states("agent")
    first, second = (run.started_at for run in world.runs("agent"))
    assert SECOND <= second - first


def test_beside_another_schedule_both_are_kept(world):
    add(world, "agent", ScheduleSpec("every", "10m"))
    world.live(12 * MINUTE)
    start_machine(world)
    world.live(6 * MINUTE)
    slots = [STARTED, NOW + 10 * MINUTE, NOW + 17 * MINUTE, NOW + 20 * MINUTE]
    assert slots == sorted(run.slot for run in world.runs("agent"))


def test_a_start_at_the_very_instant_of_another_slot_is_a_slot_of_its_own(world):
    add(world, "agent", ScheduleSpec("every", "10m"), overlap=Overlap.ALLOW)
    add(world, "alone", ScheduleSpec("every", "10m"))
    world.live(15 * MINUTE)
    start_machine(world)
    started = NOW + 20 * MINUTE
    assert [started, started + timedelta(microseconds=1)] == sorted(run.slot for run in world.runs("agent"))[-2:]
    assert started + timedelta(microseconds=1) == world.runs("alone")[-1].slot
    assert [("overlap", 1)] == world.skips("alone")


def test_a_schedule_beside_it_that_can_be_read_no_more_holds_nothing_up(world):
    add(world, "agent", ScheduleSpec("every", "10m"))
    body = world.store._db.one("definition_body", id=1)["body"]
    broken = world.store.jobs.get("agent")
    with world.store.transaction():
        job = msgspec.json.decode(body.replace("10m", "10 moons"), type=Job)
        world.store.jobs.change_if_unchanged(broken, job, "hand", NOW, None, broken.jitter)
    world.live(10)
    assert [State.SUCCEEDED] == world.states("agent")


def test_a_slot_that_has_its_run_already_keeps_it(world):
    add(world)
    world.live(10)
    with world.store.transaction():
        world.store.upkeep.put_fact(BOOT_FACT, "")
    restart_engine(world)
    assert 1 == len(world.runs("agent"))
    assert [] == world.skips("agent")


def test_a_transaction_that_fails_has_decided_nothing_and_the_next_one_decides(world):
    add(world)
    failed = world.store.transactions + 1
    world.store.fail = lambda number: StoreUnavailable("the disk is full") if number == failed else None
    world.engine.turn()
    assert [] == world.runs("agent")
    assert None is world.store.upkeep.fact(BOOT_FACT)
    world.live(10)
    assert [State.SUCCEEDED] == world.states("agent")
    assert 1 == len([text for text in world.log.texts() if "because of that" in text])


def test_an_engine_that_is_to_stop_leaves_it_to_the_next_one(world):
    add(world)
    world.engine.planning = False
    world.live(1)
    assert None is world.store.upkeep.fact(BOOT_FACT)
    restart_engine(world)
    assert 1 == len(world.runs("agent"))


def test_very_many_jobs_are_decided_on_in_one_go(world):
    for number in range(300):
        add(world, f"agent-{number:03}")
    world.engine.turn()
    assert all(len(world.runs(f"agent-{number:03}")) == 1 for number in range(300))
    assert "300 jobs run because of that" in world.log.texts("INFO")[-1]


@pytest.mark.parametrize("more", [(), (ScheduleSpec("every", "5m"),)])
def test_it_needs_no_zone_and_is_no_reason_for_a_warning(world, more):
    applied = world.verbs.add(Job("agent", Shell("true"), (BOOT, *more)))
    assert (None, ()) == (applied.stored.job.timezone, applied.warnings)
    assert None is applied.stored.next_slot or more


def test_dates_that_are_over_are_warned_of(world):
    applied = add(world, not_after=NOW - HOUR)
    assert "no slot to come (once when the machine starts, not after 2026-03-01 11:00 UTC)" in applied.warnings[0]

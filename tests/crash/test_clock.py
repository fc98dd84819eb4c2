"""Time that lies: reboots, jumps, a clock from the future, a suspended laptop. No slot twice, and catch-up."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from rota.model.ledger import SkipCode
from rota.model.policy import CatchUp, Overlap, Policy, Retries
from rota.model.run import FINAL, State

from .harness import Home, every, wait_for
from .ledger import slot_faults

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MARK = "echo $ROTA_RUN_ID/$ROTA_ATTEMPT >> marks"


def reboot(home: Home) -> None:
    """Do what a reboot does: everything is gone at once, and the boot has another id."""
    for engine in home.engines:
        engine.kill()
    while pids := home.pids():
        for pid in pids:
            os.kill(pid, SIGKILL)
    home.sql("UPDATE run SET boot = 'another-boot' WHERE state = 'running'")
    home.sql("UPDATE meta SET value = 'another-boot' WHERE key = 'boot'")


def slots_twice(home: Home, job: str) -> list[object]:
    slots = [run.slot for run in home.runs(job)]
    return [slot for slot in slots if slots.count(slot) > 1]


def test_after_a_reboot_running_runs_are_lost_and_tried_again_if_attempts_are_left(home: Home):
    home.start_engine()
    once = home.trigger("once", command=f"{MARK}; sleep 60")
    again = home.trigger("again", command=f"{MARK}; [ $ROTA_ATTEMPT = 2 ] || sleep 60",
                         policy=Policy(retries=Retries(count=1, delay=timedelta(0))))  # fmt: skip
    wait_for(lambda: len(home.marks()) == 2, "both run")
    reboot(home)
    home.start_engine()

    assert home.wait_for_end(once).state is State.LOST
    assert home.run(once).reason == "the machine, or its container, restarted while it ran"
    assert (home.wait_for_end(again).state, home.attempts(again)) == (State.SUCCEEDED, 2)
    assert sorted(home.marks()) == sorted([f"{once}/1", f"{again}/1", f"{again}/2"])


def test_an_exit_that_was_recorded_before_the_reboot_is_believed_after_it(home: Home):
    first = home.start_engine()
    run = home.trigger("backup", command="echo begun > begun; sleep 0.3; exit 6")
    home.wait_for_mark("begun")
    first.kill()
    wait_for(lambda: not home.pids(run), "it has ended")
    reboot(home)
    home.start_engine()

    assert home.wait_for_end(run).exit_code == 6


@pytest.mark.parametrize(
    ("catch_up", "run", "skipped"),
    [(CatchUp.LATEST, 1, SkipCode.COALESCED), (CatchUp.ALL, 10, None), (CatchUp.NONE, 0, SkipCode.CATCH_UP_NONE)],
)
def test_slots_missed_by_a_reboot_follow_the_catch_up_policy(
    home: Home, catch_up: CatchUp, run: int, skipped: SkipCode
):
    home.add("report", MARK, every("1m"), policy=Policy(catch_up=catch_up))
    home.start_engine()
    reboot(home)
    home.move_clock(10 * MINUTE + 20 * SECOND)
    home.start_engine()

    made = home.store.jobs.get("report").created_at
    wait_for(lambda: home.store.jobs.get("report").planned_to > made + 10 * MINUTE, "it is planned")
    wait_for(lambda: all(each.state in FINAL for each in home.runs("report")), "all have ended")
    assert len(home.marks()) == len(home.runs("report")) == run
    assert slot_faults(home.store, "report") == []
    skips = home.store.ledger.page(None, made, None, 10)
    assert [(each.skip.code, each.skip.count) for each in skips] == ([(skipped, 10 - run)] if skipped else [])


def test_a_clock_that_jumps_an_hour_back_starts_no_slot_twice_and_holds_up_nothing_that_is_not_a_slot(home: Home):
    home.add("often", MARK, every("0.5s"))
    home.start_engine()
    wait_for(lambda: len(home.runs("often")) >= 2, "slots have run")
    timed = home.trigger("timed", command="echo begun > begun; sleep 60", policy=Policy(timeout=1.5 * SECOND))
    retries = Retries(count=1, delay=1.5 * SECOND, jitter=0)
    tried = home.trigger("tried", command="[ $ROTA_ATTEMPT = 2 ]", policy=Policy(retries=retries))
    wait_for(lambda: home.run(tried).state is State.WAITING, "it waits for its second attempt")
    home.wait_for_mark("begun")
    home.move_clock(-HOUR)

    assert home.wait_for_end(home.trigger("now", command="true")).state is State.SUCCEEDED
    assert home.wait_for_end(timed, 5).state is State.TIMED_OUT
    assert home.wait_for_end(tried, 5).state is State.SUCCEEDED
    before = len(home.runs("often"))
    home.move_clock(timedelta(0))
    wait_for(lambda: len(home.runs("often")) > before, "it goes on where it was")
    assert slots_twice(home, "often") == []
    assert slot_faults(home.store, "often") == []


@pytest.mark.parametrize("jump", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_was_set_while_no_engine_ran_moves_no_deadline(home: Home, jump: timedelta):
    first = home.start_engine()
    policy = Policy(timeout=1.5 * SECOND)
    timed = home.trigger("timed", command="echo begun > begun; sleep 60", policy=policy)
    quick = home.trigger("quick", command="sleep 0.8; exit 5", policy=policy)
    home.wait_until_running(quick)
    home.wait_for_mark("begun")
    began = time.monotonic()
    first.kill()
    home.move_clock(jump)
    home.start_engine()

    assert home.wait_for_end(quick, 5).exit_code == 5
    assert home.wait_for_end(timed, 5).state is State.TIMED_OUT
    assert 1 <= time.monotonic() - began < 3


def test_a_clock_that_jumps_an_hour_forward_is_a_catch_up(home: Home):
    home.add("often", MARK, every("1s"))
    home.add("all", MARK, every("20m"), policy=Policy(catch_up=CatchUp.ALL))
    home.start_engine()
    wait_for(lambda: len(home.runs("often")) >= 2, "slots have run")
    home.move_clock(HOUR)
    wait_for(lambda: len(home.runs("all")) == 3 and all(run.state in FINAL for run in home.runs("all")), "all ran")

    assert slots_twice(home, "often") == []
    assert slot_faults(home.store, "often") == []
    assert slot_faults(home.store, "all") == []
    skips = home.store.ledger.page(None, home.store.jobs.get("all").created_at, None, 100)
    assert sum(each.skip.count for each in skips if each.skip.code is SkipCode.COALESCED) >= 3590


@pytest.mark.parametrize("restarted", [False, True], ids=["while the engine runs", "while no engine runs"])
def test_a_clock_that_came_from_far_in_the_future_and_is_corrected_silences_no_job(home: Home, restarted: bool):
    home.move_clock(timedelta(days=3650))
    home.add("often", MARK, every("0.5s"))
    home.add("paused", MARK, every("0.5s"))
    home.add("resting", MARK, every("0.5s", from_end=True))
    home.add("lasting", "sleep 1.5", every("0.5s", from_end=True))
    retries = Retries(count=1, delay=2.5 * SECOND, jitter=0)
    tried = home.trigger("tried", command="[ $ROTA_ATTEMPT = 2 ]", policy=Policy(retries=retries))
    engine = home.start_engine()
    wait_for(lambda: home.runs("resting") and home.runs("lasting"), "they run in the future")
    home.verbs.pause("paused")
    if restarted:
        engine.kill()
    home.move_clock(timedelta(0))
    now = home.client.clock.now()
    if restarted:
        home.start_engine()
    wait_for(lambda: home.events("clock.corrected"), "it was noticed")
    home.verbs.resume("paused")

    for job in ("often", "paused", "resting", "lasting"):
        wait_for(lambda job=job: [run for run in home.runs(job) if run.slot and run.slot < now + MINUTE], f"{job} runs")
        assert slots_twice(home, job) == []
    assert home.wait_for_end(tried, 6).state is State.SUCCEEDED
    assert home.events("clock.corrected") == 1


def test_a_suspended_laptop_catches_up_once_and_its_timeouts_count_waking_time(home: Home):
    home.add("often", MARK, every("0.5s"), policy=Policy(overlap=Overlap.QUEUE))
    engine = home.start_engine()
    slow = home.trigger("slow", command="echo begun > begun; sleep 1; exit 3", policy=Policy(timeout=HOUR / 2))
    home.wait_for_mark("begun")
    engine.kill(SIGSTOP)
    home.move_clock(HOUR)
    engine.kill(SIGCONT)

    slow_started = home.run(slow).queued_at
    assert home.wait_for_end(slow).exit_code == 3
    wait_for(
        lambda: [
            run
            for run in home.runs("often")
            if run.slot - run.queued_at < SECOND and run.slot > slow_started + HOUR / 2
        ],
        "it caught up",
    )
    assert slots_twice(home, "often") == []
    assert slot_faults(home.store, "often") == []

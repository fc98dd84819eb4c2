"""What a start of the machine means to a job."""

from __future__ import annotations

import msgspec
import pytest

from rota.model.job import ScheduleSpec
from rota.model.ledger import SkipCode
from rota.model.policy import CatchUp, Overlap
from rota.model.run import Trigger
from rota.plan.boot import plan_boot

from .slots import EVERY_MINUTE, HOUR, MINUTE, NOW, SECOND, running, stored_job

BOOT = ScheduleSpec("at", "boot")
STARTED = NOW + HOUR


def boot_job(*more, **policy):
    return stored_job(BOOT, *more, **policy)


def plan(stored, late=30 * SECOND, active=()):
    return plan_boot(stored, STARTED, STARTED + late, active)


def test_it_runs_for_the_instant_at_which_the_machine_started():
    found = plan(boot_job())
    assert [(STARTED, Trigger.SCHEDULE, False)] == [(run.slot, run.trigger, run.held) for run in found.runs]
    assert ((), (), False) == (found.skips, found.victims, found.stuck)


def test_the_place_in_time_of_its_other_schedules_stays():
    stored = boot_job(EVERY_MINUTE)
    found = plan(stored)
    assert (NOW, NOW + MINUTE) == (found.planned_to, found.next_slot) == (stored.planned_to, stored.next_slot)


@pytest.mark.parametrize("catch_up", CatchUp)
def test_however_long_the_machine_took_to_come_up_it_is_no_catch_up(catch_up):
    (run,) = plan(boot_job(catch_up=catch_up), late=10 * MINUTE).runs
    assert Trigger.SCHEDULE is run.trigger


@pytest.mark.parametrize(
    "stored",
    [
        stored_job(),
        stored_job(ScheduleSpec("at", "2026-03-01 13:00")),
        boot_job(not_before=STARTED + SECOND),
        boot_job(not_after=STARTED - SECOND),
        msgspec.structs.replace(boot_job(), removed_at=NOW),
        msgspec.structs.replace(boot_job(), job=msgspec.structs.replace(boot_job().job, enabled=False)),
    ],
    ids=["every", "at an instant", "too early", "too late", "removed", "disabled"],
)
def test_for_these_a_start_is_no_slot(stored):
    assert None is plan(stored)


def test_the_first_and_the_last_instant_of_its_dates_count():
    assert plan(boot_job(not_before=STARTED, not_after=STARTED)).runs


@pytest.mark.parametrize(("late", "runs"), [(HOUR, 1), (HOUR + SECOND, None)])
def test_a_job_that_was_made_after_the_start_runs_within_grace_and_has_missed_nothing_beyond(late, runs):
    found = plan(stored_job(BOOT, at=STARTED + MINUTE), late)
    assert runs == (None if found is None else len(found.runs))


def test_a_paused_job_skips_it_with_the_reason_even_beyond_grace():
    paused = msgspec.structs.replace(boot_job(), paused_at=NOW, next_slot=None)
    (skip,) = plan(paused, late=9 * HOUR).skips
    assert (STARTED, STARTED, 1, SkipCode.PAUSED) == (skip.first_slot, skip.last_slot, skip.count, skip.code)
    assert "the machine started at 2026-03-01 13:00:00 UTC, and the job was paused" == skip.reason


@pytest.mark.parametrize(
    ("grace", "late", "runs"),
    [(HOUR, HOUR, 1), (HOUR, HOUR + SECOND, 0), (0 * HOUR, SECOND, 1), (0 * HOUR, 2 * SECOND, 0)],
)
def test_grace_bounds_how_long_ago_the_machine_may_have_started(grace, late, runs):
    found = plan(boot_job(grace=grace), late)
    assert runs == len(found.runs)
    assert [SkipCode.BEYOND_GRACE] * (1 - runs) == [skip.code for skip in found.skips]


def test_a_skip_beyond_grace_says_when_the_machine_started():
    (skip,) = plan(boot_job(), late=2 * HOUR).skips
    started = "the machine started at 2026-03-01 13:00:00 UTC"
    assert f"{started}, more than 1 hour (grace) before the engine came to it" == skip.reason


def test_overlap_decides_as_on_any_slot():
    assert plan(boot_job(overlap=Overlap.ALLOW), active=running("A")).runs
    (run,) = plan(boot_job(overlap=Overlap.QUEUE), active=running("A")).runs
    assert run.held
    found = plan(boot_job(overlap=Overlap.REPLACE), active=running("A"))
    assert (True, ("A",)) == (found.runs[0].held, found.victims)
    assert plan(boot_job(max_instances=2), active=running("A")).runs


def test_a_skip_for_overlap_names_the_run_and_counts_in_the_row():
    stored = msgspec.structs.replace(boot_job(), skip_streak=2)
    found = plan(stored, active=running("A"))
    (skip,) = found.skips
    assert (SkipCode.OVERLAP, "A") == (skip.code, skip.run_id)
    assert "the machine started at 2026-03-01 13:00:00 UTC, and run A was still running" == skip.reason
    assert (3, True) == (found.skip_streak, found.stuck)
    assert 0 == plan(stored).skip_streak

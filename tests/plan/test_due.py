"""From a job whose time has come to the records of its slots."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.model.job import ScheduleSpec
from rota.model.ledger import Skip, SkipCode
from rota.model.policy import CatchUp, Overlap
from rota.model.run import Trigger
from rota.plan.due import CATCH_UP_CAP, plan_due, plan_silence

from .slots import DAY, HOUR, MINUTE, NOW, SECOND, TICK, running, stored_job

MS = timedelta(milliseconds=1)


def plan(stored, now, active=(), until=None):
    return plan_due(stored, now, active, until)


def slots(found):
    return [run.slot for run in found.runs]


def codes(found):
    return [(skip.code, skip.count) for skip in found.skips]


def test_a_slot_that_has_just_come_runs_and_the_cursor_moves():
    found = plan(stored_job(), NOW + MINUTE + 3 * MS)
    assert [(NOW + MINUTE, Trigger.SCHEDULE)] == [(run.slot, run.trigger) for run in found.runs]
    assert (NOW + MINUTE + 3 * MS, NOW + 2 * MINUTE, 0) == (found.planned_to, found.next_slot, found.skip_streak)
    assert ((), (), False) == (found.skips, found.victims, found.stuck)


def test_nothing_that_is_due_is_nothing_to_record():
    found = plan(stored_job(), NOW + SECOND)
    assert ((), ()) == (found.runs, found.skips)
    assert (NOW + SECOND, NOW + MINUTE) == (found.planned_to, found.next_slot)


def test_a_clock_that_went_back_moves_no_cursor():
    found = plan(stored_job(), NOW - DAY)
    assert (NOW, NOW + MINUTE) == (found.planned_to, found.next_slot)


@pytest.mark.parametrize(("late", "trigger"), [(10 * SECOND, Trigger.SCHEDULE), (10 * SECOND + TICK, Trigger.CATCH_UP)])
def test_ten_seconds_late_is_on_time(late, trigger):
    assert [trigger] == [run.trigger for run in plan(stored_job(), NOW + MINUTE + late).runs]


def test_latest_runs_the_last_of_what_was_missed():
    found = plan(stored_job(), NOW + 30 * MINUTE + 30 * SECOND)
    assert [NOW + 30 * MINUTE] == slots(found)
    assert (Skip(NOW + MINUTE, NOW + 29 * MINUTE, 29, SkipCode.COALESCED, found.skips[0].reason),) == found.skips


def test_what_is_beyond_grace_is_skipped_whatever_the_policy():
    for catch_up in CatchUp:
        found = plan(stored_job(catch_up=catch_up, grace=10 * MINUTE), NOW + 3 * HOUR)
        assert Skip(
            NOW + MINUTE, NOW + 169 * MINUTE, 169, SkipCode.BEYOND_GRACE, "it came more than 10 minutes late (grace)"
        ) == found.skips[0]  # fmt: skip


def test_all_runs_each_of_them_in_order_and_the_later_ones_wait_for_their_turn():
    found = plan(stored_job(catch_up=CatchUp.ALL), NOW + 5 * MINUTE + 30 * SECOND)
    assert [NOW + number * MINUTE for number in range(1, 6)] == slots(found)
    assert [False, True, True, True, True] == [run.held for run in found.runs]
    assert () == found.skips


def test_all_takes_the_last_thousand_and_says_what_it_left():
    found = plan(stored_job(catch_up=CatchUp.ALL, grace=10 * DAY), NOW + 3 * DAY)
    assert CATCH_UP_CAP == len(found.runs)
    assert NOW + 3 * DAY == found.runs[-1].slot
    assert [(SkipCode.CATCH_UP_CAP, 3 * 1440 - CATCH_UP_CAP)] == codes(found)


def test_all_beside_a_run_that_goes_on_refuses_nothing_that_was_missed():
    found = plan(stored_job(catch_up=CatchUp.ALL), NOW + 3 * MINUTE + SECOND, running("X"))
    assert [NOW + number * MINUTE for number in (1, 2, 3)] == slots(found)
    assert {True} == {run.held for run in found.runs}


def test_all_refuses_a_slot_on_time_as_skip_does():
    found = plan(stored_job(catch_up=CatchUp.ALL), NOW + MINUTE, running("X"))
    assert (Skip(NOW + MINUTE, NOW + MINUTE, 1, SkipCode.OVERLAP, "run X was still running", "X"),) == found.skips


def test_none_runs_only_what_is_on_time():
    found = plan(stored_job(catch_up=CatchUp.NONE), NOW + 5 * MINUTE + SECOND)
    assert [NOW + 5 * MINUTE] == slots(found)
    assert [(SkipCode.CATCH_UP_NONE, 4)] == codes(found)
    assert [] == slots(plan(stored_job(catch_up=CatchUp.NONE), NOW + 5 * MINUTE + 30 * SECOND))


def test_none_loses_no_slot_of_a_schedule_that_is_too_dense_to_run():
    dense = stored_job(ScheduleSpec("every", "1ms", anchor=NOW), catch_up=CatchUp.NONE, overlap=Overlap.ALLOW)
    found = plan(dense, NOW + 9 * SECOND)
    assert 9_000 == len(found.runs) + sum(skip.count for skip in found.skips)
    assert [(SkipCode.CATCH_UP_CAP, 8_000)] == codes(found)
    assert NOW + 9 * SECOND == found.runs[-1].slot


@pytest.mark.parametrize("late", [0 * MS, 1 * MS, 900 * MS])
def test_a_grace_of_nothing_still_lets_a_job_run(late):
    assert [NOW + MINUTE] == slots(plan(stored_job(grace=timedelta(0)), NOW + MINUTE + late))


def test_a_grace_shorter_than_on_time_is_kept():
    assert [NOW + MINUTE] == slots(plan(stored_job(grace=5 * SECOND), NOW + MINUTE + 5 * SECOND))
    found = plan(stored_job(grace=5 * SECOND), NOW + MINUTE + 6 * SECOND)
    assert [(SkipCode.BEYOND_GRACE, 1)] == codes(found)


def test_replace_runs_only_the_last_of_several_and_ends_what_is_there():
    stored = stored_job(overlap=Overlap.REPLACE, catch_up=CatchUp.ALL)
    found = plan(stored, NOW + 3 * MINUTE + SECOND, running("X"))
    assert ([NOW + 3 * MINUTE], ("X",)) == (slots(found), found.victims)
    assert [(SkipCode.COALESCED, 1), (SkipCode.COALESCED, 1)] == codes(found)


def test_three_refusals_in_a_row_mean_that_the_job_is_stuck_and_a_run_ends_the_row():
    stored, told = stored_job(), []
    for number in range(1, 6):
        found = plan(stored, NOW + number * MINUTE, running("X"))
        told.append(found.stuck)
        stored = msgspec.structs.replace(
            stored, planned_to=found.planned_to, next_slot=found.next_slot, skip_streak=found.skip_streak
        )
    assert [False, False, True, False, False] == told
    assert 0 == plan(stored, NOW + 6 * MINUTE).skip_streak


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("grace", [SECOND, HOUR])
def test_a_job_with_jitter_is_on_time_when_it_wakes(catch_up, grace):
    stored = stored_job(shift=5 * MINUTE, catch_up=catch_up, grace=grace)
    found = plan(stored, NOW + 6 * MINUTE + 3 * MS)
    assert [(NOW + MINUTE, Trigger.SCHEDULE)] == [(run.slot, run.trigger) for run in found.runs]
    assert ((), NOW + 2 * MINUTE) == (found.skips, found.next_slot)


def test_an_editor_accounts_for_slots_that_a_job_with_jitter_has_not_woken_for():
    stored = stored_job(ScheduleSpec("every", "10m", anchor=NOW), shift=5 * MINUTE, catch_up=CatchUp.NONE)
    now = NOW + 12 * MINUTE
    assert [] == slots(plan(stored, now))
    found = plan(stored, now, until=now)
    assert ([NOW + 10 * MINUTE], now) == (slots(found), found.planned_to)


def test_several_schedules_are_one_row_of_slots():
    stored = stored_job(
        ScheduleSpec("every", "1h", anchor=NOW),
        ScheduleSpec("cron", "0 * * * *"),
        ScheduleSpec("at", "2026-03-01T13:30:00Z"),
        catch_up=CatchUp.ALL,
        grace=DAY,
    )
    assert [NOW + HOUR, NOW + 1.5 * HOUR, NOW + 2 * HOUR] == slots(plan(stored, NOW + 2 * HOUR + MINUTE))


def test_the_end_of_a_schedule_leaves_no_next_slot():
    found = plan(stored_job(not_after=NOW + MINUTE), NOW + MINUTE)
    assert ([NOW + MINUTE], None) == (slots(found), found.next_slot)


def test_a_schedule_that_counts_from_the_end_waits_for_the_end():
    stored = stored_job(ScheduleSpec("every", "10m", anchor=NOW, from_end=True))
    assert NOW + 10 * MINUTE == stored.next_slot
    early = plan(stored, NOW + 9 * MINUTE)
    assert ([], NOW + 10 * MINUTE) == (slots(early), early.next_slot), "what is not due is not lost"
    due = plan(stored, NOW + 3 * DAY)
    assert ([NOW + 10 * MINUTE], None) == (slots(due), due.next_slot)
    refused = plan(stored, NOW + 10 * MINUTE, running("X"))
    assert ([(SkipCode.OVERLAP, 1)], None) == (codes(refused), refused.next_slot)


def test_silence_is_one_range_or_nothing():
    stored = stored_job()
    (skip,) = plan_silence(stored, NOW, NOW + HOUR, SkipCode.PAUSED, "the job was paused")
    assert Skip(NOW + MINUTE, NOW + HOUR, 60, SkipCode.PAUSED, "the job was paused") == skip
    assert () == plan_silence(stored, NOW, NOW + SECOND, SkipCode.PAUSED, "x")
    assert () == plan_silence(stored, NOW, NOW - HOUR, SkipCode.PAUSED, "x")


def test_a_week_of_seconds_costs_one_row_and_no_time():
    stored = stored_job(ScheduleSpec("every", "1s", anchor=NOW))
    found = plan(stored, NOW + 7 * DAY)
    assert [(SkipCode.BEYOND_GRACE, 7 * 86_400 - 3_601), (SkipCode.COALESCED, 3_600)] == codes(found)

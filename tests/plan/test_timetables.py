"""From schedules as text to a timetable; anchors; jitter."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.errors import BadSchedule
from rota.model.job import ScheduleSpec
from rota.plan.timetables import jitter_of, rest_of, timetable_of, with_anchors

from .slots import DAY, HOUR, MINUTE, NOW, stored_job


def job(*schedules, **policy):
    return stored_job(*schedules, **policy).job


def test_equal_instants_of_several_schedules_are_one_slot():
    both = job(ScheduleSpec("cron", "0 * * * *"), ScheduleSpec("every", "30m", anchor=NOW))
    assert 4 == timetable_of(both).count(NOW, NOW + 2 * HOUR)


def test_what_cannot_be_read_is_refused():
    with pytest.raises(BadSchedule, match="nonsense"):
        stored_job(ScheduleSpec("cron", "nonsense"))


def test_an_every_is_anchored_at_its_first_apply_and_keeps_it():
    fresh = msgspec.structs.replace(job(), schedules=(ScheduleSpec("every", "7m"), ScheduleSpec("cron", "0 * * * *")))
    first = with_anchors(fresh, None, NOW)
    assert [NOW, None] == [spec.anchor for spec in first.schedules]
    again = with_anchors(fresh, first, NOW + DAY)
    assert first == again, "unchanged text keeps its phase"
    changed = msgspec.structs.replace(fresh, schedules=(ScheduleSpec("every", "8m"),))
    assert [NOW + DAY] == [spec.anchor for spec in with_anchors(changed, first, NOW + DAY).schedules]


def test_an_anchor_that_was_given_is_kept():
    given = ScheduleSpec("every", "7m", anchor=NOW - DAY)
    assert (given,) == with_anchors(job(given), job(ScheduleSpec("every", "7m", anchor=NOW)), NOW).schedules


def test_a_schedule_that_counts_from_the_end_has_no_slots_of_its_own():
    resting = job(ScheduleSpec("every", "10m", anchor=NOW, from_end=True))
    assert timetable_of(resting).next_after(NOW) is None
    assert 10 * MINUTE == rest_of(resting)
    assert rest_of(job()) is None


def test_jitter_is_stable_per_job_and_home_and_less_than_its_limit():
    jobs = [msgspec.structs.replace(job(jitter=HOUR), name=f"job-{number}") for number in range(200)]
    shifts = [jitter_of(each, "home") for each in jobs]
    assert shifts == [jitter_of(each, "home") for each in jobs]
    assert shifts != [jitter_of(each, "other home") for each in jobs]
    assert all(timedelta(0) <= shift < HOUR for shift in shifts)
    assert len(set(shifts)) == len(shifts)
    assert timedelta(0) == jitter_of(job(), "home")


def test_dates_bound_the_slots():
    bounded = job(not_before=NOW + HOUR, not_after=NOW + 2 * HOUR)
    assert 61 == timetable_of(bounded).count(NOW, NOW + DAY)
    assert NOW + HOUR == timetable_of(bounded).next_after(NOW)
    assert timetable_of(bounded).next_after(NOW + 2 * HOUR) is None

"""The union of schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable

START = datetime(2026, 3, 28, tzinfo=UTC)
MICROSECOND, HOUR = timedelta(microseconds=1), timedelta(hours=1)


def cron(expression: str):
    return parse("cron", expression, zone="Europe/Berlin")


def test_one_schedule_counts_for_itself():
    timetable = Timetable([cron("* * * * * *")])
    assert timetable.count(START, START + timedelta(days=3_650)) == 10 * 365 * 86_400


def test_equal_instants_of_two_schedules_are_one_slot():
    timetable = Timetable([cron("0 * * * *"), cron("*/30 * * * *"), parse("every", "30m")])
    assert timetable.count(START, START + 2 * HOUR) == 4
    assert [START + half * HOUR / 2 for half in (1, 2, 3, 4)] == list(timetable.between(START, START + 2 * HOUR))


def test_two_wall_times_that_meet_after_a_gap_are_one_slot():
    timetable = Timetable([cron("15 2 * * *"), cron("45 2 * * *"), cron("0 3 * * *")])
    assert list(timetable.between(START + 12 * HOUR, START + 30 * HOUR)) == [START + 25 * HOUR]
    assert timetable.count(START + 12 * HOUR, START + 30 * HOUR) == 1


def test_a_rare_schedule_beside_a_busy_one_is_counted_without_walking_through_the_busy_one():
    timetable = Timetable([cron("* * * * * *"), parse("every", "1h", anchor=START + timedelta(milliseconds=5))])
    assert timetable.count(START, START + timedelta(days=3_650)) == 3_650 * (86_400 + 24) - 1


def test_slots_come_one_by_one():
    slots = Timetable([cron("* * * * * *")]).between(START, datetime.max.replace(tzinfo=UTC))
    assert [START + timedelta(seconds=number) for number in (1, 2, 3)] == list(islice(slots, 3))


def test_without_schedules_there_is_no_slot():
    timetable = Timetable([])
    assert timetable.next_after(START) is None
    assert timetable.latest_until(START) is None
    assert timetable.count(START, START + HOUR) == 0
    assert list(timetable.between(START, START + HOUR)) == []


def test_not_before_and_not_after_are_both_included():
    timetable = Timetable([parse("every", "1h")], not_before=START, not_after=START + 3 * HOUR)
    expected = [START, START + HOUR, START + 2 * HOUR, START + 3 * HOUR]
    assert expected == list(timetable.between(START - 9 * HOUR, START + 9 * HOUR))
    assert timetable.count(START - 9 * HOUR, START + 9 * HOUR) == 4
    assert timetable.next_after(START - 9 * HOUR) == START
    assert timetable.next_after(START + 3 * HOUR) is None
    assert timetable.latest_until(START + 9 * HOUR) == START + 3 * HOUR
    assert timetable.latest_until(START - MICROSECOND) is None
    assert timetable.count(START + 4 * HOUR, START + 9 * HOUR) == 0


@pytest.mark.parametrize(
    ("timetable", "english"),
    [
        (Timetable([]), "never by itself"),
        (Timetable([parse("every", "5m")]), "every 5 minutes"),
        (
            Timetable([parse("every", "1h"), cron("30 2 * * *"), parse("every", "1h")]),
            "every hour; and at 02:30 every day (Europe/Berlin)",
        ),
        (
            Timetable([parse("every", "5m")], START, START + HOUR),
            "every 5 minutes, not before 2026-03-28 00:00 UTC, not after 2026-03-28 01:00 UTC",
        ),
    ],
)
def test_a_timetable_is_explained_in_english(timetable, english):
    assert english == timetable.explain()


schedules = st.sampled_from(
    [
        *(cron(each) for each in ("*/20 * * * *", "30 2 * * *", "15,30 0-4 * * *", "0 */3 * * *", "0 3 29 3 *")),
        parse("every", "45m", anchor=START),
        parse("at", "2026-03-29 02:10", zone="Europe/Berlin"),
        parse("calendar", "Sun 2..3:30", zone="Europe/Berlin", dst="skip"),
    ]
)
shifts = st.integers(-50, 100).map(lambda shift: START + shift * HOUR)


@settings(max_examples=200, deadline=None)
@given(st.lists(schedules, max_size=4), shifts, shifts, st.none() | shifts, st.none() | shifts)
def test_a_union_holds_the_slots_of_all_and_no_others(parts, after, until, not_before, not_after):
    timetable = Timetable(parts, not_before, not_after)
    slots = list(timetable.between(after, until))
    each = {slot for part in parts for slot in Timetable([part]).between(after, until)}
    expected = sorted(slot for slot in each if (not_before or slot) <= slot <= (not_after or slot))
    assert expected == slots
    assert len(slots) == timetable.count(after, until)
    if slots:
        assert slots[0] == timetable.next_after(after)
        assert slots[-1] == timetable.latest_until(until)
        assert slots[:-1] == list(takewhile(lambda slot: slot < slots[-1], timetable.between(after, until)))

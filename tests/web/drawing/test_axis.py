"""Marks on an axis of time: round on the wall clock of whoever looks, on every day of every zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.web.drawing.axis import Scale, marks

BERLIN, KOLKATA, NEPAL = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu")
LORD_HOWE, APIA = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Pacific/Apia")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = st.sampled_from([ZoneInfo("UTC"), BERLIN, KOLKATA, NEPAL, LORD_HOWE, APIA, ZoneInfo("America/St_Johns")])


def day_in(zone: ZoneInfo, *date: int) -> tuple[datetime, datetime]:
    """Return where a day of a wall clock begins and ends."""
    begin = datetime(*date, tzinfo=zone)
    return begin.astimezone(UTC), (begin + DAY).astimezone(UTC)  # a day on the wall clock, however long it is


@pytest.mark.parametrize(
    ("date", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)], ids=["spring", "autumn", "any"]
)
def test_a_day_has_a_mark_for_each_hour_that_it_has(date, hours):
    found = marks(*day_in(BERLIN, *date), BERLIN, 25)
    assert hours == len(found)
    assert [HOUR] * (hours - 1) == [after.at - before.at for before, after in pairwise(found)]


def test_an_hour_that_there_is_not_has_no_mark_and_one_that_comes_twice_has_two():
    spring = [mark.text for mark in marks(*day_in(BERLIN, 2026, 3, 29), BERLIN, 25)]
    autumn = [mark.text for mark in marks(*day_in(BERLIN, 2026, 10, 25), BERLIN, 25)]
    assert ["Sun 29", "01:00", "03:00", "04:00"] == spring[:4]
    assert ["Sun 25", "01:00", "02:00", "02:00", "03:00"] == autumn[:5]


def test_every_third_hour_stays_on_the_wall_clock_when_it_changes():
    texts = [mark.text for mark in marks(*day_in(BERLIN, 2026, 3, 29), BERLIN, 8)]
    assert ["Sun 29", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"] == texts


@pytest.mark.parametrize("zone", [KOLKATA, NEPAL])
def test_hours_of_a_zone_between_hours_are_its_own(zone):
    begin = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert {"00"} == {mark.text[-2:] for mark in marks(begin, begin + 6 * HOUR, zone, 8) if not mark.is_day}


def test_a_change_of_half_an_hour_moves_the_marks_by_that():
    since, until = day_in(LORD_HOWE, 2026, 4, 5)  # the clock goes from 02:00 back to 01:30
    found = marks(since, until, LORD_HOWE, 50)
    assert 49 == len(found)
    assert 2 == sum(mark.text == "01:30" for mark in found)


def test_days_are_marked_by_their_names():
    begin = datetime(2026, 11, 16, 12, tzinfo=UTC)
    found = marks(begin, begin + 7 * DAY, BERLIN, 8)
    assert ["Tue 17", "Wed 18", "Thu 19", "Fri 20", "Sat 21", "Sun 22", "Mon 23"] == [mark.text for mark in found]
    assert all(mark.is_day for mark in found)


@given(
    st.integers(0, 30 * 366 * 24 * 60).map(lambda minutes: datetime(2005, 1, 1, tzinfo=UTC) + minutes * MINUTE),
    st.sampled_from([HOUR, 6 * HOUR, DAY, 7 * DAY]),
    ZONES,
)
def test_marks_are_in_order_inside_and_round(since, length, zone):
    found = marks(since, since + length, zone, 8)
    instants = [mark.at for mark in found]
    assert sorted(set(instants)) == instants
    assert all(since <= at < since + length for at in instants)
    assert all(at.astimezone(zone).second == 0 and at.astimezone(zone).minute % 5 == 0 for at in instants)
    assert 1 <= len(found) <= 12


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_has_a_place_on_the_line(instant):
    scale = Scale(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert 0 <= scale.place(instant) <= 100


def test_places_are_in_proportion():
    scale = Scale(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert [0, 25, 50, 100] == [scale.place(scale.since + hours * HOUR) for hours in (0, 6, 12, 24)]

"""Intervals of real time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.parse import parse

ANCHOR = datetime(2026, 1, 1, 12, 0, 0, 7, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_slots_are_whole_intervals_after_the_anchor():
    schedule = parse("every", "5m", anchor=ANCHOR)
    assert timedelta(minutes=5) == schedule.interval
    assert schedule.next_after(ANCHOR) == ANCHOR + 5 * MINUTE
    assert schedule.next_after(ANCHOR - timedelta(days=400)) == ANCHOR + 5 * MINUTE
    assert schedule.next_after(ANCHOR + 5 * MINUTE) == ANCHOR + 10 * MINUTE
    assert schedule.latest_until(ANCHOR + 9 * MINUTE) == ANCHOR + 5 * MINUTE
    assert schedule.latest_until(ANCHOR + 5 * MINUTE) == ANCHOR + 5 * MINUTE


def test_the_anchor_itself_is_no_slot():
    schedule = parse("every", "5m", anchor=ANCHOR)
    assert schedule.latest_until(ANCHOR) is None
    assert schedule.latest_until(ANCHOR + 4 * MINUTE) is None
    assert schedule.count(ANCHOR - MINUTE, ANCHOR) == 0
    assert schedule.count(ANCHOR, ANCHOR - MINUTE) == 0


def test_without_an_anchor_the_epoch_is_it():
    assert EPOCH + timedelta(hours=7) == parse("every", "7h").next_after(EPOCH)


def test_an_anchor_without_a_zone_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="has no zone"):
        parse("every", "5m", anchor=ANCHOR.replace(tzinfo=None))


def test_a_day_is_24_hours_whatever_wall_clocks_do():
    schedule = parse("every", "1d", zone="Europe/Berlin", anchor=datetime(2026, 3, 28, 11, tzinfo=UTC))
    assert datetime(2026, 3, 30, 11, tzinfo=UTC) == schedule.next_after(datetime(2026, 3, 29, 11, tzinfo=UTC))


def test_slots_end_where_datetimes_do():
    assert parse("every", "1w").next_after(datetime.max.replace(tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0s", "every 0s is too often; the shortest interval is 1ms"),
        ("999us", "every 999us is too often; the shortest interval is 1ms"),
        ("40000d", "every 40000 days is longer than a century"),
        ("-5m", "a duration cannot be negative"),
        ("every 5m", "a number is missing before 'every 5m'"),
    ],
)
def test_a_wrong_interval_is_refused(text, problem):
    with pytest.raises(BadSchedule) as caught:
        parse("every", text)
    assert (problem, 1) == (caught.value.problem, caught.value.column)


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("5m", "every 5 minutes"),
        ("1h", "every hour"),
        ("90s", "every 1 minute 30 seconds"),
        ("1ms", "every millisecond"),
        ("1d", "every day"),
    ],
)
def test_an_interval_is_explained_in_english(text, english):
    assert english == parse("every", text).explain()


@given(
    interval=st.integers(1_000, 10**9).map(lambda number: timedelta(microseconds=number)),
    starts=st.integers(-(10**10), 10**10),
    number=st.integers(0, 50),
)
def test_an_interval_counts_what_it_walks_through(interval, starts, number):
    schedule = parse("every", f"{interval // timedelta(microseconds=1)}us", anchor=ANCHOR)
    after = slot = ANCHOR + timedelta(microseconds=starts)
    for walked in range(number):
        following = schedule.next_after(slot)
        assert walked + 1 == schedule.count(after, following)
        assert walked == schedule.count(after, following - timedelta(microseconds=1))
        assert following == schedule.latest_until(following)
        slot = following

"""Instants, absolute and relative, and the schedule of a single one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.instant import parse_instant
from rota.schedule.parse import parse

from .oracle import MINUTE, every_jump

NOW = datetime(2026, 1, 31, 9, 0, 15, 250_000, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31 10:00", "2026-01-31 09:00:00"),
        ("2026-01-31T10:00", "2026-01-31 09:00:00"),
        ("2026-01-31t9:05", "2026-01-31 08:05:00"),
        ("2026-01-31T10:00:15.250", "2026-01-31 09:00:15.250000"),
        ("2026-01-31T10:00:15,5", "2026-01-31 09:00:15.500000"),
        ("2026-01-31T10:00:15.123456789", "2026-01-31 09:00:15.123456"),
        ("2026-01-31", "2026-01-30 23:00:00"),
        ("  2026-07-01 12:00 ", "2026-07-01 10:00:00"),
        ("2026-01-31T10:00Z", "2026-01-31 10:00:00"),
        ("2026-01-31T10:00:00z", "2026-01-31 10:00:00"),
        ("2026-01-31 10:00:00+05:30", "2026-01-31 04:30:00"),
        ("2026-01-31 10:00 -0800", "2026-01-31 18:00:00"),
        ("2026-01-31T10:00+01", "2026-01-31 09:00:00"),
        ("2026-03-29 02:30", "2026-03-29 01:00:00"),
        ("2026-03-29 02:30:15.5", "2026-03-29 01:00:00"),
        ("2026-03-29 02:59:59.5", "2026-03-29 01:00:00"),
        ("2026-03-29 03:00:00.5", "2026-03-29 01:00:00.500000"),
        ("2026-10-25 02:30", "2026-10-25 00:30:00"),
        ("2026-10-25 02:59:59.75", "2026-10-25 00:59:59.750000"),
        ("2026-10-25 03:00", "2026-10-25 02:00:00"),
        ("9999-12-31", "9999-12-30 23:00:00"),
    ],
)
def test_an_absolute_instant_is_read_in_the_zone(text, expected):
    assert expected == str(parse_instant(text, BERLIN)).removesuffix("+00:00")
    assert expected == str(parse_instant(text, ZoneInfo(BERLIN), NOW)).removesuffix("+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-01-31 09:00:15.250000"),
        ("in 5m", "2026-01-31 09:05:15.250000"),
        ("In 1h 30m", "2026-01-31 10:30:15.250000"),
        ("+5m", "2026-01-31 09:05:15.250000"),
        ("-1h", "2026-01-31 08:00:15.250000"),
        ("1h ago", "2026-01-31 08:00:15.250000"),
        ("2 days ago", "2026-01-29 09:00:15.250000"),
        ("today", "2026-01-30 23:00:00"),
        ("today 09:00", "2026-01-31 08:00:00"),
        ("tomorrow 09:00", "2026-02-01 08:00:00"),
        ("Tomorrow at 9:00:30", "2026-02-01 08:00:30"),
        ("yesterday", "2026-01-29 23:00:00"),
        ("10:30", "2026-01-31 09:30:00"),
        ("09:30", "2026-02-01 08:30:00"),
        ("10:00:15.25", "2026-02-01 09:00:15.250000"),
        ("10:00:15.26", "2026-01-31 09:00:15.260000"),
    ],
)
def test_a_relative_instant_is_read_from_now(text, expected):
    assert expected == str(parse_instant(text, BERLIN, NOW)).removesuffix("+00:00")


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 0, "it is empty"),
        ("next week", 1, "it is no date and time"),
        ("2026-01-31 10:00 Europe/Berlin", 1, "it is no date and time"),
        ("2026-13-01", 6, "month must be 1 to 12, not 13"),
        ("2026-02-30", 9, "2026-02 has no day 30"),
        ("2026-01-32", 9, "day must be 1 to 31, not 32"),
        ("2026-01-31 24:00", 12, "hour must be 0 to 23, not 24"),
        ("2026-01-31 10:60", 15, "minute must be 0 to 59, not 60"),
        ("2026-01-31 10:00:60", 18, "second must be 0 to 59, not 60"),
        (" 2026-01-31 10:00+25:00", 19, "offset's hour must be 0 to 23, not 25"),
        ("0000-01-01", 1, "year must be 1 to 9999, not 0000"),
        ("0001-01-01", 0, "it is outside the years 1 to 9999 in UTC"),
        ("0001-01-01 00:00+14:00", 0, "it is outside the years 1 to 9999 in UTC"),
        ("25:00", 1, "hour must be 0 to 23, not 25"),
        ("tomorrow 10:99", 13, "minute must be 0 to 59, not 99"),
        ("in 5x", 5, "unknown unit 'x'"),
        ("5y ago", 2, "'y' has no fixed length"),
        ("-9999y", 6, "'y' has no fixed length"),
        ("-3000000d", 0, "it is outside the years 1 to 9999 in UTC"),
    ],
)
def test_a_wrong_instant_is_refused_with_its_column(text, column, problem):
    with pytest.raises(BadSchedule) as caught:
        parse_instant(text, BERLIN, NOW)
    assert (column, problem) == (caught.value.column, caught.value.problem)


def test_a_zone_behind_utc_can_leave_the_year_9999():
    with pytest.raises(BadSchedule, match="outside the years 1 to 9999"):
        parse_instant("9999-12-31 23:00", "America/New_York")


def test_after_the_last_day_there_is_no_tomorrow():
    with pytest.raises(BadSchedule, match="outside the years 1 to 9999"):
        parse_instant("tomorrow", "UTC", datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("text", ["now", "in 5m", "-1h", "tomorrow 09:00", "10:30"])
def test_a_relative_instant_needs_a_now(text):
    with pytest.raises(BadSchedule, match="is relative, and nothing says to when"):
        parse("at", text, zone=BERLIN)


@pytest.mark.parametrize("jump", every_jump(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_a_skipped_wall_time_is_the_end_of_its_gap_and_a_repeated_one_its_first(jump):
    at, before, after = jump
    wall = (at + (before + after) / 2).replace(tzinfo=None)
    expected = at if after > before else at - (before - after) / 2
    assert expected == parse_instant(str(wall), every_jump()[jump])


def test_at_is_one_slot():
    schedule = parse("at", "2026-01-31 10:00", zone=BERLIN)
    instant = datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert instant == schedule.instant
    assert instant == schedule.next_after(instant - MINUTE)
    assert schedule.next_after(instant) is None
    assert instant == schedule.latest_until(instant)
    assert schedule.latest_until(instant - MINUTE) is None
    assert [schedule.count(instant + shift * MINUTE, instant) for shift in (-1, 0, 1)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("2026-01-31 10:00", "once at 2026-01-31 10:00 (Europe/Berlin)"),
        ("2026-01-31 10:00:15Z", "once at 2026-01-31 11:00:15 (Europe/Berlin)"),
    ],
)
def test_at_is_explained_on_the_zones_wall_clock(text, english):
    assert english == parse("at", text, zone=BERLIN).explain()


@given(
    st.datetimes().filter(lambda each: 2 < each.year < 9998), st.timedeltas(-timedelta(hours=23), timedelta(hours=23))
)
def test_every_rfc_3339_text_is_read_as_python_reads_it(naive, offset):
    minutes = offset // MINUTE
    sign, ahead = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{naive.isoformat()}{sign}{ahead // 60:02}:{ahead % 60:02}"
    assert datetime.fromisoformat(text) == parse_instant(text, "UTC")


@given(st.one_of(st.text(), st.text("0123456789-: TZ+in ago", max_size=25)))
def test_anything_is_an_instant_or_refused(text):
    try:
        instant = parse_instant(text, BERLIN, NOW)
    except BadSchedule:
        return
    assert instant.tzinfo is UTC

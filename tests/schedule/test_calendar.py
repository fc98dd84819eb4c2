"""What OnCalendar expressions mean, and how they differ from systemd's around a jump of the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oncalendar import BaseIterator, OnCalendarError

from rota.errors import BadSchedule
from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable

from .oracle import MINUTE, Model, every_jump

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("minutely", "2026-01-01 00:01:00"),
        ("hourly", "2026-01-01 01:00:00"),
        ("daily", "2026-01-02 00:00:00"),
        ("Weekly", "2026-01-05 00:00:00"),
        ("monthly", "2026-02-01 00:00:00"),
        ("quarterly", "2026-04-01 00:00:00"),
        ("semiannually", "2026-07-01 00:00:00"),
        ("yearly", "2027-01-01 00:00:00"),
        ("*:0/15", "2026-01-01 00:15:00"),
        ("*:*:0/10", "2026-01-01 00:00:10"),
        ("*:5..5/2", "2026-01-01 00:05:00"),
        ("0/2:00", "2026-01-01 02:00:00"),
        ("Mon..Fri 09:00", "2026-01-01 09:00:00"),
        ("Mon-Fri 09:00", "2026-01-01 09:00:00"),
        ("Saturday,Sun 10:00", "2026-01-03 10:00:00"),
        ("Sun", "2026-01-04 00:00:00"),
        ("Mon, 2026-02-02", "2026-02-02 00:00:00"),
        ("*-*-* 09:00:00", "2026-01-01 09:00:00"),
        ("*-*~1 03:00", "2026-01-31 03:00:00"),
        ("*-02~3", "2026-02-26 00:00:00"),
        ("Mon *-05~07/1 10:00", "2026-05-25 10:00:00"),
        ("Fri *-*-1..7 18:00", "2026-01-02 18:00:00"),
        ("2027-06-01", "2027-06-01 00:00:00"),
        ("06-01 12:00", "2026-06-01 12:00:00"),
        ("2150-01-01", "2150-01-01 00:00:00"),
        ("daily America/New_York", "2026-01-01 05:00:00"),
        ("*-*-* 12:00 Asia/Kathmandu", "2026-01-01 06:15:00"),
    ],
)
def test_the_first_slot_of_an_expression(expression, expected):
    assert expected == f"{parse('calendar', expression, zone='UTC').next_after(START):%Y-%m-%d %H:%M:%S}"


def test_an_expression_of_the_past_has_no_slot_any_more():
    schedule = parse("calendar", "2020-02-01 10:00", zone="UTC")
    assert schedule.next_after(START) is None
    assert datetime(2020, 2, 1, 10, tzinfo=UTC) == schedule.latest_until(START)
    assert schedule.count(START, START + timedelta(days=4_000)) == 0


def test_an_expression_without_a_year_goes_on_beyond_systemds_last():
    assert datetime(2300, 1, 2, tzinfo=UTC) == parse("calendar", "daily", zone="UTC").next_after(
        datetime(2300, 1, 1, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("expression", "column", "problem"),
    [
        ("25:00", 1, "hour must be 0 to 23, not '25'"),
        ("Mon 10:60", 8, "minute must be 0 to 59, not '60'"),
        ("10:00:00.5", 7, "fractions of a second are not kept, as in '00.5'"),
        ("10:00:00:00", 1, "'10:00:00:00' has 4 parts"),
        ("*-13-01 10:00", 3, "month must be 1 to 12, not '13'"),
        ("*-*-0", 5, "day must be 1 to 31 (1 to 28 after '~'), not '0'"),
        ("*-*~29", 5, "day must be 1 to 31 (1 to 28 after '~'), not '29'"),
        ("1-2-3-4", 1, "'1-2-3-4' is no date"),
        ("1960-01-01", 1, "year must be 1970 to 2199, not '1960'"),
        ("Mno 10:00", 1, "unknown weekday 'Mno'"),
        ("Mon,Tes 10:00", 5, "unknown weekday 'Tes'"),
        ("Fri..Mon 10:00", 1, "the range Fri..Mon is reversed; a week begins with Mon"),
        ("17..9:00", 1, "the range 17..9 is reversed"),
        ("*:0/0", 5, "a step must be a whole number from 1 on, not '0'"),
        ("*:0/-5", 5, "a step must be a whole number from 1 on, not '-5'"),
        ("*:*/5", 3, "'*/5' mixes '*' with something else; '*' stands alone in a field"),
        ("*:1,*", 5, "'*' mixes '*' with something else; '*' stands alone in a field"),
        (":30", 1, "the hour is missing"),
        ("Mon,,Tue", 5, "the weekday is missing"),
        ("daily 03:00", 7, "'daily' stands alone, but '03:00' follows"),
        ("Mon, Wed 10:00", 1, "'Mon,' is one part too many"),
        ("10", 1, "'10' is no weekday, date or time"),
        ("*-02-30", 1, "it never fires: no such day exists"),
        ("Mon 2026-02-30 10:00", 5, "it never fires: no such day exists"),
        ("10:00 Europe/Berln", 7, "no time zone is named 'Europe/Berln'"),
        ("", 0, "it is empty"),
        ("daily\tdaily\ndaily", 12, "control character '\\n'"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_column(expression, column, problem):
    with pytest.raises(BadSchedule) as caught:
        parse("calendar", expression, zone="UTC")
    assert (column, problem) == (caught.value.column, caught.value.problem)


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("*:*/5", "such as 0/5"),
        ("*-*-*/2", "such as 1/2"),
        ("dayly", "did you mean 'daily'?"),
        ("Mno 10:00", "did you mean 'Mon'?"),
        ("10:00 Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("daily 03:00", "daily is short for '*-*-* 00:00:00'"),
        ("Mon, Wed 10:00", "without a space"),
    ],
)
def test_a_refusal_says_what_to_write_instead(expression, hint):
    with pytest.raises(BadSchedule, match=r".") as caught:
        parse("calendar", expression, zone="UTC")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("expression", "english"),
    [
        ("daily", "at 00:00 every day (Europe/Berlin)"),
        ("*:0/15", "every 15 minutes (Europe/Berlin)"),
        ("Mon..Fri 09:00", "at 09:00 on Monday to Friday (Europe/Berlin)"),
        ("*-*~1 03:00", "at 03:00 on the last day of the month (Europe/Berlin)"),
        ("*-*~3 03:00", "at 03:00 on the 3rd last day of the month (Europe/Berlin)"),
        ("*-*~12 03:00", "at 03:00 on the 12th last day of the month (Europe/Berlin)"),
        ("Mon *-05~07/1 10:00", "at 10:00 on the last 7 days of May, if it is Monday (Europe/Berlin)"),
        ("Fri,Sat *-*-13 10:00", "at 10:00 on day 13 of the month, if it is Friday or Saturday (Europe/Berlin)"),
        ("2027-06-01 12:00", "at 12:00 on day 1 of June 2027 (Europe/Berlin)"),
        ("2027-*-01 12:00", "at 12:00 on day 1 of the month in 2027 (Europe/Berlin)"),
        ("2027-*-* 12:00", "at 12:00 every day in 2027 (Europe/Berlin)"),
        ("12:00 UTC", "at 12:00 every day (UTC)"),
    ],
)
def test_an_expression_is_explained_in_english(expression, english):
    assert english == parse("calendar", expression, zone="Europe/Berlin").explain()


@pytest.mark.parametrize("jump", every_jump(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_around_a_jump_a_calendar_fires_as_cron_does_and_skips_when_asked(jump):
    zone, (at, before, after_it) = every_jump()[jump], jump
    middle = at.replace(tzinfo=None) + (before + after_it) / 2
    after, until = at - timedelta(hours=3, minutes=30), at + timedelta(hours=4)
    fixed = Model(f"{middle.minute} {middle.hour} * * *").slots(ZoneInfo(zone), after, until)
    expression = f"{middle:%H:%M}"
    assert fixed == slots_of(expression, zone, after, until)
    skipped = fixed if after_it < before else [slot for slot in fixed if slot != at]
    assert skipped == slots_of(expression, zone, after, until, dst="skip")
    every_quarter = Model("*/15 * * * *").slots(ZoneInfo(zone), after, until)
    hourly = Model("30 * * * *").slots(ZoneInfo(zone), after, until)
    for expected, wildcard in ((every_quarter, "*:0/15"), (every_quarter, "0..23:0/15"), (hourly, "0/1:30")):
        for dst in ("fire", "skip"):
            assert expected == slots_of(wildcard, zone, after, until, dst=dst)


def slots_of(expression: str, zone: str, after: datetime, until: datetime, dst: str = "fire") -> list[datetime]:
    schedule = parse("calendar", expression, zone=zone, dst=dst)
    slots = list(Timetable([schedule]).between(after, until))
    assert len(slots) == schedule.count(after, until)
    assert all(slot == schedule.latest_until(slot + MINUTE / 9) for slot in slots)
    return slots


instants = st.integers(0, 3_000_000_000).map(
    lambda second: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
weekdays = st.sampled_from(["", "Mon", "Mon..Fri", "Sat,Sun", "Tue,Thu..Sat"])
dates = st.sampled_from(["", "*-*-*", "*-*-1/3", "*-2,6-1..9", "*-*~1", "*-*~7/2", "2026/2-*-29", "*-02-29", "4-30"])
times = st.sampled_from(["", "*:*", "09:00", "*:0/7", "8..17/3:30", "1,2:3,4:5,6", "23:59:*", "0/5:0"])


@settings(max_examples=200, deadline=None)
@given(
    parts=st.tuples(weekdays, dates, times),
    start=instants,
)
def test_on_a_clock_without_jumps_oncalendar_walks_through_the_same_slots(parts, start):
    expression = " ".join(filter(None, parts))
    try:
        theirs = BaseIterator(expression, start)
        schedule = parse("calendar", expression, zone="UTC")
    except (OnCalendarError, BadSchedule):
        assume(False)
    slots, instant = [], start
    for their_slot in islice(theirs, 5):
        instant = schedule.next_after(instant)
        assert their_slot == instant
        slots.append(instant)
    for earlier, later in pairwise(slots):
        assert earlier == schedule.latest_until(later - timedelta(microseconds=1))

"""What cron expressions mean, apart from jumps of the wall clock (see test_jumps)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.parse import parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def days(expression: str, year: int = 2026) -> list[str]:
    """Return the days of a year on which an expression fires, as month-day."""
    schedule, found = parse("cron", expression, zone="UTC"), []
    slot = schedule.next_after(datetime(year, 1, 1, tzinfo=UTC) - timedelta(microseconds=1))
    while slot is not None and slot.year == year:
        found.append(f"{slot.month}-{slot.day}")
        slot = schedule.next_after(slot)
    return found


def first(expression: str, after: datetime = START) -> str:
    return f"{parse('cron', expression, zone='UTC').next_after(after):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", "2026-01-01 00:01:00"),
        ("*/5 * * * *", "2026-01-01 00:05:00"),
        ("5/20 * * * *", "2026-01-01 00:05:00"),
        ("4-4/2 * * * *", "2026-01-01 00:04:00"),
        ("4-4/2 5-5/3 * * *", "2026-01-01 05:04:00"),
        ("*/10 * * * * *", "2026-01-01 00:00:10"),
        ("30 0 9 * * *", "2026-01-01 09:00:30"),
        ("0 9 * * MON", "2026-01-05 09:00:00"),
        ("0 9 * * mon-Fri", "2026-01-01 09:00:00"),
        ("0 9 * * 0", "2026-01-04 09:00:00"),
        ("0 9 * * 7", "2026-01-04 09:00:00"),
        ("0 9 * Feb *", "2026-02-01 09:00:00"),
        ("@yearly", "2027-01-01 00:00:00"),
        ("@annually", "2027-01-01 00:00:00"),
        ("@monthly", "2026-02-01 00:00:00"),
        ("@weekly", "2026-01-04 00:00:00"),
        ("@daily", "2026-01-02 00:00:00"),
        ("@Midnight", "2026-01-02 00:00:00"),
        ("@hourly", "2026-01-01 01:00:00"),
        ("  0\t9  * * *  ", "2026-01-01 09:00:00"),
        ("0 9 * * *\n", "2026-01-01 09:00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 29 2 */7", "2032-02-29 00:00:00"),
        ("*/100 * * * *", "2026-01-01 01:00:00"),
    ],
)
def test_the_first_slot_of_an_expression(expression, expected):
    assert expected == first(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 L * *", "1-31 2-28 3-31 4-30 5-31 6-30 7-31 8-31 9-30 10-31 11-30 12-31"),
        ("0 0 LW 1-6 *", "1-30 2-27 3-31 4-30 5-29 6-30"),
        ("0 0 WL 1 *", "1-30"),
        ("0 0 15W 1-8 *", "1-15 2-16 3-16 4-15 5-15 6-15 7-15 8-14"),
        ("0 0 1W 1-8 *", "1-1 2-2 3-2 4-1 5-1 6-1 7-1 8-3"),
        ("0 0 31w * *", "1-30 3-31 5-29 7-31 8-31 10-30 12-31"),
        ("0 0 1,1W 8 *", "8-1 8-3"),
        ("0 0 1W,15W,L 2 *", "2-2 2-16 2-28"),
        ("0 0 * 1-3 5L", "1-30 2-27 3-27"),
        ("0 0 * 1-3 friL", "1-30 2-27 3-27"),
        ("0 0 * 1-3 mon#1,MON#5", "1-5 2-2 3-2 3-30"),
        ("0 0 * 1-3 7#2", "1-11 2-8 3-8"),
        ("0 0 13 1-3 fri", "1-2 1-9 1-13 1-16 1-23 1-30 2-6 2-13 2-20 2-27 3-6 3-13 3-20 3-27"),
        ("0 0 */2 1 fri", "1-9 1-23"),
        ("0 0 1-7 1 */7", "1-4"),
        ("0 0 * 2 fri-sun", "2-1 2-6 2-7 2-8 2-13 2-14 2-15 2-20 2-21 2-22 2-27 2-28"),
        ("0 0 * 1 5-7/2", "1-2 1-4 1-9 1-11 1-16 1-18 1-23 1-25 1-30"),
        ("0 0 * 2 sun-mon", "2-1 2-2 2-8 2-9 2-15 2-16 2-22 2-23"),
        ("0 0 30 2,4 *", "4-30"),
    ],
)
def test_the_days_of_an_expression(expression, expected):
    assert expected.split() == days(expression)


@pytest.mark.parametrize(
    ("expression", "column", "problem"),
    [
        ("60 * * * *", 1, "minute must be 0 to 59, not 60"),
        ("* 24 * * *", 3, "hour must be 0 to 23, not 24"),
        ("0 9 0 * *", 5, "day-of-month must be 1 to 31, not 0"),
        ("0 9 * 13 *", 7, "month must be 1 to 12, not 13"),
        ("0 9 * * 8", 9, "day-of-week must be 0 to 7, not 8"),
        ("61 0 9 * * *", 1, "second must be 0 to 59, not 61"),
        ("1,2,77 * * * *", 5, "minute must be 0 to 59, not 77"),
        ("1-77 * * * *", 3, "minute must be 0 to 59, not 77"),
        ("  0  99 * * *", 6, "hour must be 0 to 23, not 99"),
        ("* * *", 6, "3 fields were found"),
        ("daily", 6, "1 field was found"),
        ("* * * * * * *", 13, "7 fields were found; a year is not among cron's fields"),
        ("* * * * mno", 9, "unknown name 'mno'"),
        ("jan * * * *", 1, "unknown name 'jan'"),
        ("*/-5 * * * *", 3, "a step must be a whole number from 1 on, not '-5'"),
        ("*/0 * * * *", 3, "a step must be a whole number from 1 on, not '0'"),
        ("*/ * * * *", 3, "a step must be a whole number from 1 on, but nothing follows '/'"),
        ("-5 * * * *", 1, "minute must be 0 to 59, but a value is missing"),
        ("5- * * * *", 3, "minute must be 0 to 59, but a value is missing"),
        ("1,,2 * * * *", 3, "minute has an empty place"),
        ("1.5 * * * *", 1, "minute must be 0 to 59, not '1.5'"),
        ("** * * * *", 1, "minute must be 0 to 59, not '**'"),
        ("5-1 * * * *", 1, "the range 5-1 is reversed"),
        ("0 9 * * fri-mon", 9, "the range fri-mon is reversed"),
        ("0 9 * * 5-0", 9, "the range 5-0 is reversed"),
        ("0 9 ? * *", 5, "'?' is not cron's"),
        ("0 9 L-3 * *", 5, "'L-3' is not a day of the month"),
        ("0 9 32W * *", 5, "day-of-month must be 1 to 31, not 32"),
        ("0 9 * * L", 9, "'L' alone is no day of the week"),
        ("0 9 * * mon#6", 13, "the number after '#' must be 1 to 5"),
        ("0 9 * * mon-fri#1", 9, "unknown name 'mon-fri'"),
        ("0 9 L/2 * *", 5, "'L/2' is not a day of the month"),
        ("0 0 31 2 *", 5, "it never fires: day 31 does not occur in month 2"),
        ("0 0 30 feb *", 5, "it never fires: day 30 does not occur in month 2"),
        ("0 0 31 4,6,9,11 *", 5, "it never fires: day 31 does not occur in month 4,6,9,11"),
        ("0 0 30W 2 *", 5, "it never fires: day 30 does not occur in month 2"),
        ("0 0 */31 * mon#2", 5, "it never fires: day */31 does not occur in month * on weekday 1#2"),
        ("@reboot", 1, "'@reboot' is no time"),
        ("@every 5m", 1, "'@every' is not cron's"),
        ("@dayly", 1, "unknown name '@dayly'"),
        ("@daily 9", 8, "@daily stands alone, but '9' follows"),
        ("", 0, "it is empty"),
        (" \n", 0, "it is empty"),
        ("0 9 * * *\n0 10 * * *", 10, "control character '\\n'"),
        ("0 9 * * \x00", 9, "control character '\\x00'"),
        ("* " * 501, 0, "it has 1,002 characters; at most 1,000 are read"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_column(expression, column, problem):
    with pytest.raises(BadSchedule) as caught:
        parse("cron", expression, zone="UTC")
    assert (column, problem) == (caught.value.column, caught.value.problem)


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("* * * * mno", "did you mean 'mon'? day-of-week must be 0 to 7 or a name (sun, mon, tue, wed, thu, fri, sat)"),
        ("@dayly", "did you mean '@daily'?"),
        ("60 * * * *", "write 0 for the full hour"),
        ("0 24 * * *", "write 0 for midnight"),
        ("60 0 0 * * *", "write 0 for the full minute"),
        ("* 25 * * *", "such as 5, 1-5, */5 or 1,3,5"),
        ("0 0 32 * *", "such as 5, 1-5, */5, 1,3,5, or L for the last day"),
        ("* * *", "write five fields (minute, hour, day-of-month, month, day-of-week), or six with seconds first"),
        ("0 9 * * 5-0", "Sunday at the end is 7"),
        ("0 9 * * L", "write friL or 5L for the last Friday"),
        ("@every 5m", "use the schedule 'every'"),
    ],
)
def test_a_refusal_says_what_to_write_instead(expression, hint):
    with pytest.raises(BadSchedule, match=r".") as caught:
        parse("cron", expression, zone="UTC")
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("expression", "english"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0/5 * * * *", "every 5 minutes"),
        ("*/7 * * * *", "every hour at minutes 0 to 56 in steps of 7"),
        ("* * * * * *", "every second"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("*/10 30 9 * * *", "at 09:30:00, 09:30:10, 09:30:20, 09:30:30, 09:30:40 and 09:30:50 every day"),
        ("* 30 9 * * *", "every second in minute 30 in hour 9"),
        ("30 * * * * *", "every minute at second 30"),
        ("0 * * * *", "every hour"),
        ("15 * * * *", "every hour at minute 15"),
        ("5,35 * * * *", "every hour at minutes 5 and 35"),
        ("0 */2 * * *", "every 2 hours"),
        ("5 */2 * * *", "every 2 hours at minute 5"),
        ("30 2 * * *", "at 02:30 every day"),
        ("0 9 * * 1-5", "at 09:00 on Monday to Friday"),
        ("0 9,17 * * fri-sun", "at 09:00 and 17:00 on Friday to Sunday"),
        ("0 9-17 * * 1", "every hour from 09:00 to 17:00 on Monday"),
        ("*/15 9-17 * * 1-5", "every 15 minutes in hours 9 to 17 on Monday to Friday"),
        ("1-10 9-17 * * *", "at minutes 1 to 10 in hours 9 to 17"),
        ("0 0 1 * *", "at 00:00 on day 1 of the month"),
        ("0 0 1,15 * *", "at 00:00 on days 1 and 15 of the month"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 LW jan,jul *", "at 00:00 on the last weekday of January and July"),
        ("0 9 15W * *", "at 09:00 on the weekday nearest day 15 of the month"),
        ("0 9 * * friL", "at 09:00 on the last Friday of the month"),
        ("0 9 * * mon#2", "at 09:00 on the 2nd Monday of the month"),
        ("0 0 13 * 5", "at 00:00 on day 13 of the month, and on Friday"),
        ("0 0 13 6 5", "at 00:00 on day 13 of June, and on Friday in June"),
        ("0 0 */2 * 1", "at 00:00 on days 1 to 31 in steps of 2 of the month, if it is Monday"),
        ("0 22 * 1-3 *", "at 22:00 every day in January to March"),
        ("0 22 * 6 0", "at 22:00 on Sunday in June"),
        ("@daily", "at 00:00 every day"),
    ],
)
def test_an_expression_is_explained_in_english(expression, english):
    assert f"{english} (Europe/Berlin)" == parse("cron", expression, zone="Europe/Berlin").explain()


def test_a_second_per_slot_is_counted_over_ten_years_without_walking():
    schedule = parse("cron", "* * * * * *", zone="Europe/Berlin")
    after, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    assert (until - after) // timedelta(seconds=1) == schedule.count(after, until)


def test_slots_end_where_datetimes_do():
    schedule = parse("cron", "0 0 * * *", zone="America/New_York")
    lowest, highest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert schedule.next_after(highest) is None
    assert schedule.latest_until(lowest) is None
    assert schedule.next_after(lowest) is not None
    assert schedule.latest_until(highest) is not None
    assert schedule.next_after(highest - timedelta(days=3)) is None
    assert schedule.latest_until(lowest + timedelta(days=3)) is None
    assert parse("cron", "0 0 1 1 *", zone="UTC").next_after(highest - timedelta(days=40)) is None
    assert parse("cron", "0 0 31 12 *", zone="UTC").latest_until(lowest + timedelta(days=40)) is None
    assert schedule.count(highest, highest) == 0
    assert schedule.count(highest, lowest) == 0


def test_a_day_that_comes_every_28_years_is_found_both_ways():
    schedule = parse("cron", "0 0 29 2 */7", zone="Europe/Berlin")
    slot = schedule.next_after(datetime(2080, 1, 1, tzinfo=UTC))
    assert slot == datetime(2088, 2, 28, 23, tzinfo=UTC)
    assert slot == schedule.latest_until(datetime(2115, 1, 1, tzinfo=UTC))


instants = st.integers(0, 3_000_000_000).map(
    lambda second: datetime(1990, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
sixty = st.sampled_from(["*", "*/7", "*/20", "0", "5", "1-5", "2-30/4", "10,20", "1/9", "29", "59"])
fields_of_cron = st.tuples(
    sixty,
    st.sampled_from(["*", "*/3", "0", "5", "1-5", "2-20/4", "10,20", "1/9", "23"]),
    st.sampled_from(["*", "*/3", "1", "7", "1-5", "2-30/4", "10,20", "L", "LW", "29", "31", "L,15"]),
    st.sampled_from(["*", "*/5", "1", "2", "2-4", "4,6,9,11", "12"]),
    st.sampled_from(["*", "*/3", "0", "7", "1-5", "3L", "2#1", "1-3,6", "4#5", "*/7"]),
)
crons = st.one_of(fields_of_cron, st.tuples(sixty, fields_of_cron).map(lambda both: (both[0], *both[1])))


@settings(max_examples=400, deadline=None)
@given(fields=crons, start=instants)
def test_on_a_clock_without_jumps_cronsim_walks_through_the_same_slots(fields, start):
    expression = " ".join(fields)
    try:
        forward, backward = CronSim(expression, start), CronSim(expression, start, reverse=True)
        schedule = parse("cron", expression, zone="UTC")
    except (CronSimError, BadSchedule):
        assume(False)
    instant = start
    for _ in range(5):
        instant = schedule.next_after(instant)
        assert next(forward) == instant
    instant = start
    for _ in range(5):
        instant = schedule.latest_until(instant - timedelta(microseconds=1))
        assert next(backward) == instant

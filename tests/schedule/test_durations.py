"""Durations, read and written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.duration import format_duration, parse_duration, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("90", timedelta(seconds=90)),
        (90, timedelta(seconds=90)),
        (0.25, timedelta(milliseconds=250)),
        (0, timedelta(0)),
        ("0s", timedelta(0)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("30m1h", timedelta(minutes=90)),
        ("1d", timedelta(hours=24)),
        ("1d 2h", timedelta(hours=26)),
        ("2w", timedelta(days=14)),
        ("500ms", timedelta(milliseconds=500)),
        ("250us", timedelta(microseconds=250)),
        ("1.5h", timedelta(minutes=90)),
        (".5h", timedelta(minutes=30)),
        ("1.0000005s", timedelta(seconds=1, microseconds=1)),
        ("5 minutes", timedelta(minutes=5)),
        ("1 hour 1 minute", timedelta(minutes=61)),
        ("5 Min", timedelta(minutes=5)),
        ("  5m ", timedelta(minutes=5)),
        ("10\tsec", timedelta(seconds=10)),
    ],
)
def test_a_duration_is_read(text, expected):
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("", 0, "it is empty"),
        ("5x", 2, "unknown unit 'x'"),
        ("1h 5minuts", 5, "unknown unit 'minuts'"),
        ("soon", 1, "a number is missing before 'soon'"),
        ("1h, 5m", 3, "a number is missing before ', 5m'"),
        ("-5m", 1, "a duration cannot be negative"),
        (-1, 1, "a duration cannot be negative"),
        (float("-inf"), 1, "a duration cannot be negative"),
        ("1h 30", 4, "30 has no unit"),
        ("5m 5m", 5, "minutes are given twice"),
        ("1w1w", 4, "weeks are given twice"),
        ("5M", 2, "'M' has no fixed length"),
        ("1mo", 2, "'mo' has no fixed length"),
        ("1 year", 3, "'year' has no fixed length"),
        ("1e3", 2, "unknown unit 'e'"),
        ("٣m", 1, "a number is missing before '٣m'"),
        ("99999999w", 0, "it is longer than 10,000 years"),
        (10**400, 0, "it is longer than 10,000 years"),
        (1e308, 0, "it is longer than 10,000 years"),
        (float("inf"), 0, "it is longer than 10,000 years"),
        (float("nan"), 0, "it is no duration"),
        (True, 0, "it is no duration"),
        ("5m\x00", 3, "control character '\\x00'"),
    ],
)
def test_a_wrong_duration_is_refused_with_its_column(text, column, problem):
    with pytest.raises(BadSchedule) as caught:
        parse_duration(text)
    assert (column, problem) == (caught.value.column, caught.value.problem)


def test_a_slip_of_the_pen_is_suggested():
    with pytest.raises(BadSchedule, match="did you mean 'minutes'"):
        parse_duration("5 minuts")
    with pytest.raises(BadSchedule, match="30 has no unit; did you mean '1h30m'"):
        parse_duration("1h30")


@pytest.mark.parametrize(
    ("seconds", "short", "spoken"),
    [
        (0, "0s", "0 seconds"),
        (1, "1s", "1 second"),
        (90, "1m30s", "1 minute 30 seconds"),
        (5_400, "1h30m", "1 hour 30 minutes"),
        (0.5, "500ms", "500 milliseconds"),
        (1.5, "1s500ms", "1 second 500 milliseconds"),
        (0.000_001, "1us", "1 microsecond"),
        (86_400, "1d", "1 day"),
        (14 * 86_400, "14d", "14 days"),
        (93_600, "1d2h", "1 day 2 hours"),
        (-90, "-1m30s", "minus 1 minute 30 seconds"),
    ],
)
def test_a_duration_is_written(seconds, short, spoken):
    assert (short, spoken) == (format_duration(timedelta(seconds=seconds)), words(timedelta(seconds=seconds)))


@given(st.timedeltas(timedelta(0), timedelta(days=3_000_000)))
def test_what_is_written_is_read_again(duration):
    assert duration == parse_duration(format_duration(duration))
    assert duration == parse_duration(words(duration))


@given(st.one_of(st.text(), st.text("0123456789.+- hmsdwu", max_size=12), st.floats(), st.integers()))
def test_anything_is_a_duration_or_refused(text):
    try:
        duration = parse_duration(text)
    except BadSchedule:
        return
    assert duration >= timedelta(0)

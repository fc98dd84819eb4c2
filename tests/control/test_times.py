"""How instants and durations are said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rota.control.times import brief, local, past, relative, short
from rota.errors import BadSchedule

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (0.0004, "0s"),
        (0.34, "340ms"),
        (0.9996, "1s"),
        (1, "1s"),
        (2.14, "2.1s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.96, "1m"),
        (200, "3m 20s"),
        (3600, "1h"),
        (3900.4, "1h 5m"),
        (7199.6, "2h"),
        (86_399, "1d"),
        (86_400, "1d"),
        (12 * 86_400 + 3 * 3600 + 59, "12d 3h"),
        (-200, "3m 20s"),
    ],
)
def test_a_duration_is_said_in_at_most_two_units(seconds, said):
    assert said == brief(seconds)


def test_how_far_away_an_instant_is():
    aways = (timedelta(hours=3, minutes=12), timedelta(0), -timedelta(seconds=125), -timedelta(minutes=14, seconds=51))
    assert ["in 3h 12m", "now", "2m 5s ago", "15m ago"] == [relative(NOW + away, NOW) for away in aways]


def test_a_wall_time_that_comes_twice_is_said_with_its_zone():
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert ["2026-10-25 02:30:00 CEST", "2026-10-25 02:30:00 CET", "2026-10-25 03:30:00"] == [
        local(first + hours * HOUR, BERLIN) for hours in range(3)
    ]


def test_an_instant_is_as_short_as_it_stays_clear():
    assert ["12:05", "12:05:09", "Wed 12:05", "2026-04-02 12:05"] == [
        short(instant + 5 * MINUTE, NOW, UTC) for instant in (NOW, NOW + 9 * SECOND, NOW + 2 * DAY, NOW + 31 * DAY)
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("02:30", NOW.replace(hour=2, minute=30)),
        ("12:00", NOW),
        ("14:30", NOW.replace(hour=14, minute=30) - DAY),
        ("yesterday 02:30", NOW.replace(hour=2, minute=30) - DAY),
        ("2d", NOW - 2 * DAY),
        ("90m", NOW - 90 * MINUTE),
        ("1h ago", NOW - HOUR),
        ("2026-03-01", NOW.replace(hour=0) - DAY),
        ("2026-03-01T10:00Z", NOW.replace(hour=10) - DAY),
    ],
)
def test_a_time_is_read_as_somebody_means_it_who_looks_back(text, meant):
    assert meant == past(text, NOW, "UTC")


def test_a_time_that_is_none_is_refused_with_its_column():
    with pytest.raises(BadSchedule) as refused:
        past("yesterdya", NOW, "UTC")
    assert 1 == refused.value.column

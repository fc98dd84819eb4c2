"""How busy each hour of the week is, as shades and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.control.overview import Cell
from rota.web.drawing.heat import LEVELS, heat, level

NOW = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)  # a Monday; in Berlin it is Tuesday


def week(**cells: Cell) -> list[list[Cell]]:
    """Return a week with some hours filled, by names such as d0h13."""
    return [[cells.get(f"d{day}h{hour}", Cell()) for hour in range(24)] for day in range(7)]


@pytest.mark.parametrize(("runs", "shade"), [(0, 0), (1, 1), (16, 2), (100, 5), (64, 4), (36, 3)])
def test_a_shade_goes_by_the_root_of_the_share(runs, shade):
    assert shade == level(runs, 100)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_busier_hour_is_never_lighter_and_only_an_idle_one_has_no_shade(one, other):
    few, most = sorted((one, other))
    assert 0 <= level(few, most) <= level(most, most) <= LEVELS
    assert (few == 0) == (level(few, most) == 0)


def test_each_hour_says_what_its_shade_means():
    found = heat(week(d0h13=Cell(1200, 3, 90.0), d6h0=Cell(1)), NOW, UTC, 4)
    busy = found.days[0][1][13]
    assert (5, True, "1,200 runs, 3 went wrong") == (busy.level, busy.has_failed, busy.words)
    assert "Monday 13:00 to 14:00: 1,200 runs, 3 went wrong in 4 weeks; they took 1m 30s" == busy.title
    assert ("none", 0) == (found.days[1][1][5].words, found.days[1][1][5].level)
    assert "The busiest hour begins on Monday at 13:00, with 1,200 runs." == found.sentence
    assert ["Monday", "Sunday"] == [found.days[0][0], found.days[6][0]]


@pytest.mark.parametrize(("zone", "place"), [(UTC, (0, 23)), (ZoneInfo("Europe/Berlin"), (1, 0))])
def test_the_present_hour_is_the_one_on_the_wall_clock(zone, place):
    found = heat(week(d0h0=Cell(1)), NOW, zone, 4)
    assert [place] == [(d, h) for d, (_, hours) in enumerate(found.days) for h, hour in enumerate(hours) if hour.is_now]


def test_a_week_without_runs_says_so():
    found = heat(week(), NOW, UTC, 1)
    assert (True, "Nothing has run yet.") == (found.is_empty, found.sentence)

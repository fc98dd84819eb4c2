"""Which span a timeline shows, and where its links lead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import UsageError
from rota.web.drawing.window import SPANS, span_text, window

NOW = datetime(2026, 3, 2, 12, 34, 56, 789, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("name", SPANS)
def test_a_span_is_as_long_as_it_says_and_two_thirds_of_it_are_past(name):
    seen = window(name, None, NOW)
    assert SPANS[name] == seen.until - seen.since
    assert abs((NOW - seen.since) / SPANS[name] - 2 / 3) < 0.01


def test_a_span_about_now_is_the_same_until_there_is_something_to_see():
    assert window("6h", None, NOW).since == window("6h", None, NOW + SECOND).since
    assert window("6h", None, NOW).since < window("6h", None, NOW + 60 * SECOND).since


def test_a_link_to_now_names_no_instant_so_it_moves_on_with_time():
    assert "/?span=24h" == window("24h", NOW, NOW).to_now
    assert ["/?span=1h", "/?span=6h", "/?span=24h", "/?span=7d"] == [way.href for way in window("6h", None, NOW).spans]


def test_nearer_and_further_stay_with_the_instant_that_is_looked_at():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert "/?span=1h&at=2026-03-01T00%3A00Z" == window("6h", at, NOW).spans[0].href
    assert ["6h"] == [way.word for way in window("6h", at, NOW).spans if way.is_here]


@given(st.sampled_from(sorted(SPANS)), st.integers(-360 * 24, 360 * 24))
def test_earlier_and_later_lead_half_a_span_away_and_back(name, hours):
    seen = window(name, NOW + timedelta(hours=hours), NOW)
    there = window(name, _at(seen.later), NOW)
    assert there.since - seen.since == SPANS[name] / 2
    assert window(name, _at(there.earlier), NOW).since == seen.since


def _at(href: str) -> datetime:
    return datetime.fromisoformat(parse_qs(urlsplit(href).query)["at"][0])


@pytest.mark.parametrize(("name", "says"), [("6hh", "did you mean '6h'"), ("", "it shows 1h, 6h, 24h, 7d")])
def test_another_span_is_refused_with_those_that_there_are(name, says):
    with pytest.raises(UsageError, match=says):
        window(name, None, NOW)


def test_what_is_too_far_away_is_refused():
    with pytest.raises(UsageError, match="a year"):
        window("6h", datetime(1970, 1, 1, tzinfo=UTC), NOW)


def test_a_span_is_said_with_its_days():
    assert "Mon 2 Mar 08:34 to 14:34" == span_text(window("6h", None, NOW), UTC)
    assert "Wed 25 Feb 20:30 to Wed 4 Mar 20:30" == span_text(window("7d", None, NOW), UTC)

"""Whatever text comes in, a schedule or a BadSchedule comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.parse import KINDS, parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_there_are_four_kinds_and_those_of_plug_ins():
    assert KINDS == ("cron", "every", "at", "calendar", "custom")


def test_an_unknown_kind_is_refused_with_the_nearest():
    with pytest.raises(BadSchedule, match="unknown kind 'crn'; did you mean 'cron'"):
        parse("crn", "* * * * *")


@pytest.mark.parametrize("kind", ["cron", "every", "at"])
def test_only_a_calendar_can_skip(kind):
    with pytest.raises(BadSchedule, match=f"dst 'skip' is for calendar, not for {kind}"):
        parse(kind, "1", dst="skip")


def test_an_unknown_dst_is_refused():
    with pytest.raises(BadSchedule, match="unknown dst 'twice'; it may be 'fire' or 'skip'"):
        parse("calendar", "daily", dst="twice")


def test_an_unknown_zone_is_refused_with_the_nearest():
    with pytest.raises(BadSchedule, match="did you mean 'Europe/Berlin'"):
        parse("cron", "0 9 * * *", zone="Europe/Berln")


@pytest.mark.parametrize(("kind", "text"), [("cron", "0 9 * * *"), ("calendar", "09:00")])
def test_without_a_zone_the_hosts_own_is_used(kind, text, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert datetime(2026, 1, 2, tzinfo=UTC) == parse(kind, text).next_after(START)


cron_like = st.text("0123456789*/-,#LWlw?@ \tmonfridayjan", max_size=24)
calendar_like = st.text("0123456789*/-,~.: \tMonFridaily/UTC", max_size=24)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(KINDS), st.one_of(cron_like, calendar_like, st.text(max_size=30)))
@example("cron", "0 0 L/2 * *")
@example("cron", "\ud800 * * * *")
@example("cron", "9" * 900)
@example("calendar", "9" * 900 + ":00")
@example("calendar", "*-*~*")
@example("calendar", "a b c d")
def test_any_text_is_a_schedule_or_refused(kind, text):
    refusal = None
    try:
        schedule = parse(kind, text, zone="Europe/Berlin")
    except BadSchedule as error:
        refusal = error
    if refusal is None:
        assert_sound(schedule)
    else:
        assert refusal.problem
        assert 0 <= refusal.column <= len(text) + 1


items = st.sampled_from(
    [*"*0157?", "*/2", "1-5", "5-5/2", "5/9", "3-30/4", "9,17", "L", "LW", "15W", "5L", "fri#2", "jan", "sat-sun", "60"]
)
parts = st.sampled_from(
    [
        "Mon",
        "Fri..Sun",
        "Sat,Sun",
        "*-*-*",
        "*-*~7/1",
        "*-2-29",
        "2027-*-1..3",
        "9:30",
        "*:0/7",
        "0/3:0",
        "*:*:*",
        "UTC",
    ]
)


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.tuples(st.just("cron"), st.lists(items, min_size=5, max_size=6)),
        st.tuples(st.just("calendar"), st.lists(parts, min_size=1, max_size=4)),
    )
)
def test_any_arrangement_of_fields_is_a_schedule_or_refused(arrangement):
    kind, fields = arrangement
    try:
        schedule = parse(kind, " ".join(fields), zone="America/New_York")
    except BadSchedule:
        return
    assert_sound(schedule)


def assert_sound(schedule):
    """Whatever it says, its verbs agree with each other."""
    assert schedule.explain()
    instant, count = START, 0
    while count < 4 and (slot := schedule.next_after(instant)):
        count += 1
        assert instant < slot
        assert slot == schedule.latest_until(slot)
        assert count == schedule.count(START, slot)
        assert schedule.latest_until(slot - timedelta(microseconds=1)) in (instant, schedule.latest_until(START))
        instant = slot

"""What the wall clock will do to a schedule is said before it happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.schedule.parse import parse
from rota.schedule.surprises import surprises

SPRING = datetime(2027, 3, 1, tzinfo=UTC)
AUTUMN = datetime(2027, 10, 1, tzinfo=UTC)
MONTH = timedelta(days=31)


def told(kind, text, since, zone="Europe/Berlin", **given):
    return [each.text for each in surprises(parse(kind, text, zone=zone, **given), since, since + MONTH)]


@pytest.mark.parametrize(
    ("kind", "text", "given", "ending"),
    [
        ("cron", "30 2 * * *", {}, "so there is no 02:30: it fires at 03:00 instead"),
        ("calendar", "*-*-* 02:30:15", {}, "so there is no 02:30:15: it fires at 03:00 instead"),
        ("calendar", "*-*-* 02:30", {"dst": "skip"}, "so there is no 02:30: it does not fire for that time"),
        ("cron", "*/5 2 * * *", {}, "so there is no 02:00: it does not fire in between"),
    ],
)
def test_a_time_that_is_skipped_is_told(kind, text, given, ending):
    assert [f"On Sun 2027-03-28 the clock goes from 02:00 to 03:00, {ending}"] == told(kind, text, SPRING, **given)


@pytest.mark.parametrize(
    ("kind", "text", "ending"),
    [
        ("cron", "30 2 * * *", "so 02:30 comes twice: it fires once, the first time"),
        ("cron", "*/5 2 * * *", "so 02:00 comes twice: it fires both times"),
    ],
)
def test_a_time_that_is_repeated_is_told(kind, text, ending):
    assert [f"On Sun 2027-10-31 the clock goes back from 03:00 to 02:00, {ending}"] == told(kind, text, AUTUMN)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("cron", "30 4 * * *"), ("cron", "*/5 * * * *"), ("cron", "0 * * * *"), ("cron", "30 2 1 * *"), ("every", "5m"),
     ("at", "2027-03-28 04:00")],
)  # fmt: skip
def test_what_no_jump_touches_or_what_follows_real_time_is_no_surprise(kind, text):
    anchor = {"anchor": SPRING} if kind == "every" else {}
    assert [] == told(kind, text, SPRING, **anchor) + told(kind, text, AUTUMN, **anchor)


def test_a_jump_of_half_an_hour_is_told_by_the_minute():
    assert [
        "On Sun 2027-10-03 the clock goes from 02:00 to 02:30, so there is no 02:15: it fires at 02:30 instead"
    ] == told("cron", "15 2 * * *", AUTUMN, "Australia/Lord_Howe")


def test_a_zone_without_jumps_has_no_surprises():
    assert [] == told("cron", "30 2 * * *", SPRING, "UTC") + told("cron", "30 2 * * *", SPRING, "Asia/Tokyo")


def test_the_slots_are_what_was_told():
    schedule = parse("cron", "30 2 * * *", zone="Europe/Berlin")
    gap = surprises(schedule, SPRING, SPRING + MONTH)[0]
    assert gap.at == schedule.next_after(gap.at - timedelta(hours=1))

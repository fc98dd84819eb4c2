"""Around every jump of every zone's wall clock, cron agrees with walking through real time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from struct import pack
from zoneinfo import ZoneInfo, available_timezones

import pytest
from crondst import CronDst
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.schedule.base import Schedule
from rota.schedule.cron import cron
from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable

from .oracle import MINUTE, Jump, Model, every_jump, jumps, zones_by_jumps

MICROSECOND = timedelta(microseconds=1)


def hour_and_minute(wall: datetime) -> str:
    return f"{wall.minute} {wall.hour}"


def expressions_around(jump: Jump) -> list[str]:
    """Fixed times in, at the edges of and beside a gap or fold, and wildcards."""
    at, before, after = jump
    first, last = sorted((at.replace(tzinfo=None) + before, at.replace(tzinfo=None) + after))
    middle = first + (last - first) / 2
    edges = (first - MINUTE, first, first + MINUTE, middle.replace(second=0), last - MINUTE, last, last + MINUTE)
    return [
        *(f"{hour_and_minute(edge)} * * *" for edge in edges),
        f"{first.minute}-59/7 {first.hour} * * *",
        f"*/20 {first.hour},{last.hour} * * *",
        f"10,40 {min(first.hour, last.hour)}-{max(first.hour, last.hour)} * * *",
        f"30 {first.hour} {first.day} {first.month} *",
        f"*/20 {first.hour} {first.day} {first.month} *",
        "*/15 * * * *",
        "17 * * * *",
        "20 */2 * * *",
        "0 1-23/2 * * *",
        "5,35 0-23 * * *",
    ]


def slots_of(expression: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    return list(Timetable([parse("cron", expression, zone=zone)]).between(after, until))


def assert_all_verbs_agree(expression: str, zone: str, after: datetime, until: datetime, slots: list[datetime]) -> None:
    assert_verbs_agree(parse("cron", expression, zone=zone), after, until, slots)


def assert_verbs_agree(schedule: Schedule, after: datetime, until: datetime, slots: list[datetime]) -> None:
    assert len(slots) == schedule.count(after, until)
    for number, slot in enumerate(slots):
        assert slot == schedule.latest_until(slot)
        assert number + 1 == schedule.count(after, slot)
        assert len(slots) - number - 1 == schedule.count(slot, until)
        if number:
            assert slots[number - 1] == schedule.latest_until(slot - MICROSECOND)
    step = (until - after) / 20
    for moment in (after + number * step for number in range(1, 20)):
        later = [slot for slot in slots if slot > moment]
        earlier = slots[: len(slots) - len(later)]
        assert len(earlier) == schedule.count(after, moment)
        if later:
            assert later[0] == schedule.next_after(moment)
        if earlier:
            assert earlier[-1] == schedule.latest_until(moment)


def test_every_zone_that_jumps_is_covered():
    covered = {name for names in zones_by_jumps().values() for name in names}
    assert len(covered) > 150
    assert {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"} <= covered
    assert covered <= available_timezones()


@pytest.mark.parametrize("jump", every_jump(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_slots_around_a_jump_are_those_of_real_time(jump):
    zone, at = every_jump()[jump], jump[0]
    after, until = at - timedelta(hours=3, minutes=30), at + timedelta(hours=4)
    for expression in expressions_around(jump):
        expected = Model(expression).slots(ZoneInfo(zone), after, until)
        assert expected == slots_of(expression, zone, after, until), expression
        assert_all_verbs_agree(expression, zone, after, until, expected)


@pytest.mark.parametrize("jump", every_jump(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_a_seconds_field_changes_nothing_about_a_jump(jump):
    zone, (at, before, after_it) = every_jump()[jump], jump
    wall = at.replace(tzinfo=None) + min(before, after_it)
    span = abs(after_it - before) + timedelta(minutes=2)
    for expression in (f"15,45 1-59/29 {wall.hour} * * *", "*/30 */10 * * * *"):
        expected = Model(expression).slots(ZoneInfo(zone), at - span, at + span)
        assert expected == slots_of(expression, zone, at - span, at + span), expression
        assert_all_verbs_agree(expression, zone, at - span, at + span, expected)


def whole_hours() -> list[Jump]:
    """Return the jumps that crondst is right about: by one hour, on the hour."""
    return [jump for jump in every_jump() if abs(jump[2] - jump[1]) == 60 * MINUTE and (jump[0] + jump[1]).minute == 0]


@pytest.mark.parametrize("jump", whole_hours(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_crondst_says_the_same_where_it_can(jump):
    """It may yield one slot twice, where two wall times of a gap meet."""
    zone, at = every_jump()[jump], jump[0]
    after, until = at - timedelta(hours=3, minutes=30), at + timedelta(hours=4)
    for expression in expressions_around(jump):
        theirs = []
        for slot in CronDst(expression).iter(after.astimezone(ZoneInfo(zone))):
            if slot.astimezone(UTC) > until:
                break
            theirs.append(slot.astimezone(UTC))
        assert sorted(set(theirs)) == slots_of(expression, zone, after, until), expression


HISTORY = [
    ("Pacific/Apia", "the date line skipped a day", date(2011, 12, 28), date(2012, 1, 2)),
    ("Africa/Casablanca", "an hour back that reaches over New Year", date(1985, 12, 30), date(1986, 1, 3)),
    ("Pacific/Kwajalein", "the date line skipped a day", date(1993, 8, 18), date(1993, 8, 24)),
    ("America/Caracas", "half an hour back for good", date(2007, 12, 7), date(2007, 12, 12)),
    ("America/Caracas", "half an hour forward for good", date(2016, 4, 29), date(2016, 5, 4)),
    ("Asia/Pyongyang", "half an hour forward for good", date(2018, 5, 2), date(2018, 5, 7)),
    ("Asia/Kathmandu", "a quarter of an hour forward for good", date(1985, 12, 29), date(1986, 1, 4)),
    ("Antarctica/Casey", "three hours back", date(2010, 3, 2), date(2010, 3, 8)),
    ("Antarctica/Troll", "two hours", date(2024, 3, 29), date(2024, 4, 3)),
    ("Africa/Cairo", "a gap at midnight", date(2024, 4, 24), date(2024, 4, 28)),
    ("America/Sao_Paulo", "a gap at midnight", date(2018, 11, 2), date(2018, 11, 6)),
    ("America/Havana", "a fold at midnight", date(2024, 11, 1), date(2024, 11, 5)),
    ("America/Nuuk", "a gap that ends at midnight", date(2024, 3, 29), date(2024, 4, 2)),
]


@pytest.mark.parametrize(("zone", "what", "first", "last"), HISTORY)
@pytest.mark.parametrize(
    "expression",
    [
        "0 9 * * *",
        "0 0 * * *",
        "30 23 * * *",
        "15,45 0 * * *",
        "*/30 * * * *",
        "0 12 30 12 *",
        "30,50 23 31 12 *",
        "10 0 1 1 *",
        "*/25 0 1 1 *",
        "0 */6 * * *",
        "5 1-22/3 * * 1-5",
    ],
)
def test_jumps_of_history_follow_the_same_rule(zone, what, first, last, expression):
    assert jumps(ZoneInfo(zone), first, last), what
    after, until = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last))
    expected = Model(expression).slots(ZoneInfo(zone), after, until)
    assert expected == slots_of(expression, zone, after, until)
    assert_all_verbs_agree(expression, zone, after, until, expected)


def test_a_day_that_the_date_line_skipped_fires_when_the_next_one_begins():
    schedule = parse("cron", "0 9 30 12 *", zone="Pacific/Apia")
    assert datetime(2011, 12, 30, 10, tzinfo=UTC) == schedule.next_after(datetime(2011, 12, 1, tzinfo=UTC))


def test_a_slot_that_comes_once_a_year_is_not_lost_in_the_second_pass():
    """What lies a year away must not hide what the wall clock is about to show again."""
    second_pass = datetime(2024, 11, 3, 5, tzinfo=UTC)
    schedule = parse("cron", "40 */100 3 11 *", zone="America/Havana")
    first, second = second_pass - 20 * MINUTE, second_pass + 40 * MINUTE
    assert first == schedule.latest_until(second_pass + 10 * MINUTE)
    assert second == schedule.next_after(first)
    assert second == schedule.next_after(second_pass - MICROSECOND)
    assert schedule.count(second_pass - 60 * MINUTE, second_pass + 60 * MINUTE) == 2


def made_up_zone(jump: datetime, before: timedelta, after: timedelta) -> ZoneInfo:
    """Return a zone with one jump, by way of a TZif file: header, instant, kind, two offsets, names."""
    header = b"TZif" + bytes(16) + pack(">6l", 0, 0, 0, 1, 2, 8)
    offsets = b"".join(pack(">lBB", int(each.total_seconds()), 0, 4 * at) for at, each in enumerate((before, after)))
    return ZoneInfo.from_file(
        BytesIO(header + pack(">lB", int(jump.timestamp()), 1) + offsets + b"OLD\0NEW\0"), key="Made/Up"
    )


@pytest.mark.parametrize("minutes", [-90, -30, -1, 0, 1, 30])
@pytest.mark.parametrize("shift", [-120, -60, 60, 120])
@pytest.mark.parametrize(
    "expression", ["15 0 1 1 *", "10,50 23,0,1 * * *", "*/25 * * * *", "0 0 * * *", "40 23 31 12 *"]
)
def test_a_jump_around_new_year_is_like_any_other(minutes, shift, expression):
    """The stretches are found a year at a time; no zone has made such a jump yet."""
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    zone = made_up_zone(new_year + minutes * MINUTE, 60 * MINUTE, (60 + shift) * MINUTE)
    after, until = new_year - 300 * MINUTE, new_year + 300 * MINUTE
    expected = Model(expression).slots(zone, after, until)
    schedule = cron(expression, zone)
    assert expected == list(Timetable([schedule]).between(after, until))
    assert_verbs_agree(schedule, after, until, expected)


GAP_END = datetime(2026, 3, 29, 1, tzinfo=UTC)
FOLD_END = datetime(2026, 10, 25, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "day", "expected"),
    [
        ("30 2 * * *", 29, [GAP_END]),
        ("0 2 * * *", 29, [GAP_END]),
        ("0 3 * * *", 29, [GAP_END]),
        ("0,15,30 2,3 * * *", 29, [GAP_END, GAP_END + 15 * MINUTE, GAP_END + 30 * MINUTE]),
        ("*/30 2 * * *", 29, []),
        ("30 0-2 * * *", 29, [GAP_END - 90 * MINUTE, GAP_END - 30 * MINUTE, GAP_END]),
        ("10 30 2 * * *", 29, [GAP_END]),
        ("10 0 3 * * *", 29, [GAP_END + timedelta(seconds=10)]),
    ],
)
def test_a_skipped_fixed_time_fires_once_right_after_the_gap(expression, day, expected):
    midnight = datetime(2026, 3, day, tzinfo=UTC) - 60 * MINUTE
    assert expected == slots_of(expression, "Europe/Berlin", midnight - MICROSECOND, midnight + timedelta(hours=22))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", [FOLD_END - 30 * MINUTE]),
        ("0 3 * * *", [FOLD_END + 60 * MINUTE]),
        ("0 2 * * *", [FOLD_END - 60 * MINUTE]),
        ("*/30 2 * * *", [FOLD_END + offset * MINUTE for offset in (-60, -30, 0, 30)]),
        ("30 */2 * * *", [FOLD_END + offset * MINUTE for offset in (-150, -30, 30, 150)]),
        ("59 59 2 * * *", [FOLD_END - timedelta(seconds=1)]),
    ],
)
def test_a_repeated_fixed_time_fires_once_and_a_wildcard_in_both_passes(expression, expected):
    assert expected == slots_of(expression, "Europe/Berlin", FOLD_END - 180 * MINUTE, FOLD_END + 180 * MINUTE)


ZONES = sorted({*every_jump().values()})
plain = st.one_of(st.just("*"), st.sampled_from(["*/2", "*/7", "*/15", "*/25"]))


def field(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    span = st.tuples(value, value).map(lambda ends: f"{min(ends)}-{max(ends)}")
    stepped = st.tuples(span, st.integers(1, 9)).map(lambda both: f"{both[0]}/{both[1]}")
    listed = st.lists(st.one_of(value.map(str), span, stepped), min_size=1, max_size=3).map(",".join)
    return st.one_of(plain, listed)


crons = st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(expression=crons, jump=st.sampled_from(sorted(every_jump())), shift=st.integers(-2_000, 2_000))
def test_any_cron_expression_agrees_with_real_time_around_any_jump(expression, jump, shift):
    zone, middle = every_jump()[jump], jump[0] + shift * MINUTE
    walk_from, after, until = jump[0] - 3_000 * MINUTE, middle - 500 * MINUTE, middle + 500 * MINUTE
    walked = Model(expression).slots(ZoneInfo(zone), walk_from, until)
    expected = [slot for slot in walked if slot > after]
    assert expected == slots_of(expression, zone, after, until)
    assert_all_verbs_agree(expression, zone, after, until, expected)

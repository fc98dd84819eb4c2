"""APScheduler's cron fields mean the same instants here; a matcher of our own and APScheduler itself are the judges."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rota.config.formats.apscheduler_cron import FIELDS, LIMITS, WEEKDAYS, BadField, translate
from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def slots(fields: dict[str, str], count: int, start: datetime = START) -> list[datetime]:
    table = Timetable([parse(kind, text, zone="UTC") for kind, text in translate(fields).schedules])
    found, at = [], start
    while len(found) < count and (at := table.next_after(at)) is not None:
        found.append(at)
    return found


@pytest.mark.parametrize(
    ("fields", "schedules"),
    [
        ({"day_of_week": "mon-sun", "hour": "2", "minute": "30"}, [("cron", "30 2 * * *")]),
        ({"hour": "2"}, [("cron", "0 2 * * *")]),
        ({"day_of_week": "mon-fri"}, [("cron", "0 0 * * mon-fri")]),
        ({"day_of_week": "0-4", "hour": "8"}, [("cron", "0 8 * * mon-fri")]),
        ({"day_of_week": "6"}, [("cron", "0 0 * * sun")]),
        ({"day_of_week": "*/2"}, [("cron", "0 0 * * mon,wed,fri,sun")]),
        ({"minute": "*/5"}, [("cron", "*/5 * * * *")]),
        ({"second": "*/10"}, [("cron", "*/10 * * * * *")]),
        ({"minute": "5/15"}, [("cron", "5-59/15 * * * *")]),
        ({"month": "jan-mar,12"}, [("cron", "0 0 1 1-3,12 *")]),
        ({"day": "last"}, [("cron", "0 0 L * *")]),
        ({"day": "2nd fri"}, [("cron", "0 0 * * fri#2")]),
        ({"day": "last mon, 15"}, [("cron", "0 0 15 * monL")]),
        ({"day": "*/2, 1st tue"}, [("cron", "0 0 1-31/2 * tue#1")]),
        ({"year": "2027"}, [("calendar", "2027-01-01 00:00")]),
        ({"year": "2027-2030/2", "day": "last fri"}, [("calendar", "Fri 2027..2030/2-*~07/1 00:00")]),
        ({"day": "1-7", "day_of_week": "mon", "hour": "8"}, [("calendar", "Mon *-*-01..07 08:00")]),
        ({"year": "*", "hour": "3", "second": "30"}, [("cron", "30 * 3 * * *")]),
    ],
)  # fmt: skip
def test_fields_become_the_shortest_schedule_that_says_the_same(fields, schedules):
    assert schedules == translate(fields).schedules


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({}, "type", "would fire every second"),
        ({"week": "3"}, "week", "weeks of the year are in neither"),
        ({"hour": "24"}, "hour", "hour must be 0 to 23, not 24"),
        ({"day_of_week": "7"}, "day_of_week", "0 to 6 (Monday to Sunday), not 7"),
        ({"day_of_week": "fri-mon"}, "day_of_week", "reversed"),
        ({"day_of_week": "mondy"}, "day_of_week", "'mondy' that is unknown"),
        ({"minute": "*/0"}, "minute", "never ends"),
        ({"day": "6th fri"}, "day", "'6th fri' that is unknown"),
        ({"day": "1st fri", "day_of_week": "mon"}, "day", "never match"),
        ({"hour": "x"}, "hour", "'x' that is unknown"),
        ({"hour": ""}, "hour", "unknown"),
        ({"minute": "*-5"}, "minute", "unknown"),
    ],
)
def test_what_cannot_be_translated_names_its_field(fields, field, said):
    with pytest.raises(BadField) as caught:
        translate(fields)
    assert field == caught.value.field
    assert said in str(caught.value)


def test_weekday_numbers_are_said_with_the_days_that_they_mean():
    ((field, remark),) = translate({"day_of_week": "0,5"}).remarks
    assert "day_of_week" == field
    assert remark.startswith("0,5 means mon, sat here")
    assert [] == translate({"day_of_week": "mon", "hour": "8"}).remarks


# --- the judges


def items(name: str) -> st.SearchStrategy[str]:
    low, high = LIMITS[name]
    low, high = (2026, 2030) if name == "year" else (low, high)
    number = st.integers(low, high)
    pairs = st.tuples(number, number).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.integers(2, max(2, min(12, (high - low) // 2)))
    found = [
        st.just("*"),
        number.map(str),
        pairs,
        st.tuples(pairs, steps).map(lambda both: f"{both[0]}/{both[1]}"),
        steps.map(lambda step: f"*/{step}"),
    ]
    if name == "day":
        found += [
            st.just("last"),
            st.tuples(st.sampled_from(["1st", "2nd", "3rd", "last"]), st.sampled_from(WEEKDAYS)).map(" ".join),
        ]
    if name == "day_of_week":
        found += [st.sampled_from(WEEKDAYS)]
    return st.lists(st.one_of(found), min_size=1, max_size=2).map(",".join)


FIELD_SETS = st.fixed_dictionaries(
    {}, optional={name: items(name) for name in FIELDS if name not in ("week", "year")}
) | st.fixed_dictionaries({"year": items("year")}, optional={name: items(name) for name in ("month", "day", "hour")})


def matches(name: str, text: str, at: datetime) -> bool:
    """Tell whether an instant matches a field, as APScheduler's guide has it."""
    value = {
        "year": at.year, "month": at.month, "day": at.day, "day_of_week": at.weekday(),
        "hour": at.hour, "minute": at.minute, "second": at.second,
    }[name]  # fmt: skip
    low, high = LIMITS[name]
    last_day = calendar.monthrange(at.year, at.month)[1]
    for item in text.split(","):
        if item == "last":
            found = at.day == last_day
        elif " " in item:
            nth, weekday = item.split()
            right = at.weekday() == WEEKDAYS.index(weekday)
            found = right and (at.day + 7 > last_day if nth == "last" else (at.day - 1) // 7 + 1 == int(nth[0]))
        elif item in WEEKDAYS:
            found = at.weekday() == WEEKDAYS.index(item)
        else:
            body, _, step = item.partition("/")
            first, _, end = body.partition("-")
            begin, end_at = (low, high) if first == "*" else (int(first), int(end or first))
            found = begin <= value <= end_at and not (value - begin) % int(step or 1)
        if found:
            return True
    return False


@given(FIELD_SETS, st.datetimes(datetime(2026, 1, 1), datetime(2030, 12, 31)))  # noqa: DTZ001 -- UTC is put in
def test_every_slot_matches_all_fields_and_no_second_between_two_slots_does(fields, start):
    assume(fields)
    try:
        found = slots(fields, 3, start.replace(tzinfo=UTC))
    except BadField:
        assume(False)
    lowest = max(map(FIELDS.index, fields))
    least = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
    full = {
        name: fields.get(name, "*" if place < lowest else least.get(name, "*")) for place, name in enumerate(FIELDS)
    }
    full.pop("week")
    for slot in found:
        assert all(matches(name, text, slot) for name, text in full.items()), (full, slot)
    at = start.replace(tzinfo=UTC, microsecond=0)
    stop = min(found[0] if found else at + timedelta(hours=1), at + timedelta(hours=1))
    while (at := at + timedelta(seconds=1)) < stop:
        assert not all(matches(name, text, at) for name, text in full.items()), (full, at)


@given(FIELD_SETS)
def test_apscheduler_itself_fires_at_the_same_instants(fields):
    from apscheduler.triggers.cron import CronTrigger

    assume(fields)
    try:
        found = slots(fields, 4)
    except BadField:
        assume(False)
    try:
        trigger = CronTrigger(timezone="UTC", **fields)
    except ValueError:
        assume(False)  # it refuses some steps that are merely useless
    expected, at = [], START
    while len(expected) < 4:
        slot = trigger.get_next_fire_time(None, at + timedelta(microseconds=1))
        if slot is None or slot.year > 2100:
            break
        expected.append(slot)
        at = slot
    assert expected == [slot for slot in found if slot.year <= 2100]

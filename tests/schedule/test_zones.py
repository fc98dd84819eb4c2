"""Zones by name, the host's own zone, and the stretches of a wall clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rota.errors import BadSchedule
from rota.schedule.wallclock import DAY, to_instant, to_second, wall_clock
from rota.schedule.zones import local_zone_name, suggestion, unnamed_zone, zone

from .oracle import every_jump, offset_at


@pytest.mark.parametrize(
    "name", ["Europe/Berln", "Europe", "", "../Europe/Berlin", "/etc/passwd", "a\x00b", "x" * 5_000]
)
def test_an_unknown_zone_is_refused(name):
    with pytest.raises(BadSchedule, match=r"(column 1: |'': )no time zone is named"):
        zone(name)


@pytest.mark.parametrize(
    ("name", "nearest"), [("Europe/Berln", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("utc", "UTC")]
)
def test_the_nearest_zone_is_suggested(name, nearest):
    assert f"did you mean {nearest!r}? write an IANA name such as 'Europe/Berlin' or 'UTC'" == suggestion(name)


def test_a_zone_is_loaded_once():
    assert zone("Europe/Berlin") is zone("Europe/Berlin")


@pytest.fixture
def etc(tmp_path):
    database = tmp_path / "share" / "zoneinfo" / "Europe"
    database.mkdir(parents=True)
    (database / "Berlin").touch()
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
        (":/usr/share/zoneinfo/posix/Asia/Tokyo", "Asia/Tokyo"),
        ("", "UTC"),
        ("CET-1CEST-nonsense", "Europe/Berlin"),
    ],
)
def test_the_environment_names_the_hosts_zone_first(etc, told, expected):
    (etc / "localtime").symlink_to("../share/zoneinfo/Europe/Berlin")
    assert expected == local_zone_name({"TZ": told}, str(etc))


def test_the_link_names_the_hosts_zone_before_the_file_does(etc):
    (etc / "timezone").write_text("Asia/Tokyo\n")
    assert local_zone_name({}, str(etc)) == "Asia/Tokyo"
    (etc / "localtime").symlink_to("../share/zoneinfo/Europe/Berlin")
    assert local_zone_name({}, str(etc)) == "Europe/Berlin"


@pytest.mark.parametrize("content", ["", "nonsense", "\x00", "/etc"])
def test_a_host_that_does_not_say_where_it_is_has_utc(etc, content):
    assert local_zone_name({}, str(etc)) == "UTC"
    (etc / "timezone").write_text(content)
    assert local_zone_name({}, str(etc)) == "UTC"


def test_no_zone_means_the_hosts_own(monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    assert ZoneInfo("Asia/Tokyo") is zone(None)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(available_timezones())),
    st.integers(-(10**9), 4 * 10**9).map(lambda second: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)),
)
def test_a_stretch_has_the_offset_that_zoneinfo_tells(name, instant):
    stretch = wall_clock(ZoneInfo(name)).stretch_at(to_second(instant))
    assert stretch.start <= to_second(instant) < stretch.end
    ahead = offset_at(ZoneInfo(name), instant)
    assert ahead == timedelta(seconds=stretch.offset)
    assert ahead == offset_at(ZoneInfo(name), to_instant(stretch.start))
    assert ahead == offset_at(ZoneInfo(name), to_instant(stretch.end - 1))


@pytest.mark.parametrize("jump", every_jump(), ids=lambda jump: f"{every_jump()[jump]}-{jump[0]:%Y%m%d}")
def test_stretches_meet_at_a_jump(jump):
    at, before, after = jump
    clock = wall_clock(ZoneInfo(every_jump()[jump]))
    old, new = clock.stretch_at(to_second(at) - 1), clock.stretch_at(to_second(at))
    assert (timedelta(seconds=old.offset), timedelta(seconds=new.offset)) == (before, after)
    assert old.end == new.start == to_second(at)
    assert new.passed == to_second(at + before)


def test_beyond_what_a_datetime_can_hold_there_is_no_stretch():
    clock = wall_clock(ZoneInfo("Europe/Berlin"))
    assert clock.stretch_at(DAY) is None
    assert clock.stretch_at(to_second(datetime.max.replace(tzinfo=UTC))) is None


@pytest.mark.parametrize(
    ("told", "unnamed"),
    [
        (None, ""),
        ("", ""),
        ("UTC", ""),
        (":Europe/Berlin", ""),
        ("/usr/share/zoneinfo/Europe/Berlin", ""),
        ("CET-1CEST", "CET-1CEST"),
        ("UTC+3", "UTC+3"),
        ("Mars/X", "Mars/X"),
    ],
)
def test_a_tz_that_names_no_zone_is_noticed(told, unnamed):
    assert unnamed == unnamed_zone({} if told is None else {"TZ": told})


def test_a_tz_that_is_the_path_of_a_link_to_a_zone_names_it(tmp_path):
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Kolkata")
    environment = {"TZ": f":{tmp_path}/localtime"}
    assert ("Asia/Kolkata", "") == (local_zone_name(environment, str(tmp_path)), unnamed_zone(environment))

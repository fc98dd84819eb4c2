"""What is said of a schedule before it is saved."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.web.foretelling import MOST, Foretold, foretell

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def told(*specs: ScheduleSpec, zone: str = "UTC", enabled: bool = True) -> Foretold:
    return foretell(Job("x", Shell("true"), specs, timezone=zone, enabled=enabled), NOON, BERLIN)


def test_a_time_of_day_is_told_on_the_clock_of_the_job_and_on_that_of_whoever_looks():
    found = told(ScheduleSpec("cron", "30 2 * * *"))
    assert "At 02:30 every day (UTC)." == found.explanation
    assert MOST == len(found.firings)
    assert ("Mon 2027-02-01 02:30", "Mon 03:30") == (found.firings[0].there, found.firings[0].here)
    assert "" == told(ScheduleSpec("cron", "30 2 * * *"), zone="Europe/Berlin").firings[0].here


def test_an_interval_has_no_clock_of_its_own():
    found = told(ScheduleSpec("every", "6h"))
    assert ("Sun 2027-01-31 19:00", "") == (found.firings[0].there, found.firings[0].here)


def test_several_schedules_are_told_together_and_each_note_says_whose_it_is():
    found = told(ScheduleSpec("at", "2027-02-01 00:00"), ScheduleSpec("at", "2020-01-01 00:00"))
    assert "; " in found.explanation
    assert 1 == len(found.firings)
    assert ["at 2020-01-01 00:00: It has no slot to come: it will never run by itself."] == found.notes


def test_what_has_no_times_says_why():
    assert "never by itself" in told().explanation
    assert ["It runs once each time the machine starts, and nobody knows when that is."] == told(
        ScheduleSpec("at", "boot")
    ).notes
    assert [] == told(ScheduleSpec("every", "5m", from_end=True)).firings


def test_a_job_that_is_not_enabled_shows_its_times_and_says_that_they_do_not_come():
    found = told(ScheduleSpec("cron", "30 2 * * *"), enabled=False)
    assert MOST == len(found.firings)
    assert "not enabled" in found.notes[0]

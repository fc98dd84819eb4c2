"""The start of the machine, as a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.errors import BadSchedule
from rota.schedule.at import At
from rota.schedule.boot import Boot, as_kept
from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize("text", ["boot", "Boot", "BOOT", "  boot ", "\tboot"])
def test_the_word_may_be_written_in_any_way_and_is_kept_in_one(text):
    assert isinstance(parse("at", text, zone="Europe/Berlin"), Boot)
    assert "boot" == as_kept(text)


def test_an_instant_is_kept_as_it_was_given():
    assert isinstance(parse("at", "2026-03-01 12:00", zone="UTC"), At)
    assert " 2026-03-01 12:00" == as_kept(" 2026-03-01 12:00")


def test_no_clock_foretells_it():
    boot = parse("at", "boot")
    assert (None, None, 0) == (boot.next_after(NOW), boot.latest_until(NOW), boot.count(NOW - DAY, NOW + DAY))
    assert "once when the machine starts" == boot.explain()


def test_beside_other_schedules_it_adds_no_instant():
    table = Timetable([parse("at", "boot"), parse("every", "1d", anchor=NOW)])
    assert (NOW + DAY, 3) == (table.next_after(NOW), table.count(NOW, NOW + 3 * DAY))
    assert "once when the machine starts; and every day" == table.explain()


@pytest.mark.parametrize("text", ["boots", "at boot", "boot 10:00", "boot,boot"])
def test_what_is_almost_the_word_is_no_instant(text):
    with pytest.raises(BadSchedule, match="it is no date and time"):
        parse("at", text, zone="UTC")


@pytest.mark.parametrize("text", ["@reboot", " Reboot"])
def test_cron_s_word_is_answered_with_ours(text):
    with pytest.raises(BadSchedule, match="for the start of the machine write boot"):
        parse("at", text, zone="UTC")


def test_as_a_cron_expression_it_is_refused_with_what_to_write():
    with pytest.raises(BadSchedule, match=r"'at' with the word boot \(at: boot in a file, --at boot"):
        parse("cron", "@reboot")

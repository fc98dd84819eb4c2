"""Schedules of others: read by name, asked, and not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.errors import BadSchedule, RotaError
from rota.schedule import custom
from rota.schedule.custom import Schedule
from rota.schedule.forgiving import Forgiving
from rota.schedule.parse import parse

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
INSTANTS = st.timedeltas(timedelta(days=-10_000), timedelta(days=5_000)).map(lambda span: NOW + span)


class AsCron(Schedule):
    """What cron says, behind a name."""

    name = "as-cron"

    def __init__(self, text: str) -> None:
        self.text = text
        self._cron = parse("cron", text, zone="Europe/Berlin")

    def next_after(self, instant):
        return self._cron.next_after(instant)


class Answers(Schedule):
    """Answers what a test has prepared."""

    name = "answers"
    answer = staticmethod(lambda instant: None)

    def next_after(self, instant):
        return type(self).answer(instant)


@pytest.fixture
def answers():
    yield Answers
    Answers.answer = staticmethod(lambda instant: None)


@given(INSTANTS, st.sampled_from(["* * * * *", "30 2 * * *", "0 9 * * mon-fri", "0 0 29 2 *", "*/7 3 1 * *"]))
def test_what_is_derived_from_the_next_slot_alone_is_exact(instant, text):
    known, found = parse("cron", text, zone="Europe/Berlin"), parse("custom", f"as-cron {text}")
    assert known.next_after(instant) == found.next_after(instant)
    assert known.latest_until(instant) == found.latest_until(instant)
    slot = known.next_after(instant)
    assert slot == found.latest_until(slot)
    assert known.count(instant - HOUR, instant) == found.count(instant - HOUR, instant)


def test_before_the_first_slot_there_is_none(answers):
    answers.answer = staticmethod(lambda instant: NOW if instant < NOW else None)
    found = parse("custom", "answers")
    assert (None, NOW, NOW) == tuple(found.latest_until(at) for at in (NOW - SECOND, NOW, NOW + 1000 * DAY))
    assert (1, 0) == (found.count(NOW - DAY, NOW), found.count(NOW, NOW + DAY))
    assert found.next_after(NOW) is None


def test_a_schedule_that_says_something_else_each_time_comes_to_an_end(answers):
    known = []

    def answer(instant):
        known.append(instant)
        return instant + timedelta(seconds=1 + len(known) % 7)

    answers.answer = staticmethod(answer)
    found = parse("custom", "answers")
    known.clear()
    for hours in range(50):
        assert found.latest_until(NOW + hours * HOUR) <= NOW + hours * HOUR
    assert len(known) < 50 * 400


def test_another_zone_is_the_same_instant(answers):
    there = timezone(timedelta(hours=5, minutes=30))
    answers.answer = staticmethod(lambda instant: (instant + DAY).astimezone(there))
    found = parse("custom", "answers").next_after(NOW)
    assert (NOW + DAY, UTC) == (found, found.tzinfo)


def raising(instant):
    raise ZeroDivisionError("division by zero")


def leaving(instant):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (raising, "its next_after raised ZeroDivisionError: division by zero"),
        (leaving, "its next_after raised SystemExit: 3"),
        (
            lambda instant: instant.replace(tzinfo=None),
            "its next_after returned datetime.datetime(2026, 3, 1, 12, 0); return an aware datetime, or None",
        ),
        (lambda instant: "tomorrow", "its next_after returned 'tomorrow'; return an aware datetime, or None"),
        (lambda instant: instant, "asked for what comes after 2026-03-01 12:00:00+00:00, its next_after returned"),
        (lambda instant: instant - DAY, "its next_after returned 2026-02-28 12:00:00+00:00"),
        (lambda instant: instant + timedelta(microseconds=1), "are due, which is too often; slots are a second apart"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(answers, answer, problem):
    found = parse("custom", "answers")
    answers.answer = staticmethod(answer)
    with pytest.raises(BadSchedule) as refused:
        found.next_after(NOW)
    assert problem in str(refused.value)
    assert Forgiving(lambda: found).next_after(NOW) is None
    assert Forgiving(lambda: found).count(NOW, NOW + DAY) == 0
    with pytest.raises(BadSchedule):
        parse("custom", "answers")


def test_an_answer_beyond_the_last_year_is_none(answers):
    answers.answer = staticmethod(lambda instant: datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))))
    assert parse("custom", "answers").next_after(NOW) is None


def test_a_count_stays_at_a_number(answers, monkeypatch):
    monkeypatch.setattr(custom, "MOST_COUNTED", 100)
    answers.answer = staticmethod(lambda instant: instant.replace(microsecond=0) + SECOND)
    found = parse("custom", "answers")
    assert (60, 100) == (found.count(NOW, NOW + 60 * SECOND), found.count(NOW, NOW + 300 * DAY))
    assert NOW == found.latest_until(NOW + SECOND / 2)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("as-crn 0 9 * * *", "column 1: no plug-in named 'as-crn' is installed; did you mean 'as-cron'?"),
        ("as-cron", "AsCron() raised TypeError: "),
        ("as-cron 61 * * * *", "minute must be 0 to 59, not 61"),
        ("answers text", "Answers('text') raised TypeError: "),
        ("", "it is empty; write when the job is due"),
    ],
)
def test_a_text_that_names_no_schedule_is_refused(text, problem):
    with pytest.raises(BadSchedule) as refused:
        parse("custom", text)
    assert problem in str(refused.value)


def test_a_schedule_says_itself_when_it_is_due(answers):
    assert "answers" == parse("custom", "answers").explain()
    assert "as-cron 0 9 * * *" == parse("custom", " as-cron 0 9 * * * ").explain()
    assert (
        "sunst, which cannot be read: no plug-in named 'sunst' is installed"
        == Forgiving(lambda: parse("custom", "sunst")).explain()
    )


def test_a_class_that_is_defined_anew_takes_the_place_of_the_one_before():
    def define(hours):
        class Again(Schedule):
            name = "again"

            def next_after(self, instant):
                return instant + hours * HOUR

        return Again

    define(1)
    found = parse("custom", "again")
    assert NOW + HOUR == found.next_after(NOW)
    define(2)
    assert NOW + 2 * HOUR == found.next_after(NOW)


def test_a_name_is_one_word_and_belongs_to_one_class():
    with pytest.raises(RotaError, match="the schedule Two is named 'two words'; a name is one word"):

        class Two(Schedule):
            name = "two words"

    with pytest.raises(RotaError, match=r"a schedule named 'answers' is there already \(.*Answers\)"):

        class Other(Schedule):
            name = "answers"


def test_a_schedule_that_says_nothing_is_refused():
    class Silent(Schedule):
        name = "silent"

    with pytest.raises(BadSchedule, match="Silent says nothing about when it is due; give it next_after"):
        parse("custom", "silent")

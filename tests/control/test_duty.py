"""Who does what is due, in a word and in a sentence: here, elsewhere, or nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.control.duty import Duty, listed, pulse_of

LATE = timedelta(minutes=2)
STOPPED = "The engine of db-1 is stopped by a signal"


def shared(engine=1, **given):
    return Duty(engine, **{"is_shared": True, "host": "db-1", "planner": "db-2"} | given)


@pytest.mark.parametrize(
    ("duty", "word", "sentence"),
    [
        (Duty(1), "scheduling", "What is due is being done."),
        (Duty(None), "not running", "No engine runs: nothing starts until somebody runs rota serve."),
        (
            Duty(1, is_stopped=True),
            "stopped",
            "The engine is stopped by a signal: nothing starts until it is let go on.",
        ),
        (
            Duty(1, late=LATE),
            "2m late",
            "The engine has not done for 2m what is due: it hangs, or has too much to do.",
        ),
        (shared(), "scheduling", "What is due is being done."),
        (
            shared(others=("db-2",)),
            "scheduling",
            "What is due is being done by db-1 and db-2; db-2 plans.",
        ),
        (
            shared(None, others=("db-2", "db-3")),
            "scheduling",
            "What is due is being done by db-2 and db-3; no engine runs on db-1.",
        ),
        (
            shared(None, others=("db-2",), host=""),
            "scheduling",
            "What is due is being done by db-2; no engine runs on this host.",
        ),
        (
            shared(is_stopped=True, others=("db-2",)),
            "stopped here",
            f"{STOPPED}, and does nothing until it is let go on. What is due is being done by db-2.",
        ),
        (
            shared(is_stopped=True),
            "stopped",
            f"{STOPPED}, and no other host is there: nothing starts until it is let go on.",
        ),
        (
            shared(None),
            "not running",
            "No engine runs on any host: nothing starts until somebody runs rota serve.",
        ),
        (
            shared(others=("db-2",), late=LATE),
            "2m late",
            "The hosts, of which db-2 plans, have not done for 2m what is due: they hang, or have too much to do.",
        ),
        (
            shared(others=("db-2",), drained=("db-1", "db-2")),
            "drained",
            "Every host is drained: nothing starts until one of them is resumed.",
        ),
        (
            shared(others=("db-2",), drained=("db-2",)),
            "scheduling",
            "What is due is being done by db-1 and db-2; db-2 plans.",
        ),
    ],
    ids=lambda given: given if isinstance(given, str) and " " not in given else "",
)
def test_a_pulse_says_who_does_what_is_due(duty, word, sentence):
    pulse = pulse_of(duty)
    assert (word, sentence) == (pulse.word, pulse.sentence)


@pytest.mark.parametrize(
    ("duty", "why"),
    [
        (Duty(1), ""),
        (Duty(None), "no engine is running"),
        (shared(), ""),
        (shared(None), "no engine is running on db-1, and no other host is there"),
        (shared(None, others=("db-2",)), "no engine is running on db-1; db-2 does what is due"),
        (shared(is_stopped=True, others=("a", "b")), "the engine of db-1 was stopped; a and b do what is due"),
    ],
    ids=lambda _: "",
)
def test_of_its_own_engine_a_host_says_what_is_the_matter_and_who_does_its_work(duty, why):
    assert why == duty.why_not_here()


def test_what_is_late_is_told_with_the_host_that_should_have_planned_it():
    assert "the engine has left something undone for 120s" == Duty(1, late=LATE).why_late()
    assert "the hosts, of which db-2 plans, have left something undone for 120s" == shared(late=LATE).why_late()
    nobody = shared(late=LATE, planner="")
    assert "the hosts, of which none plans, have left something undone for 120s" == nobody.why_late()


def test_what_other_hosts_do_counts_and_a_drained_one_does_nothing():
    assert shared(None, others=("db-2",)).is_scheduling
    assert not shared(None, others=("db-2",), drained=("db-2",)).is_scheduling
    assert not shared(None).is_scheduling
    assert not shared(late=LATE).is_scheduling


def test_a_few_hosts_are_named_and_many_are_counted():
    assert ["", "a", "a and b", "a, b and c", "4 hosts"] == [listed("abcd"[:many]) for many in range(5)]

"""Trust is counted from the question, ends before the lease does, and is renewed in time."""

from __future__ import annotations

from datetime import timedelta

from rota.engine.trust import Leases, Trust

LEASES = Leases(timedelta(seconds=30))


def test_trust_begins_at_the_question_and_ends_a_margin_before_the_lease():
    trust = Trust(LEASES)
    assert not trust.holds(0.0), "nothing was answered yet"
    trust.answered(100.0)
    assert (True, False) == (trust.holds(124.9), trust.holds(125.0))


def test_a_late_answer_gives_no_more_than_an_early_one():
    trust = Trust(LEASES)
    trust.answered(100.0)
    assert not trust.holds_since(70.0, 100.0), "the answer took thirty seconds"


def test_the_answer_to_an_earlier_question_takes_nothing_away():
    trust = Trust(LEASES)
    trust.answered(100.0)
    trust.answered(90.0)
    assert trust.holds(124.0)


def test_it_is_time_to_renew_so_early_that_two_renewals_may_fail():
    trust = Trust(LEASES)
    assert trust.is_due(0.0)
    trust.answered(100.0)
    assert (False, True) == (trust.is_due(109.9), trust.is_due(110.0))
    assert 3 * LEASES.pause <= LEASES.lasts
    assert 2 * LEASES.pause < LEASES.lasts - LEASES.margin

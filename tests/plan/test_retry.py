"""Whether and when an attempt is followed by another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.model.policy import Retries
from rota.model.run import FINAL, State
from rota.plan.retry import GiveUp, TryAgain, decide_retry, pause_before

from .slots import HOUR, SECOND

TWICE = Retries(count=2, delay=10 * SECOND, backoff=2.0, max_delay=HOUR, jitter=0.0)
BAD = [State.FAILED, State.TIMED_OUT, State.LOST]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_is_tried_again_unless_somebody_asked_for_it(state):
    assert GiveUp() == decide_retry(Retries(), 1, state, 1, 0.0)


@pytest.mark.parametrize("state", BAD)
def test_a_bad_end_is_tried_again_until_all_attempts_are_used(state):
    assert TryAgain(10 * SECOND) == decide_retry(TWICE, 1, state, 1, 0.0)
    assert TryAgain(20 * SECOND) == decide_retry(TWICE, 2, state, 1, 0.0)
    assert GiveUp("all 3 attempts were used") == decide_retry(TWICE, 3, state, 1, 0.0)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.CANCELLED])
def test_what_went_well_or_was_ended_by_hand_is_not_tried_again(state):
    assert GiveUp() == decide_retry(TWICE, 1, state, 0, 0.0)


def test_only_the_exit_codes_that_were_named_are_tried_again():
    retries = Retries(count=2, only_on=(75, 111), jitter=0.0)
    assert TryAgain(10 * SECOND) == decide_retry(retries, 1, State.FAILED, 75, 0.0)
    why = "exit code 1 is not one that is tried again (75, 111)"
    assert GiveUp(why) == decide_retry(retries, 1, State.FAILED, 1, 0.0)
    assert TryAgain(10 * SECOND) == decide_retry(retries, 1, State.LOST, None, 0.0)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 10), (2, 20), (3, 40), (9, 2560), (10, 3600), (11, 3600), (5_000, 3600)]
)
def test_the_pause_doubles_up_to_its_limit(attempt, seconds):
    assert timedelta(seconds=seconds) == pause_before(TWICE, attempt, 0.0)


def test_a_backoff_of_1_keeps_the_pause():
    assert {10 * SECOND} == {pause_before(Retries(backoff=1.0, jitter=0.0), attempt, 0.0) for attempt in range(1, 99)}


def test_jitter_adds_its_part_at_most():
    retries = Retries(delay=100 * SECOND, jitter=0.1)
    assert 100 * SECOND == pause_before(retries, 1, 0.0)
    assert 105 * SECOND == pause_before(retries, 1, 0.5)
    assert pause_before(retries, 1, 0.999999) < 110 * SECOND


@given(
    st.integers(0, 10**9),
    st.floats(0, 1e6),
    st.integers(0, 10**9),
    st.floats(0, 1),
    st.integers(1, 10**6),
    st.floats(0, 1, exclude_max=True),
)
def test_no_pause_is_negative_or_longer_than_its_limit_and_jitter(delay, backoff, limit, jitter, attempt, chance):
    longest = timedelta(seconds=limit)
    retries = Retries(1, timedelta(seconds=delay), backoff, longest, jitter)
    assert timedelta(0) <= pause_before(retries, attempt, chance) <= longest * (1 + jitter) + SECOND

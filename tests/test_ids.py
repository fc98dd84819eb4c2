"""Identifiers: they sort by the time that they were made, and bound queries by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.ids import RUN_ID_LENGTH, RunIds, first_run_id, is_run_id, new_home_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- as asked


def test_ids_grow_even_within_one_millisecond_and_when_the_clock_goes_back():
    ids = RunIds()
    made = [ids.new(NOW + timedelta(seconds=seconds)) for seconds in (0, 0, 0, 5, 5, -3600, 0)]
    assert sorted(made) == made
    assert len(set(made)) == len(made)


@given(INSTANTS, INSTANTS)
def test_an_older_id_is_a_smaller_text(one, other):
    first, second = sorted((one, other))
    if second - first >= timedelta(milliseconds=1):
        assert RunIds().new(first) < RunIds().new(second)


@given(INSTANTS)
def test_the_bound_of_an_instant_is_between_what_was_made_before_and_after(instant):
    moment = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert RunIds().new(moment - timedelta(milliseconds=1)) < first_run_id(moment) <= RunIds().new(moment)


@given(INSTANTS)
def test_every_id_has_the_form_of_an_id(instant):
    made = RunIds().new(instant)
    assert RUN_ID_LENGTH == len(made)
    assert is_run_id(made)
    assert is_run_id(made.lower())


def test_an_instant_before_1970_has_the_smallest_bound():
    assert "0" * RUN_ID_LENGTH == first_run_id(datetime(1901, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "backup", "0" * 25, "0" * 27, "U" * 26, "!" * 26])
def test_what_has_another_form_is_no_id(text):
    assert not is_run_id(text)


def test_makers_in_different_processes_do_not_meet():
    assert 1_000 == len({RunIds().new(NOW) for _ in range(1_000)})


def test_a_home_s_id_is_random_and_fits_a_mark():
    made = {new_home_id() for _ in range(100)}
    assert 100 == len(made)
    assert all(len(each) == 16 and "/" not in each for each in made)

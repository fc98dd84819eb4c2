"""What an OnCalendar expression allows, as numbers."""

from __future__ import annotations

import pytest

from rota.errors import BadSchedule
from rota.schedule.calendar import fields


def test_the_fields_of_an_expression_are_numbers_ascending():
    found = fields("Mon..Wed 2027-*-01,15 09:0/30 Europe/Berlin")
    assert ((0, 1, 2), (2027,), tuple(range(1, 13)), (1, 15)) == found[:4]
    assert ((9,), (0, 30), (0,), "Europe/Berlin") == found[4:]


def test_days_from_the_end_are_below_zero_and_no_year_is_none():
    assert ((-1,), None) == (fields("*-*~01").days, fields("*-*~01").years)


def test_what_cannot_be_read_is_refused_as_everywhere():
    with pytest.raises(BadSchedule):
        fields("Mon 25:00")

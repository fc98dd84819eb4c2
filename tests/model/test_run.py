"""The one table of states, and what a run tells of itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rota.model.run import ACTIVE, FINAL, MOVES, TROUBLE, OutputPart, Run, State, Trigger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(**given):
    plain = dict.fromkeys(Run.__struct_fields__)
    plain |= {"id": "01J", "job": "backup", "trigger": Trigger.SCHEDULE, "state": State.RUNNING, "attempt": 1}
    return Run(**plain | given)


def test_every_state_is_active_or_final_and_queued_leads_to_all_of_them():
    assert set(State) == ACTIVE | FINAL
    assert set() == ACTIVE & FINAL
    reached, frontier = {State.QUEUED}, {State.QUEUED}
    while frontier:
        frontier = {new for old in frontier for new in MOVES[old]} - reached
        reached |= frontier
    assert set(State) == reached


def test_trouble_is_what_ended_neither_well_nor_on_purpose():
    assert {State.FAILED, State.TIMED_OUT, State.LOST} == TROUBLE


@pytest.mark.parametrize(
    ("code", "signal"), [(None, None), (0, None), (1, None), (128, None), (129, 1), (137, 9), (192, 64), (193, None)]
)
def test_a_signal_is_read_from_the_exit_code(code, signal):
    assert signal == run(exit_code=code).signal


def test_duration_and_lateness_are_known_when_their_ends_are():
    slot, started, ended = NOW, NOW + timedelta(seconds=2), NOW + timedelta(seconds=5)
    assert (3.0, 2.0) == (run(started_at=started, ended_at=ended).duration, run(started_at=started, slot=slot).lateness)
    assert (None, None) == (run(started_at=started).duration, run(started_at=started).lateness)
    assert (None, None) == (run(ended_at=ended).duration, run(slot=slot).lateness)
    assert 0.0 == run(started_at=ended, ended_at=started).duration


@pytest.mark.parametrize(
    ("head", "tail", "size", "dropped"), [(b"", b"", 0, 0), (b"ab", b"cd", 4, 0), (b"a", b"d", 9, 7)]
)
def test_what_was_dropped_is_what_is_not_there(head, tail, size, dropped):
    assert dropped == OutputPart("stdout", head, tail, size).dropped

"""Durations as a picture: places, scale, and what is said of it in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.model.run import Run, State, Trigger
from rota.web.drawing.durations import draw

START = datetime(2027, 1, 31, 2, 30, tzinfo=UTC)


def run(number: int, seconds: float | None, state: State = State.SUCCEEDED) -> Run:
    ended = None if seconds is None else START + timedelta(seconds=seconds)
    return Run(
        id=f"R{number:04}",
        job="backup",
        job_id=1,
        definition_id=1,
        trigger=Trigger.SCHEDULE,
        slot=START,
        state=state,
        attempt=1,
        host=None,
        boot=None,
        spool=None,
        queued_at=START,
        ready_at=None,
        start_by=None,
        started_at=START,
        ended_at=ended,
        exit_code=0,
        reason="",
        cancel_at=None,
        cancel_reason="",
        params={},
        result=None,
        retry_of=None,
    )


def test_without_ended_runs_there_is_no_picture():
    assert draw([]) is None
    assert draw([run(1, None, State.RUNNING)]) is None


def test_the_newest_run_is_on_the_right():
    drawn = draw([run(3, 3), run(2, 2), run(1, 1)])
    assert ["R0001", "R0002", "R0003"] == [bar.run for bar in drawn.bars]
    assert sorted(bar.x for bar in drawn.bars) == [bar.x for bar in drawn.bars]
    assert drawn.right - drawn.bars[-1].x < 50


def test_a_longer_run_has_a_higher_bar_in_proportion():
    one, two = draw([run(2, 20), run(1, 10)]).bars
    assert two.height == pytest.approx(2 * one.height, rel=0.02)


def test_a_spread_of_thousands_is_drawn_on_a_logarithmic_scale():
    drawn = draw([run(1, 3_600), *(run(number, 1) for number in range(2, 12))])
    assert drawn.is_logarithmic
    assert min(bar.height for bar in drawn.bars) > 2
    assert not draw([run(1, 5), run(2, 1)]).is_logarithmic


def test_an_outcome_is_said_by_a_sign_as_well_as_by_a_colour():
    drawn = draw([run(3, 1, State.TIMED_OUT), run(2, 1, State.FAILED), run(1, 1)])
    assert ["", "×", "◷"] == [bar.sign for bar in drawn.bars]
    assert "timed out after 1s" == drawn.bars[-1].title


def test_it_is_said_in_words_as_well():
    drawn = draw([run(2, 90, State.FAILED), run(1, 2)])
    assert "The last 2 runs: 1 succeeded, 1 failed; they took 2s to 1m 30s." == drawn.words
    assert "One run: 1 succeeded, it took 2s." == draw([run(1, 2)]).words


def test_a_change_of_late_is_said():
    drawn = draw([*(run(number, 30) for number in range(6)), *(run(number, 10) for number in range(6))])
    assert drawn.words.endswith("they took 10s to 30s, usually 30s of late and 10s before.")


@given(st.lists(st.floats(0, 1e8), min_size=1, max_size=150))
def test_every_picture_stays_within_its_frame(seconds):
    drawn = draw([run(number, length) for number, length in enumerate(seconds)])
    assert min(100, len(seconds)) == len(drawn.bars)
    for bar in drawn.bars:
        assert 0 <= bar.y <= bar.y + bar.height <= drawn.height
        assert drawn.left <= bar.x <= bar.x + bar.width <= drawn.width
    assert all(0 <= rule.y <= drawn.height for rule in drawn.rules)
    assert len(drawn.rules) <= 8

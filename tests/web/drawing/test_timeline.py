"""The picture of a timeline: everything inside, in order, and nothing that went wrong hidden."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rota.control.questions import Slot
from rota.control.timeline import Timeline
from rota.model.run import FINAL, TROUBLE, Run, State, Trigger
from rota.web.drawing.axis import Scale
from rota.web.drawing.timeline import APART, HEAD, ROW, bars, draw, lanes_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SCALE = Scale(NOW - 4 * HOUR, NOW + 2 * HOUR)


def a_run(
    begin: datetime,
    length: timedelta | None = MINUTE,
    state: State = State.SUCCEEDED,
    job: str = "backup",
    reason: str = "",
) -> Run:
    """Return a run that began then; one without a length goes on."""
    return Run(
        id=f"{job}-{begin.timestamp():.6f}",
        job=job,
        job_id=1,
        definition_id=1,
        trigger=Trigger.MANUAL,
        slot=None,
        state=state,
        attempt=1,
        host="one",
        boot=None,
        spool=None,
        queued_at=begin,
        ready_at=None,
        start_by=None,
        started_at=None if state is State.QUEUED else begin,
        ended_at=None if length is None else begin + length,
        exit_code=None,
        reason=reason,
        cancel_at=None,
        cancel_reason="",
        params={},
        result=None,
        retry_of=None,
    )


def a_span(runs: Sequence[Run] = (), slots: Sequence[Slot] = (), older: Sequence[Run] = ()) -> Timeline:
    return Timeline(SCALE.since, SCALE.until, NOW, list(runs), list(slots), bool(older), list(older), more_slots=False)


def drawn(found: Timeline, most: int = 10):
    names = lanes_of(found, most)
    return draw(found, names, {name: [slot for slot in found.slots if slot.job == name] for name in names}, UTC)


RUNS = st.lists(
    st.builds(
        lambda minutes, length, state, job: a_run(NOW + minutes * MINUTE, length * SECOND, state, job),
        st.integers(-600, 0),
        st.integers(0, 20_000),
        st.sampled_from(sorted(FINAL)),
        st.sampled_from("abcdefghijklm"),
    ),
    max_size=60,
)


@given(RUNS, st.integers(0, 12))
def test_bars_stay_inside_and_lanes_are_in_order(runs, most):
    picture = drawn(a_span(runs), most)
    for number, lane in enumerate(picture.lanes):
        assert HEAD + ROW * number == lane.y
        assert all(bar.x >= 0 and bar.width >= APART - 0.001 for bar in lane.bars)
        assert all(bar.x + bar.width <= 100.001 for bar in lane.bars)
    assert HEAD + ROW * max(1, len(picture.lanes)) == picture.height
    assert len(picture.lanes) <= most + 1
    named = [lane.name for lane in picture.lanes if not lane.is_rest]
    assert sorted(named) == named


@given(RUNS)
def test_what_went_wrong_lies_above_what_went_well(runs):
    tones = [bar.tone in TROUBLE for bar in bars(runs, None, NOW, SCALE, UTC)]
    assert sorted(tones) == tones


@given(RUNS)
def test_bars_of_one_outcome_do_not_touch_each_other(runs):
    found = bars(runs, None, NOW, SCALE, UTC)
    for before, after in pairwise(found):
        assert before.tone != after.tone or before.x + before.width < after.x + 0.002


def test_a_bar_is_where_its_run_was_and_leads_to_it():
    (bar,) = bars([a_run(NOW - HOUR, HOUR / 2)], "backup", NOW, SCALE, UTC)
    assert (50, pytest.approx(100 / 12, abs=0.01), "succeeded") == (bar.x, bar.width, bar.tone)
    assert bar.href.startswith("/runs/backup-")
    assert "backup: succeeded after 30m, 2026-03-02 11:00" == bar.title


def test_a_bar_that_is_too_short_to_be_seen_is_made_wider():
    assert [APART] == [bar.width for bar in bars([a_run(NOW - HOUR, SECOND)], "backup", NOW, SCALE, UTC)]


def test_what_still_runs_reaches_to_now_and_what_waits_does_too():
    runs = [a_run(NOW - HOUR, None, State.RUNNING), a_run(NOW - 2 * HOUR, None, State.QUEUED)]
    place = SCALE.place(NOW)
    ends = {bar.tone: bar.x + bar.width for bar in bars(runs, "backup", NOW, SCALE, UTC)}
    assert {"running": pytest.approx(place, abs=0.01), "queued": pytest.approx(place, abs=0.01)} == ends


def test_runs_that_would_lie_over_each_other_are_one_bar_that_counts_them_and_lists_them():
    runs = [a_run(NOW - HOUR + number * SECOND, SECOND) for number in range(40)]
    (bar,) = bars(runs, "a&b", NOW, SCALE, UTC)
    assert "a&b: 40 runs succeeded, from 2026-03-02 11:00 to 2026-03-02 11:00:39" == bar.title
    assert "/runs?job=a%26b&state=succeeded&since=2026-03-02T11%3A00Z&until=" in bar.href


def test_a_failure_between_others_is_a_bar_of_its_own_that_says_why():
    runs = [a_run(NOW - HOUR + number * SECOND, SECOND) for number in range(40)]
    runs[20] = a_run(runs[20].queued_at, SECOND, State.FAILED, reason="exit code 3")
    well, wrong = bars(runs, "backup", NOW, SCALE, UTC)
    assert ("succeeded", "failed") == (well.tone, wrong.tone)
    assert "backup: failed after 1s, 2026-03-02 11:00:20: exit code 3" == wrong.title


def test_jobs_in_trouble_get_a_lane_before_busy_ones_and_the_rest_shares_one():
    runs = [a_run(NOW - number * MINUTE, job="busy") for number in range(30)]
    runs += [a_run(NOW - HOUR, job="broken", state=State.LOST), a_run(NOW - HOUR, job="calm")]
    picture = drawn(a_span(runs, [Slot(NOW + HOUR, "later")]), most=2)
    assert ["broken", "busy", "2 other jobs"] == [lane.name for lane in picture.lanes]
    assert "1 succeeded; due in 1h" == picture.lanes[-1].words
    assert "1 lost; nothing coming" == picture.lanes[0].words


def test_slots_are_ticks_and_of_those_that_lie_too_close_the_first():
    slots = [Slot(NOW + HOUR + number * SECOND, "backup") for number in range(10)]
    (lane,) = drawn(a_span(slots=[*slots, Slot(NOW + 2 * HOUR - SECOND, "backup")])).lanes
    assert [pytest.approx(83.333), pytest.approx(99.995)] == [tick.x for tick in lane.ticks]
    assert "due in 1h, 2026-03-02 13:00" == lane.ticks[0].title


def test_now_is_a_line_only_where_it_is_to_be_seen():
    assert pytest.approx(66.667) == drawn(a_span()).now
    past = Timeline(NOW - 9 * HOUR, NOW - 3 * HOUR, NOW, [], [], more_runs=False, older_trouble=[], more_slots=False)
    assert drawn(past).now is None


def test_where_not_every_run_is_drawn_is_said_and_what_went_wrong_there_is_drawn():
    older = a_run(NOW - 3 * HOUR, state=State.FAILED)
    picture = drawn(a_span([a_run(NOW - HOUR)], older=[older]))
    assert (50, 1, NOW - HOUR) == (picture.drawn_from, picture.shown, picture.oldest)
    assert ["succeeded", "failed"] == [bar.tone for bar in picture.lanes[0].bars]
    assert "/runs?since=2026-03-02T08%3A00Z&until=2026-03-02T14%3A00Z" == picture.all_runs


def test_names_are_written_in_paths_so_that_they_stay_names():
    (lane,) = drawn(a_span([a_run(NOW - HOUR, job="a/b <c>?")])).lanes
    assert "/jobs/a%2Fb%20%3Cc%3E%3F" == lane.href

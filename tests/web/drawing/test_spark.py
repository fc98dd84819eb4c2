"""The last runs of a job as bars: their order, their height, their kind, and what they say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from rota.model.run import Run, State, Trigger
from rota.web.drawing.spark import MOST, Spark, spark

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


def run(state: State = State.SUCCEEDED, seconds: float | None = 1.0) -> Run:
    given = dict.fromkeys(Run.__struct_fields__)
    ended = None if seconds is None else NOON + timedelta(seconds=seconds)
    given |= {
        "state": state,
        "trigger": Trigger.SCHEDULE,
        "started_at": NOON,
        "ended_at": ended,
    }
    return Run(**given)  # type: ignore[arg-type]  # the rest of a run is not drawn


BAR = re.compile(r"M(\d+) (\d+)v-(\d+)h(\d+)v\3z(M\1 \d+h\4v2h-\4z)?")


def bars(drawn: Spark | None) -> list[tuple[int, int, str, bool]]:
    """Return each bar from left to right: its place, its height, its kind, and whether it has a line below it."""
    assert drawn is not None
    found = []
    for each in drawn.bars:
        assert each.path == "".join(bar[0] for bar in BAR.finditer(each.path))
        for bar in BAR.finditer(each.path):
            x, bottom, height, width = map(int, bar.groups()[:4])
            assert x + width <= drawn.width
            assert 3 <= height <= bottom == drawn.base
            found.append((x, height, each.state, bar[5] is not None))
    return sorted(found)


def test_a_job_that_never_ran_has_no_picture():
    assert spark([]) is None


def test_the_newest_run_is_at_the_right_end():
    drawn = bars(spark([run(State.FAILED), run(), run()]))
    assert ["succeeded", "succeeded", "failed"] == [state for _, _, state, _ in drawn]
    assert [102, 108, 114] == [x for x, *_ in drawn]


def test_only_so_many_runs_are_drawn_and_no_two_at_one_place():
    drawn = bars(spark([run(seconds=number) for number in range(MOST + 5)]))
    assert MOST == len({x for x, *_ in drawn})


def test_a_run_that_took_longer_is_higher_and_none_is_too_low_to_be_seen():
    drawn = bars(spark([run(seconds=100), run(seconds=25), run(seconds=0), run(State.RUNNING, None)]))
    heights = [height for _, height, _, _ in drawn]
    assert heights[0] == heights[1] < heights[2] < heights[3]


def test_runs_that_all_took_no_time_are_drawn():
    assert 1 == len({height for _, height, _, _ in bars(spark([run(seconds=0), run(seconds=0)]))})


def test_what_did_not_go_well_is_marked_by_more_than_its_colour():
    marked = {state for _, _, state, is_marked in bars(spark([run(state) for state in State])) if is_marked}
    assert {"failed", "timed_out", "cancelled", "lost"} == marked


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([State.SUCCEEDED], "one run: succeeded"),
        ([State.FAILED] * 2 + [State.SUCCEEDED] * 18, "last 20 runs: 18 succeeded, 2 failed"),
        ([State.RUNNING, State.TIMED_OUT], "last 2 runs: 1 timed out, 1 running"),
    ],
)
def test_the_picture_says_what_it_shows(states, said):
    drawn = spark([run(state) for state in states])
    assert drawn is not None
    assert said == drawn.label

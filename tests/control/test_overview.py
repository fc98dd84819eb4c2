"""How things stand on one screen, and in one sentence."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from rota.control.duty import Duty
from rota.control.overview import standing, summary, usual_lengths
from rota.control.pulse import late_by
from rota.control.questions import Questions
from rota.model.policy import CatchUp, Overlap
from rota.model.run import State

from .worlds import DAY, HOUR, MINUTE, NOW, SECOND


@pytest.fixture
def stands(world):
    """Return how things stand now; somebody's engine is there, unless it is said that there is none."""
    return lambda engine=1, is_stopped=False: summary(
        world.store,
        Questions(world.store, world.clock),
        world.clock,
        Duty(engine, is_stopped, late_by(world.store, world.clock.now())),
    )


def test_what_runs_is_told_longest_first(world, stands):
    for name in ("first", "second"):
        world.add(name)
        world.verbs.trigger(name)
        world.claim()
        world.clock.at += MINUTE
    assert ["first", "second"] == [run.job for run in stands().running]


def test_what_waits_too_long_is_told_oldest_first_and_what_came_just_now_is_not(world, stands):
    world.add("first", max_instances=9, overlap=Overlap.ALLOW)
    runs = []
    for _ in range(3):
        runs.append(world.verbs.trigger("first"))
        world.clock.at += 4 * SECOND
    found = stands()
    assert (2, runs[:2]) == (found.overdue, [run.id for run in found.held_up])


def test_what_was_skipped_is_told_but_not_what_a_pause_skipped(world, stands):
    world.add("stuck", ("every", "1m"))
    world.add("paused", ("every", "1m"))
    world.verbs.pause("paused")
    world.plan(NOW + MINUTE)
    world.claim()
    for minutes in (2, 3):
        world.plan(NOW + minutes * MINUTE)
    world.verbs.resume("paused")
    (record,) = stands().skips
    assert ("stuck", 2, "overlap") == (record.job, record.skip.count, record.skip.code)
    world.clock.at += DAY + HOUR
    assert [] == stands().skips


def test_what_comes_next_is_told_once_for_each_job(world, stands):
    world.add("often", ("every", "1m"))
    world.add("rarely", ("every", "1h"))
    world.add("by hand")
    assert [("often", 3, NOW + MINUTE), ("rarely", 3, NOW + HOUR)] == [
        (each.job, len(each.slots), each.slots[0]) for each in stands().coming
    ]


def test_the_last_24_hours_are_counted_from_a_whole_hour_on(world, stands):
    world.add("backup")
    for state in (State.SUCCEEDED, State.FAILED, State.TIMED_OUT):
        world.verbs.trigger("backup")
        world.end(world.claim(), state, 0 if state is State.SUCCEEDED else 1)
    world.clock.at += DAY - MINUTE
    found = stands()
    assert (1, 2, NOW - HOUR) == (found.succeeded, found.failed, found.since)
    world.clock.at += 2 * HOUR
    assert (0, 0) == (stands().succeeded, stands().failed)


def test_a_usual_length_is_that_of_the_runs_that_went_well(world):
    world.add("backup")
    world.add("new")
    for seconds, state in ((10, State.SUCCEEDED), (30, State.SUCCEEDED), (20, State.SUCCEEDED), (900, State.FAILED)):
        world.verbs.trigger("backup")
        run = world.claim()
        world.clock.at += timedelta(seconds=seconds)
        world.end(run, state, int(state is State.FAILED))
    runs = [world.store.runs.find(world.verbs.trigger(name)) for name in ("backup", "new")]
    assert {runs[0].job_id: 20.0} == usual_lengths(world.store, runs)


# -- in a sentence ----------------------------------------------------------------------------------------------------


def test_a_home_where_all_is_well_says_so(world, stands):
    assert "Scheduling." == standing(stands())
    world.add("backup")
    world.verbs.trigger("backup")
    world.end(world.claim())
    assert "Scheduling. Nothing has gone wrong in the last 24 hours." == standing(stands())


def test_without_an_engine_the_sentence_says_what_to_do(stands):
    assert "Not running: nothing starts until somebody runs rota serve." == standing(stands(None))
    assert "Stopped: nothing starts until the engine is let go on." == standing(stands(is_stopped=True))


def test_an_engine_that_does_nothing_is_late(world, stands):
    world.add("backup", ("every", "1m"))
    world.clock.at += 3 * MINUTE
    assert "Late: what is due has been left undone for 2m." == standing(stands())


def test_what_waits_is_said_while_others_run(world, stands):
    world.add("backup", max_instances=9, overlap=Overlap.ALLOW)
    world.verbs.trigger("backup")
    world.claim()
    world.verbs.trigger("backup")
    world.clock.at += MINUTE
    assert "Scheduling, but 1 run waits for a place." == standing(stands())


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (("db-1",), "Scheduling. Host db-1 is not there."),
        (("db-1", "db-2"), "Scheduling. 2 hosts are not there: db-1, db-2."),
    ],
)
def test_hosts_that_should_be_there_are_named(stands, gone, said):
    found = stands()
    assert said == standing(msgspec.structs.replace(found, duty=msgspec.structs.replace(found.duty, gone=gone)))


def test_what_went_wrong_and_what_was_missed_is_counted(world, stands):
    world.add("backup", ("every", "1h"), catch_up=CatchUp.NONE)
    for _ in range(2):
        world.verbs.trigger("backup")
        world.end(world.claim(), State.LOST, None, "gone")
    world.plan(NOW + 3 * HOUR + MINUTE)
    assert "Scheduling. In the last 24 hours 2 runs went wrong and 3 slots were missed." == standing(stands())

"""Time around now: what there is to draw when there is more than can be drawn."""

from __future__ import annotations

from rota.control.questions import Questions
from rota.control.timeline import timeline
from rota.model.run import State

from .worlds import HOUR, MINUTE, NOW, SECOND


def test_what_went_wrong_is_there_although_newer_runs_fill_the_page(world):
    world.add("backup")
    runs = []
    for state in (State.FAILED, State.SUCCEEDED, State.SUCCEEDED, State.SUCCEEDED):
        runs.append(world.verbs.trigger("backup"))
        world.end(world.claim(), state, int(state is State.FAILED))
        world.clock.at += SECOND
    few = timeline(world.store, Questions(world.store, world.clock), world.clock.at, NOW - HOUR, NOW + HOUR, 2)
    assert runs[:1:-1] == [run.id for run in few.runs]
    assert (True, runs[:1]) == (few.more_runs, [run.id for run in few.older_trouble])
    every = timeline(world.store, Questions(world.store, world.clock), world.clock.at, NOW - HOUR, NOW + HOUR, 4)
    assert (False, []) == (every.more_runs, every.older_trouble)


def test_slots_have_a_limit_of_their_own(world):
    world.add("often", ("every", "1m"))
    found = timeline(world.store, Questions(world.store, world.clock), NOW, NOW, NOW + HOUR, 10, 3)
    assert (3, True) == (len(found.slots), found.more_slots)


def test_slots_of_a_job_that_lie_close_together_are_thinned(world):
    world.add("often", ("every", "1m"))
    questions = Questions(world.store, world.clock)
    assert 59 == len(questions.coming_of("often", NOW, NOW + HOUR, SECOND))
    thinned = [slot.at for slot in questions.coming_of("often", NOW, NOW + HOUR, 10 * MINUTE)]
    assert [NOW + minutes * MINUTE for minutes in (1, 11, 21, 31, 41, 51)] == thinned


def test_a_job_that_is_gone_or_never_was_has_no_slots(world):
    world.add("often", ("every", "1m"))
    world.verbs.remove("often")
    questions = Questions(world.store, world.clock)
    assert [] == questions.coming_of("often", NOW, NOW + HOUR, SECOND)
    assert [] == questions.coming_of("never", NOW, NOW + HOUR, SECOND)

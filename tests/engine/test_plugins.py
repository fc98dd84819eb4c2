"""A schedule of a plug-in that breaks while the engine runs concerns its own job, and heals by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.control.health import _schedules
from rota.control.questions import Questions
from rota.control.why import Why
from rota.errors import BadSchedule
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, Policy
from rota.schedule.custom import Schedule

from .machine import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Fickle(Schedule):
    """Every ten minutes, as long as nothing is wrong."""

    name = "fickle"
    trouble = ""

    def next_after(self, instant):
        if self.trouble == "raises":
            raise LookupError("the sun is gone")
        if self.trouble == "stands still":
            return instant
        if self.trouble == "floods":
            return instant + timedelta(microseconds=1)
        return NOW + ((instant - NOW) // (10 * MINUTE) + 1) * 10 * MINUTE


@pytest.fixture
def fickle(world):
    world.add("sound", "10m")
    policy = Policy(catch_up=CatchUp.ALL)
    world.verbs.add(Job("fickle", Shell("true"), (ScheduleSpec("custom", "fickle"),), policy))
    yield Fickle
    Fickle.trouble = ""


def events(world, kind):
    return [event for event in world.store.ledger.events(0, 1000) if event.kind == kind]


def slots(world):
    return [(run.slot - NOW) / MINUTE for run in world.runs("fickle")]


@pytest.mark.parametrize("trouble", ["raises", "stands still", "floods"])
def test_a_schedule_that_breaks_stops_no_other_and_is_told_once(world, fickle, trouble):
    world.live(25 * MINUTE)
    assert [10, 20] == slots(world)
    fickle.trouble = trouble
    world.live(HOUR)
    assert (8, [10, 20]) == (len(world.runs("sound")), slots(world))
    assert 1 == len(events(world, "job.broken"))
    (told,) = world.log.texts("ERROR")
    assert told.startswith("it is not planned any more, because its schedule cannot be read: schedule 'fickle': ")
    world.boot()
    world.live(HOUR)
    assert 1 == len(events(world, "job.broken"))
    assert [told] == world.log.texts("ERROR")


def test_everybody_who_asks_is_told_what_is_broken(world, fickle):
    fickle.trouble = "raises"
    world.live(11 * MINUTE)
    questions = Questions(world.store, world.clock)
    reason = "schedule 'fickle': its next_after raised LookupError: the sun is gone"
    assert {"fickle": reason, "sound": ""} == {line.stored.name: line.broken for line in questions.jobs()}
    assert {"sound"} == {slot.job for slot in questions.coming(None, world.clock.now(), 5)}
    finding = _schedules(world.store)
    assert ("fail", f"1 job is not planned: fickle: {reason}") == (finding.verdict, finding.text)
    told = Why(world.store, world.clock, str, lambda: 1).job(world.store.jobs.get("fickle"))
    assert f"It is not planned, because its schedule cannot be read: {reason}." == told.sentences[0]


def test_a_schedule_that_is_mended_is_planned_again_and_what_has_passed_is_caught_up(world, fickle):
    world.live(15 * MINUTE)
    fickle.trouble = "raises"
    world.live(30 * MINUTE)
    fickle.trouble = ""
    world.live(2 * MINUTE)
    assert [10, 20, 30, 40] == slots(world)
    assert 1 == len(events(world, "job.mended"))
    assert "" == Questions(world.store, world.clock).job("fickle").broken
    assert "ok" == _schedules(world.store).verdict
    world.live(10 * MINUTE)
    assert [10, 20, 30, 40, 50] == slots(world)


def test_an_engine_that_starts_looks_whether_it_is_mended(world, fickle):
    fickle.trouble = "raises"
    world.live(11 * MINUTE)
    fickle.trouble = ""
    world.boot()
    world.live(1)
    assert [10] == slots(world)


def test_a_broken_job_can_be_paused_changed_and_removed(world, fickle):
    fickle.trouble = "raises"
    world.live(11 * MINUTE)
    assert world.verbs.pause("fickle")
    assert "" == Questions(world.store, world.clock).job("fickle").broken, "a paused job is not planned in any case"
    with pytest.raises(BadSchedule, match="the sun is gone"):
        world.verbs.resume("fickle")
    world.verbs.change("fickle", Job("fickle", Shell("true"), (ScheduleSpec("every", "1h"),)))
    world.verbs.resume("fickle")
    fickle.trouble = ""
    world.live(2 * HOUR)
    assert 2 == len(world.runs("fickle"))
    world.verbs.remove("fickle")


def test_a_schedule_that_is_broken_from_the_start_makes_no_job(world, fickle):
    fickle.trouble = "raises"
    with pytest.raises(BadSchedule, match="the sun is gone"):
        world.verbs.add(Job("other", Shell("true"), (ScheduleSpec("custom", "fickle"),)))
    assert world.store.jobs.find("other") is None

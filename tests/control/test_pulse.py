"""An engine that holds the lock and does nothing is not taken for one that works."""

from __future__ import annotations

from datetime import timedelta

from rota.control.pulse import Served, silence, silence_text
from rota.control.why import Why
from rota.model.policy import Overlap, Retries
from rota.model.run import State

from .worlds import HOUR, MINUTE, NOW, SECOND, World


class LivelyClock:
    """While somebody sleeps, an engine plans."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self):
        return self._world.clock.now()

    def sleep(self, seconds: float) -> None:
        self._world.clock.sleep(seconds)
        self._world.plan()


def silent(world: World) -> timedelta | None:
    return silence(world.store, world.clock)


def test_what_is_due_and_stays_due_is_silence(world):
    world.add("hourly", ("cron", "30 * * * *"))
    world.clock.at = NOW + 30 * MINUTE + 4 * SECOND
    assert silent(world) is None
    world.clock.at = NOW + 31 * MINUTE
    assert 61 * SECOND == silent(world)


def test_an_engine_that_gets_on_with_it_is_not_silent(world):
    world.add("hourly", ("cron", "30 * * * *"))
    world.clock.at = NOW + HOUR
    assert silence(world.store, LivelyClock(world)) is None


def test_a_run_that_could_start_and_does_not_is_silence(world):
    world.add()
    world.verbs.trigger("backup")
    assert silent(world) is None
    world.clock.at = NOW + MINUTE
    assert 61 * SECOND == silent(world)


def test_a_run_that_waits_for_another_or_for_its_pool_is_not_silence(world):
    world.add("one", overlap=Overlap.QUEUE, retries=Retries(1))
    run = world.verbs.trigger("one")
    world.verbs.trigger("one")
    assert run == world.claim()
    world.clock.at = NOW + MINUTE
    assert silent(world) is None, "one runs"
    world.end(run, State.FAILED, 1, "exit code 1", again=True)
    assert silent(world) is None, "one waits to be tried again, and the other is held behind it"


def test_nothing_to_do_is_not_silence(world):
    assert silent(world) is None


def test_it_is_told_wherever_somebody_asks(world):
    world.add("hourly", ("cron", "30 * * * *"))
    world.add("backup")
    world.verbs.trigger("backup")
    world.clock.at = NOW + 31 * MINUTE
    why = Why(world.store, world.clock, str, lambda: 42)
    said = silence_text(Served(42), 62 * SECOND)
    assert "the engine (pid 42) has not done for 1m 2s what is due" in said
    for name in ("hourly", "backup"):
        assert "the engine (pid 42) has not done for" in " ".join(why.job(world.store.jobs.get(name)).sentences)

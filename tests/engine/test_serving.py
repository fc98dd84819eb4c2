"""Stopping: what signals do to an engine, and what becomes of what runs."""

from __future__ import annotations

import signal
from datetime import timedelta

import pytest

from rota.engine.serving import Server
from rota.engine.settings import EngineSettings, OnStop
from rota.errors import HomeGone
from rota.model.run import State

from .machine import Act

SECOND = timedelta(seconds=1)
ENDLESS = Act(seconds=None)


def serve(world, signals, most=600.0, ground=lambda: "", **settings):
    """Serve until it stops; the signals come at these seconds."""
    settings = EngineSettings(capacity=4, **settings)
    server = Server(world.engine, world.clock, world.log, settings, None, hear_children=False, ground=ground)
    start, coming = world.clock.monotonic(), sorted(signals)

    def wait(seconds):
        now = world.clock.monotonic()
        assert now - start < most, "it does not stop"
        ends = world.launcher.next_end()
        wakes = [now + seconds, *([] if ends is None else [ends]), *[start + at for at, _ in coming[:1]]]
        world.clock.pass_(max(min(wakes) - now, 1e-6))
        while coming and start + coming[0][0] <= world.clock.monotonic():
            signal.raise_signal(coming.pop(0)[1])

    world.launcher.wait = wait
    try:
        server.run(lambda: None)
    finally:
        server.close()
    return round(world.clock.monotonic() - start, 2)


@pytest.fixture
def running(world):
    """A job that runs for ever, and one that runs for five seconds."""
    world.add("endless", act=ENDLESS)
    world.add("short", act=Act(seconds=8))
    for name in ("endless", "short"):
        world.verbs.trigger(name)
    return world


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_engine_stops_at_once_and_in_order(world, number):
    assert 3.0 == serve(world, [(3.0, number)])
    assert "stopped; nothing is left running" in world.log.texts("INFO")
    assert "engine.stopped" == world.store.ledger.events(0, 1000)[-1].kind


def test_running_jobs_have_a_grace_and_are_then_left_running_by_name(running):
    assert 15.0 == serve(running, [(5.0, signal.SIGTERM)], stop_grace=10 * SECOND)
    assert ([State.RUNNING], [State.SUCCEEDED]) == (running.states("endless"), running.states("short"))
    run = running.run("endless")
    assert f"stopped; left running, to be adopted by the next engine: endless ({run.id})" in running.log.texts()
    assert "stopping: giving 2 running attempts 10s; a second signal ends them" in running.log.texts()
    assert [] == running.launcher.signals


def test_a_second_signal_ends_what_runs(running):
    stopped = serve(running, [(2.0, signal.SIGINT), (3.0, signal.SIGINT)])
    assert stopped < 4.0
    assert [State.CANCELLED] * 2 == running.states("endless") + running.states("short")
    assert "the engine was stopped" == running.run("endless").reason


def test_an_engine_that_waits_stops_when_the_last_attempt_has_ended(world):
    world.add("short", act=Act(seconds=60))
    world.verbs.trigger("short")
    assert 60.0 == serve(world, [(5.0, signal.SIGTERM)], on_stop=OnStop.WAIT)
    assert [State.SUCCEEDED] == world.states("short")


def test_an_engine_that_kills_leaves_nothing(running):
    assert serve(running, [(5.0, signal.SIGTERM)], on_stop=OnStop.KILL) < 6.0
    assert [State.CANCELLED] * 2 == running.states("endless") + running.states("short")


def test_nothing_new_is_started_once_it_stops(running):
    running.add("timed", "1s")
    serve(running, [(5.5, signal.SIGTERM)], stop_grace=10 * SECOND)
    assert 5 == len(running.runs("timed"))


def test_a_hangup_stops_nobody(world):
    assert 4.0 == serve(world, [(1.0, signal.SIGHUP), (4.0, signal.SIGTERM)])


def test_signals_are_as_they_were_afterwards(world):
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
    before = [signal.getsignal(number) for number in numbers]
    serve(world, [(1.0, signal.SIGTERM)])
    assert before == [signal.getsignal(number) for number in numbers]


def test_a_stop_is_heard_while_the_engine_begins(world):
    server = Server(world.engine, world.clock, world.log, EngineSettings(), None, hear_children=False)
    world.launcher.wait = world.clock.pass_
    server.run(lambda: signal.raise_signal(signal.SIGTERM))
    server.close()
    assert "stopped; nothing is left running" in world.log.texts("INFO")


def test_an_engine_whose_home_is_taken_away_stops_within_a_second_and_leaves_its_jobs(running):
    start = running.clock.monotonic()
    with pytest.raises(HomeGone, match="the store is gone"):
        serve(running, [], ground=lambda: "the store is gone" if running.clock.monotonic() > start + 5 else "")
    assert running.clock.monotonic() - start <= 6.5
    assert ["the store is gone"] == running.log.texts("ERROR")
    assert [] == running.launcher.signals
    assert "engine.stopped" not in [event.kind for event in running.store.ledger.events(0, 1000)]


def test_a_hangup_opens_the_log_again(world):
    world.live(1)
    before = world.log.reopened
    serve(world, [(1.0, signal.SIGHUP), (2.0, signal.SIGTERM)])
    assert before + 1 == world.log.reopened

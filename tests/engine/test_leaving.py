"""Hosts that stop, part with runs, or turn out to be two: what they leave to others, on a machine on paper."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.engine.copies import disown
from rota.engine.flights import Ending
from rota.engine.twins import refuse_twin
from rota.errors import Conflict, HomeGone
from rota.model.policy import Policy, Retries
from rota.model.run import State
from rota.model.settlement import RunFilter

from .fleets import AGAIN, FOREVER
from .machine import Act, FakeClock, ListLog

_STUBBORN = [Act(seconds=None, heeds_term=False)]


def test_a_planner_that_waits_for_its_runs_before_it_stops_lets_another_plan(fleet):
    one = fleet.host("one")
    fleet.script["long"] = FOREVER
    fleet.add("long")
    fleet.add("tick", every="10s")
    fleet.verbs.trigger("long")
    fleet.live(5)
    two = fleet.host("two")
    fleet.live(2)
    assert one.member.leads
    one.engine.planning = False  # as SIGTERM does with --on-stop wait
    fleet.live(5)
    assert (False, True, 1) == (one.member.leads, two.member.leads, fleet.running(one))
    fleet.live(60)
    assert 5 <= sum(run.host == "two" for run in fleet.store.runs.page(RunFilter(), None, 100))


def test_a_run_that_is_cancelled_while_it_is_handed_over_is_cancelled(fleet):
    one = fleet.host("one")
    fleet.live(2)
    fleet.script["long"] = _STUBBORN
    fleet.add("long", policy=AGAIN)
    run = fleet.verbs.trigger("long")
    fleet.live(2)
    fleet.host("two")
    fleet.live(2)
    fleet.store.hosts.set_drained("one", True, True)
    fleet.poke()
    fleet.live(2)
    assert Ending.HAND_OVER is one.engine.flights[run].ending
    fleet.verbs.cancel(run, "no longer wanted")
    fleet.live(30)
    assert (State.CANCELLED, 1, "no longer wanted") == (
        fleet.run(run).state,
        fleet.run(run).attempt,
        fleet.run(run).reason,
    )


def test_whoever_plans_again_does_not_go_by_a_clock_that_it_saw_long_ago(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.live(2)
    assert one.member.leads
    one.awake = False
    fleet.live(15)
    fleet.clock.jump(-timedelta(minutes=20))  # the database's clock, while the other one plans
    fleet.live(30)
    fleet.script["fails"] = [Act(code=1)]
    fleet.add("fails", policy=Policy(retries=Retries(count=1, delay=timedelta(minutes=5), jitter=0.0)))
    run = fleet.verbs.trigger("fails")
    fleet.live(10)
    assert State.WAITING is fleet.run(run).state
    two.awake, one.awake = False, True
    fleet.live(20)
    assert one.member.leads
    assert State.WAITING is fleet.run(run).state, "the pause is as long as it was"


def test_a_database_whose_clock_goes_back_while_its_planner_dies_has_another_soon(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.live(5)
    assert one.member.leads
    one.awake = False
    fleet.clock.jump(-timedelta(minutes=2))
    fleet.live(5)
    assert two.member.leads


def test_of_two_engines_that_are_one_host_the_earlier_stops(fleet):
    one = fleet.host("one")
    fleet.live(2)
    one.awake = False
    fleet.host("one")
    fleet.live(2)
    fleet.clock.pass_(15)
    with pytest.raises(HomeGone, match="an engine on another machine is host one now"):
        one.engine.turn()


class _Elsewhere(FakeClock):
    """While this host waits, another one of its id may say that it lives."""

    def __init__(self, fleet, lives):
        super().__init__()
        self._fleet, self._lives = fleet, lives

    def sleep(self, seconds):
        self._fleet.clock.pass_(seconds)
        if self._lives:
            self._fleet.store.hosts.beat("one", timedelta(seconds=30))


def test_a_home_whose_id_is_at_work_on_another_machine_is_not_served(fleet):
    fleet.host("one")
    fleet.live(2)
    refuse_twin(
        fleet.store, "one", "boot", _Elsewhere(fleet, True), ListLog()
    )  # this machine: the home's lock has decided
    with pytest.raises(Conflict, match="host one is at work on another machine"):
        refuse_twin(fleet.store, "one", "another boot", _Elsewhere(fleet, True), ListLog())


def test_a_machine_that_has_started_again_is_told_from_another_one(fleet):
    fleet.host("one")
    fleet.live(2)
    before = fleet.clock.monotonic()
    refuse_twin(fleet.store, "one", "another boot", _Elsewhere(fleet, False), ListLog())
    assert 10 <= fleet.clock.monotonic() - before <= 13


def test_what_the_original_of_a_copied_home_has_running_goes_on_where_hosts_share_a_store(fleet):
    one = fleet.host("one")
    fleet.script["long"] = FOREVER
    fleet.add("long")
    run = fleet.verbs.trigger("long")
    fleet.live(2)
    disown(fleet.store, "one", "/the/original", fleet.clock.now(), one.log)
    fleet.live(20)
    assert (State.RUNNING, []) == (fleet.run(run).state, one.launcher.signals)

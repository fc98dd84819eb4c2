"""Hosts on one store, on a machine on paper: leases, who plans, and what becomes of a host that was silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.errors import StoreTooNew, StoreUnavailable
from rota.model.action import Shell
from rota.model.host import ANYWHERE, RunsOn
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import State
from rota.model.settlement import RunFilter

from .fleets import AGAIN, FOREVER, LEASE
from .machine import Act


def test_a_host_that_lives_keeps_its_run_for_longer_than_a_lease(fleet):
    fleet.host("one"), fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", policy=AGAIN)
    run = fleet.verbs.trigger("long")
    fleet.live(200)
    assert (State.RUNNING, 1) == (fleet.run(run).state, fleet.run(run).attempt)


def test_a_silent_hosts_run_is_given_away_after_its_lease_and_not_before(fleet):
    one, two = fleet.host("one", first="yes"), fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", policy=AGAIN)
    run = fleet.verbs.trigger("long")
    fleet.live(5)
    silent, other = (one, two) if fleet.running(one) else (two, one)
    silent.awake = False
    fleet.live(15)
    assert fleet.running(silent)
    fleet.live(30)
    assert (State.RUNNING, 2, other.name) == (fleet.run(run).state, fleet.run(run).attempt, fleet.run(run).host)
    (lost,) = fleet.store.runs.attempts(run)
    assert State.LOST is lost.state


def test_a_run_without_another_attempt_is_lost_with_the_reason(fleet):
    one = fleet.host("one", only="yes")
    fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", runs_on=RunsOn(labels={"only": "yes"}))
    run = fleet.verbs.trigger("long")
    fleet.live(5)
    one.awake = False
    fleet.live(60)
    assert State.LOST is fleet.run(run).state
    assert "its host one has not been heard of for the time of a lease" in fleet.run(run).reason


def test_a_host_that_wakes_up_ends_what_went_elsewhere_and_its_result_is_dropped(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", policy=AGAIN)
    run = fleet.verbs.trigger("long")
    fleet.live(5)
    silent = one if fleet.running(one) else two
    silent.awake = False
    fleet.live(60)
    before = fleet.run(run)
    silent.awake = True
    fleet.live(5)
    assert ["TERM"] == [name for _, name in silent.launcher.signals]
    assert any("its result is dropped" in text for text in silent.log.texts("WARNING"))
    assert before == fleet.run(run)
    assert {} == silent.engine.flights


def test_a_host_does_not_claim_a_run_whose_earlier_attempt_still_lives_on_it(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    two.awake = False
    fleet.script["stubborn"] = [Act(seconds=None, heeds_term=False)]
    fleet.add("stubborn", policy=Policy(retries=AGAIN.retries, kill_after=timedelta(seconds=20)))
    run = fleet.verbs.trigger("stubborn")
    fleet.live(5)
    one.awake, two.awake = False, True
    fleet.verbs.pause("stubborn")
    fleet.live(1)
    fleet.store.hosts.set_drained("two", True, False)  # it plans, and takes nothing
    fleet.live(60)
    assert State.QUEUED is fleet.run(run).state
    one.awake = True
    fleet.live(10)
    assert State.QUEUED is fleet.run(run).state, "its old process has its grace"
    fleet.live(30)
    assert (State.RUNNING, 2, "one") == (fleet.run(run).state, fleet.run(run).attempt, fleet.run(run).host)


def test_one_host_plans_and_another_takes_over_within_a_few_seconds(fleet):
    fleet.host("one"), fleet.host("two"), fleet.host("three")
    fleet.add("tick", every="10s")
    fleet.live(5)
    (first,) = fleet.planners()
    planner = next(host for host in fleet.hosts if host.name == first)
    planner.awake = planner.member.leads = False
    fleet.live(5)
    assert 1 == len(fleet.planners())
    assert first not in fleet.planners()
    fleet.live(60)
    slots = [run.slot for run in fleet.store.runs.page(RunFilter(), None, 100) if run.host != first]
    assert len(slots) == len(set(slots)) >= 6


def test_a_planner_that_stops_in_order_hands_over_at_once(fleet):
    fleet.host("one")
    fleet.live(2)
    two = fleet.host("two")
    fleet.live(2)
    fleet.hosts[0].awake = False
    fleet.hosts[0].engine.stopped()
    fleet.live(2)
    assert two.member.leads


def test_nothing_expires_after_an_outage_until_hosts_had_time_to_renew(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", policy=AGAIN)
    run = fleet.verbs.trigger("long")
    fleet.live(5)
    for host in (one, two):
        host.awake = False
    fleet.live(100)  # the database was away: nobody could say anything
    other = two if fleet.running(one) else one
    other.awake = True
    fleet.live(20)
    assert (State.RUNNING, 1) == (fleet.run(run).state, fleet.run(run).attempt)
    one.awake = two.awake = True
    fleet.live(60)
    assert (State.RUNNING, 1) == (fleet.run(run).state, fleet.run(run).attempt)


def test_a_claim_that_is_answered_too_late_is_given_back_and_not_started(fleet):
    one = fleet.host("one")
    fleet.add("late")
    fleet.live(5)
    run = fleet.verbs.trigger("late")

    def slow(_number: int) -> StoreUnavailable | None:
        if fleet.run(run).state is State.RUNNING and not one.launcher.starts:
            fleet.clock.pass_(26)
            fleet.store.fail = lambda _number: None
        return None

    fleet.store.fail = slow
    fleet.live(0.5)
    assert ([], State.RUNNING) == (one.launcher.starts, fleet.run(run).state)
    fleet.live(5)
    assert (State.SUCCEEDED, 1) == (fleet.run(run).state, fleet.run(run).attempt)
    assert 1 == len(one.launcher.starts)


def test_a_host_that_is_gone_is_told_of_once_by_the_one_that_plans(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.live(2)
    two.awake = False
    fleet.live(100)
    assert 1 == sum("host two has not been seen for 30 s" in line[1] for line in one.log.lines)
    assert ["two"] == [event.data["host"] for event in fleet.store.ledger.events(0, 1000) if event.kind == "host.gone"]
    two.awake = True
    fleet.live(100)
    one.awake = False
    fleet.live(100)
    assert ["two", "one"] == [e.data["host"] for e in fleet.store.ledger.events(0, 1000) if e.kind == "host.gone"]


def test_a_host_is_not_missed_because_nobody_could_say_anything_for_a_while(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.live(2)
    one.awake = two.awake = False
    fleet.live(100)
    one.awake = two.awake = True
    fleet.live(100)
    assert [] == [event for event in fleet.store.ledger.events(0, 1000) if event.kind == "host.gone"]


def test_a_limit_over_everything_that_one_host_names_holds_on_all(fleet):
    one, two = fleet.host("one"), fleet.host("two")
    fleet.live(2)
    one.engine.limit(4, 3)
    fleet.live(2)
    for number in range(8):
        fleet.script[f"long-{number}"] = FOREVER
        fleet.add(f"long-{number}")
        fleet.verbs.trigger(f"long-{number}")
    fleet.live(20)
    assert 3 == fleet.running(one) + fleet.running(two)
    one.engine.limit(2, None)
    fleet.live(2)
    fleet.poke()
    fleet.live(20)
    assert (2, 4) == (fleet.store.hosts.find("one").capacity, fleet.running(two))


def test_a_drained_host_goes_on_with_what_it_has_and_claims_nothing(fleet):
    one = fleet.host("one")
    fleet.live(2)
    fleet.store.hosts.set_drained("one", True, False)
    fleet.add("waits")
    run = fleet.verbs.trigger("waits")
    fleet.live(30)
    assert State.QUEUED is fleet.run(run).state
    fleet.store.hosts.set_drained("one", False, False)
    fleet.poke()
    fleet.live(5)
    assert State.SUCCEEDED is fleet.run(run).state
    assert 1 == len(one.launcher.starts)


def test_a_host_that_was_forgotten_is_known_again(fleet):
    fleet.host("one")
    fleet.live(2)
    fleet.store.hosts.forget_if_gone("one", -LEASE)
    fleet.live(15)
    assert ["one"] == [host.name for host in fleet.store.hosts.all()]


def test_a_start_of_a_machine_is_decided_by_its_own_host_for_the_jobs_that_it_may_run(fleet):
    boot = (ScheduleSpec("at", "boot"),)
    for name, runs_on in (("any", ANYWHERE), ("picky", RunsOn(labels={"gpu": "yes"})), ("all", RunsOn(all=True))):
        fleet.verbs.add(Job(name, Shell("true"), boot, runs_on=runs_on))
    fleet.host("one", gpu="yes")
    fleet.host("two").launcher.up_since -= timedelta(seconds=10)
    fleet.live(10)
    runs = fleet.store.runs.page(RunFilter(), None, 100)
    expected = [("all", "one"), ("all", "two"), ("any", "one"), ("any", "two"), ("picky", "one")]
    assert expected == sorted((run.job, run.host) for run in runs)
    assert {State.SUCCEEDED} == {run.state for run in runs}


def test_an_engine_under_which_the_store_becomes_too_new_stops_and_says_what_to_do(fleet):
    one = fleet.host("one")
    fleet.live(1)
    fleet.store._db._connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreTooNew):
        fleet.live(LEASE.total_seconds())
    assert "upgrade rota here, or use the newer one. This engine stops; running jobs go on" in one.log.texts("ERROR")[0]


def test_a_lost_run_that_only_a_newer_rota_understands_is_decided_on_when_one_does(fleet):
    one = fleet.host("one", only="yes")
    two = fleet.host("two")
    fleet.script["long"] = FOREVER
    fleet.add("long", policy=AGAIN, runs_on=RunsOn(labels={"only": "yes"}))
    run = fleet.verbs.trigger("long")
    fleet.live(5)
    one.awake = False
    execute, definition = fleet.store._db._connection.execute, fleet.run(run).definition_id
    body = execute("SELECT body FROM definition WHERE id = ?", [definition]).fetchone()[0]
    execute("UPDATE definition SET body = ? WHERE id = ?", [body.replace("{", '{"sandbox":true,', 1), definition])
    fleet.store.jobs._definitions.clear()
    fleet.live(90)
    assert State.RUNNING is fleet.run(run).state
    assert 1 == sum("left for a newer rota" in text for text in two.log.texts("WARNING"))
    execute("UPDATE definition SET body = ? WHERE id = ?", [body, definition])
    fleet.live(5)
    assert (State.QUEUED, 1) == (fleet.run(run).state, len(fleet.store.runs.attempts(run)))


def test_a_host_that_takes_over_plans_at_once_what_the_one_before_it_could_not_read(fleet):
    one = fleet.host("one")
    fleet.live(2)
    fleet.host("two")
    fleet.add("newer", every="10s")
    execute, definition = fleet.store._db._connection.execute, fleet.store.jobs.get("newer").definition_id
    body = execute("SELECT body FROM definition WHERE id = ?", [definition]).fetchone()[0]
    execute("UPDATE definition SET body = ? WHERE id = ?", [body.replace("{", '{"sandbox":true,', 1), definition])
    fleet.store.jobs._definitions.clear()
    fleet.live(15)
    assert [] == fleet.store.runs.page(RunFilter(), None, 100)
    execute("UPDATE definition SET body = ? WHERE id = ?", [body, definition])
    one.awake = False
    one.engine.stopped()
    fleet.live(3)
    assert "job.mended" in [event.kind for event in fleet.store.ledger.events(0, 1000)]

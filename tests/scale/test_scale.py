"""The simulated fleet: what it says can be told by hand where things are simple."""

from __future__ import annotations

import pytest
from bench.scale import Setting, simulate
from bench.scale_tables import MEASURED

QUIET = Setting(hosts=3, rate=5.0, round_trip=0.0, capacity=64)


def test_the_same_seed_says_the_same():
    assert simulate(MEASURED, QUIET) == simulate(MEASURED, QUIET)


def test_a_run_starts_no_sooner_than_its_moves_take():
    least = MEASURED.turn.wall + MEASURED.plan.wall + MEASURED.claim.wall + MEASURED.commit + MEASURED.launch
    found = simulate(MEASURED, QUIET)
    assert least < found.p50 < 4 * least
    assert found.keeps_up


def test_an_idle_fleet_takes_of_the_server_what_its_looks_cost():
    hosts = 50
    found = simulate(MEASURED, Setting(hosts=hosts, cores=4, seconds=20.0))
    tick = MEASURED.look.server + MEASURED.lead.server + MEASURED.beat.server / 10 + MEASURED.turn.server
    assert hosts * tick / 4 == pytest.approx(found.server, rel=0.1)


def test_a_backlog_goes_no_faster_than_the_server_and_no_slower_than_one_host_after_the_other():
    setting = Setting(hosts=3, backlog=1000, lasts=0.0, cores=2, writes=False, round_trip=0.0, one_machine=True)
    found = simulate(MEASURED, setting)
    run = MEASURED.claim.plus(MEASURED.settle)
    assert 1 / (run.wall + MEASURED.turn.wall + MEASURED.plan_turn.wall + MEASURED.launch) < found.ended
    assert found.ended < 2 / (run.wall + MEASURED.launch)


def test_more_runs_than_there_are_places_for_do_not_keep_up():
    full = Setting(hosts=2, rate=40.0, capacity=4, lasts=1.0)
    assert not simulate(MEASURED, full).keeps_up
    assert simulate(MEASURED, Setting(hosts=2, rate=40.0, capacity=64, lasts=1.0)).keeps_up


def test_where_one_planner_is_full_several_carry_more():
    one = Setting(hosts=8, rate=1200.0, capacity=1000, cores=32, seconds=4.0)
    several = Setting(hosts=8, rate=1200.0, capacity=1000, cores=32, seconds=4.0, planners=8)
    assert simulate(MEASURED, one).p99 > 4 * simulate(MEASURED, several).p99


def test_waking_all_hosts_for_each_slot_is_what_many_hosts_cost():
    all_of_them = simulate(MEASURED, Setting(hosts=60, rate=50.0))
    one = simulate(MEASURED, Setting(hosts=60, rate=50.0, wakes_all=False))
    assert all_of_them.server > 1.5 * one.server


def test_one_lock_for_claims_is_what_many_hosts_with_many_runs_wait_for():
    many = Setting(hosts=60, rate=500.0, capacity=64, cores=64, planners=8, seconds=4.0)
    free = Setting(hosts=60, rate=500.0, capacity=64, cores=64, planners=8, seconds=4.0, one_lock=False)
    assert simulate(MEASURED, many).lock > 0.9
    assert simulate(MEASURED, many).p99 > 2 * simulate(MEASURED, free).p99

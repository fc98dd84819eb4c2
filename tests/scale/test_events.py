"""Simulated time does what queues do in theory."""

from __future__ import annotations

import random

import pytest
from bench.events import Bell, Places, Simulation


def test_processes_wait_for_their_seconds_and_go_on_in_order():
    simulation, seen = Simulation(), []

    def walk(name, pause):
        for _ in range(2):
            yield pause
            seen.append((name, simulation.now))

    simulation.begin(walk("slow", 2.0))
    simulation.begin(walk("fast", 1.5))
    simulation.run(10.0)

    assert [("fast", 1.5), ("slow", 2.0), ("fast", 3.0), ("slow", 4.0)] == seen
    assert 10.0 == simulation.now


def test_who_finds_no_place_waits_in_line_and_taken_places_are_counted():
    simulation, left = Simulation(), []
    places = Places(simulation, 2)

    def visit(name):
        yield places
        yield 1.0
        places.leave()
        left.append((name, simulation.now))

    for name in "abc":
        simulation.begin(visit(name))
    simulation.run(4.0)

    assert [("a", 1.0), ("b", 1.0), ("c", 2.0)] == left
    assert 3 / 8 == places.used()


def test_a_bell_that_rang_before_is_heard():
    simulation, heard = Simulation(), []
    bell = Bell()

    def listen():
        while True:
            yield bell
            heard.append(simulation.now)

    bell.ring()
    bell.ring()
    simulation.begin(listen())
    simulation.at(3.0, bell.ring)
    simulation.run(5.0)

    assert [0.0, 3.0] == heard


def test_nothing_happens_after_the_end():
    simulation, seen = Simulation(), []
    simulation.at(1.0, simulation.stop)
    simulation.at(2.0, lambda: seen.append("late"))
    simulation.run(5.0)
    assert ([], 1.0) == (seen, simulation.now)


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_one_place_with_random_visits_is_as_full_and_as_slow_as_theory_says(load):
    simulation, chance, took = Simulation(), random.Random(7), []
    place = Places(simulation, 1)

    def visit():
        begin = simulation.now
        yield place
        yield chance.expovariate(1.0)
        place.leave()
        took.append(simulation.now - begin)

    def arrive():
        while True:
            yield chance.expovariate(load)
            simulation.begin(visit())

    simulation.begin(arrive())
    simulation.run(100_000.0)

    assert load == pytest.approx(place.used(), rel=0.03)
    assert 1 / (1 - load) == pytest.approx(sum(took) / len(took), rel=0.06)

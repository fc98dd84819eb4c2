"""Many jobs due at once."""

from __future__ import annotations

from datetime import timedelta

from rota.model.job import ScheduleSpec
from rota.model.policy import PRIORITIES, Policy
from rota.model.run import State

from .harness import Home, every, wait_for

MINUTE = timedelta(minutes=1)


def test_two_thousand_jobs_due_in_one_second_with_room_for_eight_all_run_in_the_order_of_priority(home: Home):
    numbers = list(PRIORITIES.values())
    slot = (home.client.clock.now() + MINUTE).replace(microsecond=0)
    at = ScheduleSpec("at", slot.isoformat())
    with home.store.transaction():
        for number in range(2000):
            home.add(f"job{number:04}", ["true"], at, policy=Policy(priority=numbers[number % 4]))
    home.start_engine(capacity=8)
    home.move_clock(MINUTE)

    def ended() -> int:
        return sum(counts["succeeded"][0] for counts in home.store.ledger.totals(None, 0).values())

    wait_for(lambda: ended() == 2000, "all have run", 60, 0.2)
    runs = [run for number in range(2000) for run in home.runs(f"job{number:04}") if run.slot]

    assert len(runs) == 2000
    assert {(run.state, run.slot) for run in runs} == {(State.SUCCEEDED, slot)}
    priority = {f"job{number:04}": numbers[number % 4] for number in range(2000)}
    started = [priority[run.job] for run in sorted(runs, key=lambda run: run.started_at)]
    assert started == sorted(started)


def test_the_room_is_never_exceeded(home: Home):
    home.add("crowd", "echo + >> crowd; sleep 0.1; echo - >> crowd", policy=Policy(max_instances=100))
    runs = [home.trigger("crowd") for _ in range(40)]
    home.start_engine(capacity=5)
    for run in runs:
        home.wait_for_end(run)
    inside = most = 0
    for sign in home.marks("crowd"):
        inside += 1 if sign == "+" else -1
        most = max(most, inside)
    assert most == 5


def test_an_engine_with_few_descriptors_takes_fewer_at_once_and_is_not_worn_out_by_daemons(home: Home):
    engine = home.start_engine(prefix=("sh", "-c", 'ulimit -n 90; exec "$@"', "sh"), capacity=100)
    home.add("leaves a daemon", "sleep 20 & exit 3", policy=Policy(max_instances=1000))
    runs = [home.trigger("leaves a daemon") for _ in range(120)]

    assert {home.wait_for_end(run).exit_code for run in runs} == {3}
    assert "capacity 100 is more than the limit of open files allows" in home.log
    assert engine.process.poll() is None


def test_a_killed_engine_does_not_make_room_for_more(home: Home):
    home.add("crowd", "echo + >> crowd; sleep 1; echo - >> crowd", policy=Policy(max_instances=100))
    runs = [home.trigger("crowd") for _ in range(6)]
    first = home.start_engine(capacity=3)
    wait_for(lambda: len(home.marks("crowd")) == 3, "three run")
    first.kill()
    home.start_engine(capacity=3)
    for run in runs:
        assert home.wait_for_end(run).exit_code == 0
    inside = most = 0
    for sign in home.marks("crowd"):
        inside += 1 if sign == "+" else -1
        most = max(most, inside)
    assert most == 3


def test_an_idle_home_with_one_frequent_job_keeps_its_memory(home: Home):
    home.add("often", ["true"], every("0.02s"), policy=Policy())
    engine = home.start_engine()
    wait_for(lambda: len(home.runs("often")) > 30, "it has run some times")
    before = engine.resident
    wait_for(lambda: len(home.runs("often")) > 80, "it has run many times")
    assert engine.resident - before < 2 << 20

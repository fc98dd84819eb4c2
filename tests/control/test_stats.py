"""Figures, and the sentences that they lead to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rota.control.figures import Statistics
from rota.control.stats import figures, percentile
from rota.model.policy import Policy, Retries
from rota.model.run import State
from rota.model.settlement import JobSample
from rota.plan.boot import plan_boot

from .worlds import NOW, SECOND, World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def samples(*states: str, busy: float = 1.0, late: float | None = 0.01, attempts: int = 1) -> list[JobSample]:
    return [JobSample(State(state), busy, late, attempts, NOW) for state in states]


def advice(
    taken: list[JobSample],
    totals: dict[str, tuple[int, int, float]] | None = None,
    interval: timedelta | None = None,
    **policy: Any,
) -> str:
    counted: dict[str, tuple[int, int, float]] = {}
    for sample in taken:
        runs, tries, busy = counted.get(sample.state.value, (0, 0, 0.0))
        counted[sample.state.value] = (runs + 1, tries + sample.attempts, busy + sample.busy)
    return " ".join(figures("backup", totals or counted, taken, Policy(**policy), interval).advice)


def test_counts_come_from_the_totals_and_durations_from_the_samples():
    totals = {"succeeded": (90, 95, 900.0), "failed": (10, 20, 50.0), "skipped": (7, 0, 0.0)}
    taken = [JobSample(State.SUCCEEDED, float(n), 0.001 * n, 1, NOW) for n in range(1, 101)]
    found = figures("backup", totals, taken, Policy(), None)
    assert (100, 90, 10, 7, 15, 0.9) == (
        found.runs,
        found.succeeded,
        found.failed,
        found.skipped,
        found.retries,
        found.success_rate,
    )
    assert (50.5, 50.5, 95.0) == (found.average, found.median, found.p95)
    assert (0.05, 0.099) == (found.late_p50, found.late_p99)


def test_a_job_without_runs_has_no_figures_and_no_advice():
    found = figures("backup", {}, [], Policy(), MINUTE)
    assert (0, None, None, None, ()) == (found.runs, found.success_rate, found.median, found.late_p99, found.advice)


def test_a_retried_run_says_nothing_about_lateness():
    assert figures("backup", {}, samples("succeeded", late=90.0, attempts=2), Policy(), None).late_p99 is None


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (0.99, 10), (0.1, 1)])
def test_a_percentile_is_a_value_that_was_there(share, value):
    assert value == percentile(list(range(1, 11)), share)


def test_a_healthy_job_gets_no_advice():
    assert "" == advice(samples(*["succeeded"] * 20), interval=MINUTE, timeout=MINUTE)


def test_a_job_that_never_succeeded_is_named():
    assert "never succeeded in 5 runs" in advice(samples(*["failed"] * 5))


def test_a_job_that_broke_lately_is_named():
    assert "Its last 3 runs all went wrong" in advice(samples("failed", "lost", "timed_out", *["succeeded"] * 30))


def test_a_timeout_that_is_always_hit_is_to_be_raised():
    found = advice(samples("succeeded", *["timed_out"] * 6, busy=60.0), timeout=MINUTE)
    assert "6 of its last 7 runs hit the timeout of 1m" in found


def test_successes_close_to_the_timeout_are_a_warning():
    taken = [*samples("succeeded", busy=57.0), *samples("timed_out", busy=60.0), *samples("succeeded")]
    assert "up to 57s, close to the timeout of 1m" in advice(taken, timeout=MINUTE)


def test_a_job_that_takes_longer_than_its_interval_will_skip():
    found = advice(samples(*["succeeded"] * 10, busy=70.0), interval=MINUTE)
    assert "usually takes 1m 10s (p95 1m 10s) and is due every 1m, so slots are skipped" in found


def test_a_job_that_almost_fills_its_interval_is_warned():
    assert "a little slower" in advice(samples(*["succeeded"] * 10, busy=56.0), interval=MINUTE)


def test_a_job_that_succeeds_only_when_tried_again_depends_on_something_unreliable():
    taken = [*samples(*["succeeded"] * 4, attempts=2), *samples(*["succeeded"] * 8)]
    assert "4 of its last 12 runs failed first" in advice(taken, retries=Retries(count=2))


def test_failures_among_successes_suggest_retries():
    taken = samples("succeeded", *["failed", "succeeded"] * 5)
    assert "--retries may help" in advice(taken)
    assert "--retries may help" not in advice(taken, retries=Retries(count=1))


def test_many_skips_point_to_their_reasons():
    totals = {"succeeded": (10, 10, 1.0), "skipped": (10, 0, 0.0)}
    assert "10 of 20 slots were skipped" in advice(samples("succeeded"), totals)


def test_late_starts_point_to_the_capacity():
    assert "more than 30s late" in advice(samples(*["succeeded"] * 5, late=30.0))


def test_the_store_gives_the_figures(world: World):
    world.add("backup", ("cron", "*/5 * * * *"))
    for state, code in ((State.SUCCEEDED, 0), (State.FAILED, 1)):
        world.verbs.trigger("backup")
        run = world.claim()
        world.clock.at += 4 * SECOND
        world.end(run, state, code)
    found = Statistics(world.store, world.clock).of("backup")
    assert (2, 1, 1, 0.5, 4.0) == (found.runs, found.succeeded, found.failed, found.success_rate, found.median)
    assert [found] == Statistics(world.store, world.clock).of_all()


def test_how_long_the_machine_takes_to_come_up_is_no_lateness(world):
    world.add("backup", ("at", "boot"))
    for number in range(6):
        started, world.clock.at = NOW + number * HOUR, NOW + number * HOUR + MINUTE
        plan = plan_boot(world.store.jobs.get("backup"), started, world.clock.at, [])
        with world.store.transaction():
            world.store.record_plan_if_unmoved(world.store.jobs.get("backup"), plan, world.clock.at, world.new_id)
        world.end(world.claim())
    found = Statistics(world.store, world.clock).of("backup")
    assert (6, None, ()) == (found.succeeded, found.late_p99, found.advice)

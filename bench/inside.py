"""A scheduler inside a program, in memory: commands beside a bare loop, commands and functions beside a peer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from bench import floor, peers, subject
from bench.measures import Row
from rota import Scheduler

RUNS, CONCURRENCY, ROUNDS = 2000, 16, 3
TRUE = ["/bin/true"]


def nothing() -> None:
    """What a function costs that does nothing."""


def rate_inside(what: Callable[[], None] | Sequence[str]) -> float:
    """Runs per second from the request for all of them to the last end, each with its record."""
    with Scheduler(capacity=CONCURRENCY) as scheduler:
        household = scheduler._household  # noqa: SLF001 -- all requests at once, as slots are that are due together
        scheduler.add(what, "work", overlap="allow")
        begin = time.perf_counter()
        with household.lock:
            subject.queue(household.store, scheduler.get("work").stored, RUNS, household.clock.now())
        household.wake()
        with household.background.turned:
            while scheduler.history("work", 1, "active"):
                household.background.turned.wait()
        seconds = time.perf_counter() - begin
        assert len(scheduler.history("work", RUNS, "succeeded")) == RUNS
    return RUNS / seconds


def commands_inside() -> list[Row]:
    """Commands: pairs in turn, medians."""
    pairs = [(rate_inside(TRUE), floor.bare_runs_per_second(RUNS, CONCURRENCY)) for _ in range(ROUNDS)]
    ratio = statistics.median(rate / bare for rate, bare in pairs)
    rate = statistics.median(rate for rate, _ in pairs)
    row = Row(
        f"in memory: commands per second, recorded ({RUNS} × true, {CONCURRENCY} at once)",
        f"{rate:.0f}",
        f"{statistics.median(bare for _, bare in pairs):.0f} (posix_spawn, wait)",
        f"{ratio:.2f}",
        "≥ 0.85",
        ratio >= 0.85,
    )
    return [row, _peer("the same by APScheduler 3", rate, peers.apscheduler_commands)]


def functions_inside() -> list[Row]:
    """Functions that do nothing."""
    rate = statistics.median(rate_inside(nothing) for _ in range(ROUNDS))
    row = Row(
        f"in memory: functions per second, recorded ({RUNS}, {CONCURRENCY} at once)", f"{rate:.0f}", "", "", "", None
    )
    return [row, _peer("the same by APScheduler 3", rate, peers.apscheduler_functions)]


def _peer(name: str, rate: float, measure: Callable[[int, int], float]) -> Row:
    rates = [peers.or_none(measure, RUNS, CONCURRENCY) for _ in range(ROUNDS)]
    found = [each for each in rates if each is not None]
    if not found:
        return Row(name, "not installed", "", "", "rota is ahead", None)
    median = statistics.median(found)
    return Row(name, f"{median:.0f}", "", f"{rate / median:.2f}", "rota is ahead", rate > median)


ALL = (commands_inside, functions_inside)

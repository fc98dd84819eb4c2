"""What is measured: one function a row of docs/performance.md, each with its floor in the same run."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec

from bench import floor, peers, subject, web
from rota.ids import RunIds
from rota.model.policy import Overlap, Policy
from rota.model.settlement import RunFilter
from rota.wiring.client import Client
from rota.wiring.homes import store_path

RUNS, CONCURRENCY, ROUNDS = 2000, 16, 3
_JOBS = 10_000


class Row(msgspec.Struct):
    """One line of the table; `met` is None where there is nothing to meet."""

    measure: str
    rota: str
    floor: str
    ratio: str
    aim: str
    met: bool | None


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def throughput() -> list[Row]:
    """Runs per second, every one recorded, and the engine's own CPU for each; pairs in turn, medians."""
    rates, floors, cpus = [], [], []
    for _ in range(ROUNDS):
        floors.append(floor.runs_per_second(RUNS, CONCURRENCY))
        with subject.home() as client, subject.engine(client, CONCURRENCY) as pid:
            before, begin = subject.cpu_seconds(pid), time.perf_counter()
            subject.queue_runs(client, RUNS)
            subject.wait_until_quiet(client, 60)
            rates.append(RUNS / (time.perf_counter() - begin))
            cpus.append((subject.cpu_seconds(pid) - before) / RUNS * 1e6)
    ratio = statistics.median(rate / bare for rate, bare in zip(rates, floors, strict=True))
    cpu = statistics.median(cpus)
    rows = [
        Row(
            f"runs per second, recorded ({RUNS} × true, {CONCURRENCY} at once)",
            f"{statistics.median(rates):.0f}",
            f"{statistics.median(floors):.0f} (spawn shim, wait)",
            f"{ratio:.2f}",
            "≥ 0.8",
            ratio >= 0.8,
        ),
        Row("engine's own CPU per run", f"{cpu:.0f} µs", "", "", "≤ 250 µs", cpu <= 250),
    ]
    for name, measure in peers.DURABLE.items():
        rate = peers.or_none(measure, RUNS, CONCURRENCY)
        shown = "not installed" if rate is None else f"{rate:.0f}"
        ahead = None if rate is None else statistics.median(rates) > rate
        rows.append(Row(f"the same by {name}", shown, "", "", "rota is ahead", ahead))
    return rows


def _lateness(jobs: int, seconds: int) -> list[float]:
    """Return how late runs start."""
    with subject.home() as client:
        subject.seed_jobs(client, jobs, "cron", "* * * * * *")
        with subject.engine(client, jobs * 2):
            end = time.time() + seconds + 2
            while time.time() < end:
                time.sleep(0.2)
        late = [run.lateness for run in subject.all_runs(client) if run.lateness is not None]
    return late[: -2 * jobs] or late  # newest first: the first two seconds are the start-up's


def lateness_idle() -> list[Row]:
    """One job a second on an idle machine."""
    bare, late = floor.timer_lateness(15), _lateness(1, 15)
    over = (percentile(late, 0.99) - percentile(bare, 0.99)) * 1000
    return [
        Row(
            "lateness of a firing, idle, p99",
            f"{percentile(late, 0.99) * 1000:.1f} ms",
            f"{percentile(bare, 0.99) * 1000:.1f} ms (timer, spawn)",
            f"+{over:.1f} ms",
            "≤ 5 ms over",
            over <= 5,
        )
    ]


def lateness_burst() -> list[Row]:
    """Sixty jobs due each second, every run on disk."""
    bare, late = floor.burst_lateness(60, 15), _lateness(60, 15)
    rows = []
    for name, share, aim in (("p50", 0.5, 1.3), ("p99", 0.99, 1.5)):
        ratio = percentile(late, share) / percentile(bare, share)
        rows.append(
            Row(
                f"60 jobs due each second, lateness {name}",
                f"{percentile(late, share) * 1000:.1f} ms",
                f"{percentile(bare, share) * 1000:.1f} ms (bare loop)",
                f"{ratio:.2f}",
                f"≤ {aim}",
                ratio <= aim,
            )
        )
    for name, measure in peers.PUNCTUAL.items():
        found = peers.or_none(measure, 60, 15)
        shown = (
            "not installed"
            if found is None
            else f"{percentile(found, 0.5) * 1000:.1f} / {percentile(found, 0.99) * 1000:.1f} ms"
        )
        rows.append(Row(f"the same by {name}, p50 / p99", shown, "", "", "", None))
    return rows


def burst() -> list[Row]:
    """Two thousand jobs due in one second."""
    count = 2000
    bare = floor.burst_seconds(count)
    with subject.home() as client:
        slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
        subject.seed_jobs(client, count, "at", slot.isoformat())
        with subject.engine(client, count):
            while datetime.now(UTC) < slot + timedelta(seconds=1):
                time.sleep(0.1)
            subject.wait_until_quiet(client, 60)
        starts = [run.lateness for run in subject.all_runs(client) if run.lateness is not None]
    assert len(starts) == count
    ratio = max(starts) / bare
    return [
        Row(
            f"{count} jobs due in one second: the last has started after",
            f"{max(starts):.2f} s",
            f"{bare:.2f} s ({count} spawns)",
            f"{ratio:.2f}",
            "≤ 1.5",
            ratio <= 1.5,
        )
    ]


def idle() -> list[Row]:
    """Memory, idle CPU and start, with ten jobs and with a hundred thousand."""
    rows = []
    for count, limit in ((10, 22.0), (100_000, 25.0)):
        with subject.home() as client:
            subject.seed_jobs(client, count, "cron", "0 9 1 1 *")
            begin = time.perf_counter()
            with subject.engine(client, 4) as pid:
                ready = time.perf_counter() - begin
                time.sleep(2)
                before = subject.cpu_seconds(pid)
                time.sleep(20)
                share = (subject.cpu_seconds(pid) - before) / 20 * 100
                memory = subject.memory_mb(pid)
        rows.append(
            Row(f"engine memory, {count:,} jobs", f"{memory:.1f} MB", "", "", f"≤ {limit:.0f} MB", memory <= limit)
        )
        rows.append(Row(f"idle CPU, {count:,} jobs", f"{share:.2f} %", "", "", "≤ 0.2 %", share <= 0.2))
        if count > 10:
            rows.append(Row(f"start with {count:,} jobs", f"{ready:.2f} s", "", "", "≤ 0.3 s", ready <= 0.3))
    return rows


def commands() -> list[Row]:
    """Whole commands, from the shell's point of view."""
    rows = []
    with subject.home() as client:
        subject.seed_jobs(client, 20, "cron", "*/5 * * * *")
        for words, limit in ((["--help"], 100), (["--home", client.home, "list"], 150)):
            took = _median_ms(
                lambda words=words: subprocess.run([subject.ROTA, *words], stdout=subprocess.DEVNULL, check=True)
            )
            rows.append(Row(f"rota {words[-1]}", f"{took:.0f} ms", "", "", f"≤ {limit} ms", took <= limit))
    bare = _median_ms(lambda: subprocess.run([subject.ROTA.replace("/rota", "/python"), "-c", ""], check=True))
    rows.append(Row("(an empty Python)", f"{bare:.0f} ms", "", "", "", None))
    return rows


def pages() -> list[Row]:
    """A page of lists over a million runs and ten thousand jobs, from the store alone and as REST answers it."""
    count = int(os.environ.get("ROTA_BENCH_RUNS", "1000000"))
    with subject.home() as client:
        _seed_history(client, count)
        took = {
            "newest runs": _median_ms(lambda: client.store.runs.page(RunFilter(), None, 100)),
            "a job's runs": _median_ms(lambda: client.store.runs.page(RunFilter(job_id=3), None, 100)),
            "what went wrong": _median_ms(lambda: client.store.runs.page(RunFilter(state="trouble"), None, 100)),
        }
        took |= {f"GET {path}": ms for path, ms in web.answers(client.home, web.PATHS).items()}
    return [
        Row(f"page of {name}, {count:,} runs", f"{ms:.1f} ms", "", "", "≤ 100 ms", ms <= 100)
        for name, ms in took.items()
    ]


def _seed_history(client: Client, count: int) -> None:
    """Write a history as a month would have left it; a million runs through the engine would take an hour."""
    subject.seed_jobs(client, _JOBS, "cron", "0 9 1 1 *", Policy(overlap=Overlap.ALLOW))
    ids, begin = RunIds(), datetime.now(UTC) - timedelta(days=30)

    def row(number: int) -> tuple[object, ...]:
        at = begin + timedelta(seconds=2.5 * number)
        us = int(at.timestamp() * 1e6)
        state = "failed" if number % 1000 == 0 else "succeeded"
        return ids.new(at), number % _JOBS + 1, us, us, state, us, us, us, us + 1000, int(state == "failed")

    with closing(sqlite3.connect(store_path(client.home))) as connection, connection:
        connection.executemany(
            "INSERT INTO run (id, job_id, definition_id, trigger, slot, due_at, state, attempt, priority, queued_at, "
            "changed_at, started_at, ended_at, exit_code) "
            "VALUES (?1, ?2, ?2, 'schedule', ?3, ?4, ?5, 1, 50, ?6, ?7, ?8, ?9, ?10)",
            (row(number) for number in range(count)),
        )


def _median_ms(call: Callable[[], object], times: int = 9) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


ALL = (throughput, lateness_idle, lateness_burst, burst, idle, commands, pages)

"""How soon hosts hear of each other: a trigger, a cancel, and the end of the host that plans."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import skip_locked
from bench.crew import Crew
from bench.hosts import MANY, NOBODY, Fleet, fleet, spread, wait_for
from bench.measures import Row
from bench.server import Server
from bench.shown import latency, middle_and_most
from rota.model.action import Command
from rota.model.host import RunsOn
from rota.model.job import Job, ScheduleSpec

ROUNDS, WAKES, CANCELS = 3, 100, 15
DATE = ("/bin/date", "+%s.%N")
_LONG = "trap 'date +%s.%N; exit 0' TERM; : > {ready}; sleep 60 & wait"
"""Ends when it is told to, and says when that was; it can be told once the file is there."""


def wakes(postgres: Server) -> list[Row]:
    """From the commit of a request on one host to the process's own word on another, and the same for cancels."""
    found: dict[str, list[float]] = {key: [] for key in ("run", "bare run", "cancel", "bare cancel")}
    with tempfile.TemporaryDirectory() as folder, fleet(postgres, 3) as world, bare_hosts(postgres, folder) as bare:
        world.add("date", DATE, RunsOn(host="host-2"))
        ready = Path(folder, "ready")
        world.add("long", _long(ready), RunsOn(host="host-2"))
        for _ in range(ROUNDS):
            found["bare run"] += [bare.wake() for _ in range(WAKES)]
            found["run"] += [_wake(world) for _ in range(WAKES)]
            found["bare cancel"] += [bare.cancel(ready) for _ in range(CANCELS)]
            found["cancel"] += [_cancel(world, ready) for _ in range(CANCELS)]
    return [
        latency("trigger on one host to the start on another", found["run"], found["bare run"]),
        latency("cancel on one host to SIGTERM on another", found["cancel"], found["bare cancel"]),
    ]


def _wake(world: Fleet) -> float:
    run = world.client.verbs.trigger("date")
    asked = time.time()
    world.wait_for_end(run)
    return _said(world, run) - asked


def _cancel(world: Fleet, ready: Path) -> float:
    while True:
        run = world.client.verbs.trigger("long")
        wait_for(ready.exists)
        ready.unlink()
        world.client.verbs.cancel(run)
        asked = time.time()
        world.wait_for_end(run)
        if world.client.store.runs.output(run, 1):  # else SIGTERM has met `date` as well
            return _said(world, run) - asked


def _said(world: Fleet, run: str) -> float:
    return float(world.client.store.runs.output(run, 1)[0].head)


def _long(ready: Path) -> tuple[str, ...]:
    return "/bin/sh", "-c", _LONG.format(ready=ready)


class BareHosts:
    """Two bare hosts, for requests and for what is cancelled, and whoever asks them."""

    def __init__(self, postgres: Server, folder: str) -> None:
        self._postgres, self._folder = postgres, folder
        self._number = 0

    def wake(self) -> float:
        """Ask for a process on another host, and return the seconds until it runs."""
        asked = self._ask("dates")
        return self._said() - asked

    def cancel(self, ready: Path) -> float:
        """Ask for one, have it ended, and return the seconds until it hears of it."""
        self._ask("longs")
        wait_for(ready.exists)
        ready.unlink()
        self._postgres.execute("UPDATE work SET cancelled = TRUE WHERE id = %s", self._number)
        self._postgres.execute("NOTIFY work")
        asked = time.time()
        return self._said() - asked

    def _ask(self, host: str) -> float:
        self._number += 1
        with self._postgres.connection.transaction():
            self._postgres.execute("INSERT INTO work (id, state, host) VALUES (%s, 'queued', %s)", self._number, host)
            self._postgres.execute("NOTIFY work")
        return time.time()

    def _said(self) -> float:
        wait_for(lambda: self._state() == "done")
        return float(Path(self._folder, str(self._number)).read_text())

    def _state(self) -> str:
        return str(self._postgres.ask("SELECT state FROM work WHERE id = %s", self._number))


@contextmanager
def bare_hosts(postgres: Server, folder: str) -> Iterator[BareHosts]:
    """Have the floor of wakes."""
    long = _long(Path(folder, "ready"))
    with skip_locked.table(postgres):
        words = [["listen", postgres.url, name, folder, *argv] for name, argv in (("dates", DATE), ("longs", long))]
        crew = Crew("skip_locked", words)
        crew.go()
        try:
            yield BareHosts(postgres, folder)
            crew.results()
        finally:
            crew.close()


def take_overs(postgres: Server) -> list[Row]:
    """From the end of the host that plans to the first slot that another has planned."""
    killed, stopped = [], []
    with fleet(postgres, 3) as world:
        anchors = spread(20, datetime.now(UTC) - timedelta(seconds=5), timedelta(seconds=1))
        specs = [ScheduleSpec("every", "1s", anchor=anchor) for anchor in anchors]
        jobs = [Job(f"tick-{place}", Command(DATE), (spec,), MANY, runs_on=NOBODY) for place, spec in enumerate(specs)]
        for job in jobs:
            world.client.verbs.add(job)
        for how, into, times in ((signal.SIGKILL, killed, 5), (signal.SIGTERM, stopped, 3)):
            for _ in range(times):
                into.append(_take_over(world, how))
    bare = [_bare_take_over(postgres) for _ in range(3)]
    most = f"{max(bare):.1f} s (a row and its lease)"
    return [
        Row(
            "the planning host killed: another plans after, median / most",
            middle_and_most(killed),
            most,
            "",
            "≤ 5 s",
            max(killed) <= 5,
        ),
        Row(
            "the planning host stopped in order: the same", middle_and_most(stopped), "", "", "≤ 2 s", max(stopped) <= 2
        ),
    ]


def _take_over(world: Fleet, how: signal.Signals) -> float:
    wait_for(lambda: world.planner() in world.engines)
    name = world.planner()
    newest = f"SELECT coalesce(max(queued_at), 0) FROM {world.schema}.run"
    wait_for(lambda: world.server.ask(newest) > 0)
    world.engines[name].send_signal(how)
    world.engines.pop(name).wait(60)
    last = world.server.ask(newest)
    wait_for(lambda: world.server.ask(newest) > last)
    took = (world.server.ask(f"SELECT min(queued_at) FROM {world.schema}.run WHERE queued_at > %s", last) - last) / 1e6
    world.start_one(name)
    return float(took)


def _bare_take_over(postgres: Server) -> float:
    holder = "SELECT host FROM leader WHERE until >= now()"
    with skip_locked.table(postgres):
        crew = Crew("skip_locked", [["lead", postgres.url, str(number)] for number in range(2)])
        try:
            crew.go()
            wait_for(lambda: bool(postgres.column(holder)))
            first = int(postgres.ask(holder))
            crew.processes[first].kill()
            begin = time.perf_counter()
            wait_for(lambda: postgres.column(holder) == [str(1 - first)])
            return time.perf_counter() - begin
        finally:
            crew.close()

"""A fleet to measure: a store on PostgreSQL, a client, and engines with homes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from bench import subject
from bench.server import Counts, Server
from rota.ids import RunIds
from rota.model.action import Command
from rota.model.host import ANYWHERE, RunsOn
from rota.model.job import Job, ScheduleSpec, StoredJob
from rota.model.policy import Overlap, Policy
from rota.model.run import FINAL, Run, Trigger
from rota.model.settlement import NewRun
from rota.store import rows
from rota.store.address import parse_address
from rota.wiring.client import Client

PATIENCE = 60.0
MANY = Policy(overlap=Overlap.ALLOW)
NOBODY = RunsOn(host="nobody")
"""What runs there is planned, and waits."""
_BETWEEN, _SELDOM = 0.005, 0.25
_FLUSHED = 1.2
"""A backend says what it did once a second."""


class Fleet:
    """Engines on one store."""

    def __init__(self, server: Server, folder: str) -> None:
        self.server = server
        self.url = server.fresh_store()
        self.schema = parse_address(self.url).schema
        self._folder = folder
        self._before = os.environ.get("ROTA_STORE")
        os.environ["ROTA_STORE"] = self.url
        self.client = Client(f"{folder}/desk")
        self.engines: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, count: int, capacity: int = 16) -> None:
        """Start so many hosts, host-0 first, and let that one plan."""
        for number in range(count):
            self.start_one(f"host-{number}", capacity)

    def start_one(self, name: str, capacity: int = 16) -> float:
        """Start one host, and return the seconds until it serves."""
        words = [subject.ROTA, "--home", f"{self._folder}/{name}", "serve", "--no-web", "-q"]
        words += ["--capacity", str(capacity), "--host-name", name]
        seen = self._starts()
        begin = time.perf_counter()
        self.engines[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self._starts() > seen)
        return time.perf_counter() - begin

    def _starts(self) -> int:
        return int(self.server.ask(f"SELECT count(*) FROM {self.schema}.event WHERE kind = 'engine.started'"))

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> None:
        """End one host's engine."""
        engine = self.engines.pop(name)
        engine.send_signal(how)
        engine.wait(PATIENCE)

    def cpu(self) -> float:
        """Return the CPU seconds of all engines together, without what they started."""
        return sum(subject.cpu_seconds(engine.pid) for engine in self.engines.values())

    def planner(self) -> str:
        """Return the name of the host that plans; empty when none does."""
        found = self.server.column(
            f"SELECT name FROM {self.schema}.host JOIN {self.schema}.fleet ON planner = id "
            f"WHERE planner_until >= {self.schema}.now_us()"
        )
        return str(found[0]) if found else ""

    def wait_until_quiet(self) -> None:
        """Wait until no run is active."""
        question = f"SELECT count(*) FROM {self.schema}.run WHERE state IN ('queued', 'running', 'waiting')"
        while self.server.ask(question):  # seldom, for each question is a transaction that is counted
            time.sleep(_SELDOM)

    def rate(self) -> float:
        """Return how many runs ended a second, from the first request to the last end, by the store's own times."""
        question = f"SELECT count(*) * 1e6 / (max(ended_at) - min(queued_at)) FROM {self.schema}.run"
        return float(self.server.ask(question))

    def wait_for_end(self, run_id: str) -> Run:
        """Wait until a run has ended, and return it."""
        wait_for(lambda: self.run(run_id).state in FINAL)
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        """Return a run as the store has it."""
        found = self.client.store.runs.find(run_id)
        assert found is not None
        return found

    def add(self, name: str, argv: Sequence[str], runs_on: RunsOn = ANYWHERE) -> StoredJob:
        """Add a job without a schedule."""
        return self.client.verbs.add(Job(name, Command(tuple(argv)), policy=MANY, runs_on=runs_on)).stored

    def queue(self, jobs: Sequence[StoredJob], count: int) -> None:
        """Ask for so many runs, in turn of these jobs, in one transaction."""
        store, ids, now = self.client.store, RunIds(), self.client.clock.now()
        with store.transaction():
            for number in range(count):
                job = jobs[number % len(jobs)]
                store.runs.add(NewRun(ids.new(now), job.id, job.definition_id, Trigger.MANUAL), job.job, now)

    def idle_jobs(self, count: int) -> list[StoredJob]:
        """Return so many jobs that are not due."""
        slot = self.client.clock.now() + timedelta(days=1)
        spec = ScheduleSpec("at", slot.isoformat())
        jobs = [Job(f"idle-{number:06}", subject.TRUE, (spec,), MANY) for number in range(count)]
        self.seed(jobs, [slot] * count)
        return self.client.store.jobs.page("", count)

    def seed(self, jobs: Sequence[Job], slots: Sequence[datetime]) -> None:
        """Write very many jobs, each with its next slot, as years of use would have left them."""
        now = int(self.client.clock.now().timestamp() * 1e6)
        first = self.server.ask(f"SELECT coalesce(max(id), 0) + 1 FROM {self.schema}.job")
        first = max(first, self.server.ask(f"SELECT coalesce(max(id), 0) + 1 FROM {self.schema}.definition"))
        connection = self.server.connection
        with connection.transaction():
            connection.execute("SET CONSTRAINTS ALL DEFERRED")
            into_jobs = (
                f"COPY {self.schema}.job (id, name, origin, definition_id, revision, enabled, planned_to, next_slot, "
                "wake_at, created_at, changed_at) FROM STDIN"
            )
            with connection.cursor().copy(into_jobs) as copy:
                for number, (job, slot) in enumerate(zip(jobs, slots, strict=True), first):
                    at = round(slot.timestamp() * 1e6)
                    copy.write_row((number, job.name, "bench", number, 1, 1, min(now, at - 1), at, at, now, now))
            into = f"COPY {self.schema}.definition (id, job_id, body, created_at) FROM STDIN"
            with connection.cursor().copy(into) as copy:
                for number, job in enumerate(jobs, first):
                    copy.write_row((number, number, rows.body_of(job), now))
        for table in ("job", "definition"):
            self.server.execute(
                f"SELECT setval(pg_get_serial_sequence('{self.schema}.{table}', 'id'), {first + len(jobs)})"
            )
        self.server.execute(f"ANALYZE {self.schema}.job, {self.schema}.definition")

    def close(self) -> None:
        """End everything, and take the store away."""
        for engine in self.engines.values():
            engine.terminate()
        for engine in self.engines.values():
            engine.wait(PATIENCE)
        self.client.close()
        self.server.drop(self.schema)
        del os.environ["ROTA_STORE"]
        if self._before is not None:
            os.environ["ROTA_STORE"] = self._before


@contextmanager
def fleet(server: Server, hosts: int = 0, capacity: int = 16) -> Iterator[Fleet]:
    """Yield a fleet of so many hosts."""
    folder = tempfile.mkdtemp(prefix="rota-bench-")
    made = Fleet(server, folder)
    try:
        made.start(hosts, capacity)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


@contextmanager
def counting(server: Server) -> Iterator[list[Counts]]:
    """Count what the server does meanwhile; the counts are there afterwards."""
    found: list[Counts] = []
    time.sleep(_FLUSHED)
    before = server.counts()
    yield found
    time.sleep(_FLUSHED)
    found.append(server.counts().since(before))


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("what was waited for did not come in time")
        time.sleep(_BETWEEN)


def spread(count: int, begin: datetime, over: timedelta) -> list[datetime]:
    """Return so many instants, evenly over a span."""
    return [begin + over * number / count for number in range(count)]

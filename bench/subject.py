"""The subject: a real engine on a real home, seeded through the store, measured from outside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rota.ids import RunIds
from rota.model.action import Command
from rota.model.job import Job, ScheduleSpec, StoredJob
from rota.model.policy import Overlap, Policy
from rota.model.run import Run, Trigger
from rota.model.settlement import NewRun, RunFilter
from rota.plan.timetables import timetable_of
from rota.ports import Store
from rota.wiring.client import Client

ROTA = os.path.join(os.path.dirname(sys.executable), "rota")
TRUE = Command(("/bin/true",))
_TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def home() -> Iterator[Client]:
    directory = tempfile.mkdtemp(prefix="rota-bench-")
    client = Client(directory)
    try:
        yield client
    finally:
        client.close()
        shutil.rmtree(directory)


@contextmanager
def engine(client: Client, capacity: int, *more: str, web: int = 0) -> Iterator[int]:
    """Serve, with the pages at a port if one is named, and yield the engine's pid when it is ready."""
    pages = ["--port", str(web)] if web else ["--no-web"]
    words = [ROTA, "--home", client.home, "serve", *pages, "-q", "--capacity", str(capacity), *more]
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=bool(web),
    )
    try:
        seq = 0
        deadline = time.monotonic() + 20
        while not any(event.kind == "engine.started" for event in client.store.ledger.events(seq, 10_000)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the engine did not start")
            time.sleep(0.002)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory_mb(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = re.search(r"VmRSS:\s+(\d+)", file.read())
    assert found
    return int(found[1]) / 1024


def queue_runs(client: Client, count: int) -> None:
    """Ask for so many runs of `true`, in one transaction."""
    stored = client.verbs.add(Job("true", TRUE, policy=Policy(overlap=Overlap.ALLOW))).stored
    queue(client.store, stored, count, client.clock.now())


def queue(store: Store, stored: StoredJob, count: int, now: datetime) -> None:
    """Ask for so many runs of a job, in one transaction."""
    ids = RunIds()
    with store.transaction():
        for _ in range(count):
            new = NewRun(ids.new(now), stored.id, stored.definition_id, Trigger.MANUAL)
            store.runs.add(new, stored.job, now)


def seed_jobs(client: Client, count: int, kind: str, text: str, policy: Policy | None = None) -> None:
    now = client.clock.now()
    with client.store.transaction():
        for number in range(count):
            job = Job(f"job-{number:06}", TRUE, (ScheduleSpec(kind, text),), policy or Policy(), timezone="UTC")
            stored = client.store.jobs.add(job, "bench", now, None, timedelta(0))
            client.store.jobs.set_cursor(stored.id, now, timetable_of(job).next_after(now))


def wait_until_quiet(client: Client, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while client.store.runs.page(RunFilter(state="active"), None, 1):
        if time.monotonic() > deadline:
            raise RuntimeError("the runs did not end in time")
        time.sleep(0.01)


def all_runs(client: Client) -> list[Run]:
    found: list[Run] = []
    while page := client.store.runs.page(RunFilter(), found[-1].id if found else None, 1000):
        found += page
    return found

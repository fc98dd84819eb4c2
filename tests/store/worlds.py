"""What the store's tests share: the backends that the one suite runs over, and a store with a few words of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from rota.ids import RunIds
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec, StoredJob
from rota.model.policy import Overlap, Policy
from rota.model.run import State, Trigger
from rota.model.settlement import Claimed, Ended, NewRun
from rota.plan.timetables import jitter_of, rest_of
from rota.store.address import parse_address
from rota.store.database import Database
from rota.store.postgres import PostgresDatabase
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOST, BOOT = "host-one", "boot-one"

REFUSED = r"constraint failed|violates .*constraint|cannot move so"
"""What the databases say of a row that cannot be true."""

SQLITE: dict[str, Callable[[str], Database]] = {
    "sqlite file": lambda folder: SqliteDatabase(f"{folder}/rota.db", patience=5.0, checkpoints=True),
    "sqlite memory": lambda folder: SqliteDatabase(":memory:", patience=0.0, checkpoints=True),
}


def job(name: str = "backup", *schedules: ScheduleSpec, **policy: Any) -> Job:
    policy["overlap"] = Overlap(policy.get("overlap", "skip"))
    return Job(name, Shell("true"), schedules, Policy(**policy))


class World(TableStore):
    """A store, the database below it, and short words for what tests do again and again."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.database = database
        self.new_id = RunIds().new

    def make(self, name: str = "backup", *schedules: ScheduleSpec, now: datetime = NOW, **policy: Any) -> StoredJob:
        made = job(name, *schedules, **policy)
        with self.transaction():
            return self.jobs.add(made, "hand", now, rest_of(made), jitter_of(made, "home"))

    def queue(self, stored: StoredJob, now: datetime = NOW, **given: Any) -> str:
        given.setdefault("trigger", Trigger.SCHEDULE if "slot" in given else Trigger.MANUAL)
        new = NewRun(self.new_id(now), stored.id, stored.definition_id, **given)
        with self.transaction():
            self.runs.add(new, stored.job, now)
        return new.id

    def claim(
        self, places: int = 10, *, now: datetime = NOW, host: str = HOST, max_running: int | None = None
    ) -> list[Claimed]:
        with self.transaction():
            return self.runs.claim_ready(host, BOOT, now, [f"j/{number}" for number in range(places)], max_running)

    def claim_one(self, stored: StoredJob, **given: Any) -> Claimed:
        self.queue(stored, **given)
        return self.claim(1)[0]

    def end(self, run: Claimed, state: State = State.SUCCEEDED, *, host: str = HOST, after: timedelta = MINUTE) -> bool:
        with self.transaction():
            return self.runs.settle_if_running(ended(run, state, after), host, run.claimed_at + after)

    def rest(self, run: Claimed, pause: timedelta = MINUTE, *, host: str = HOST) -> bool:
        now = run.claimed_at + SECOND
        with self.transaction():
            return self.runs.rest_if_running(ended(run, State.FAILED, SECOND), host, now, now + pause, "it failed")

    def state(self, run_id: str) -> State:
        found = self.runs.find(run_id)
        assert found is not None
        return found.state

    def held(self, stored: StoredJob) -> list[str]:
        return [run.id for run in self.runs.active(stored.id) if run.held]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.ledger.events(0, 10_000)]


def ended(run: Claimed, state: State, after: timedelta = MINUTE, **given: Any) -> Ended:
    code = {State.SUCCEEDED: 0, State.LOST: None}.get(state, 1)
    return Ended(run.run_id, run.attempt, state, run.claimed_at, run.claimed_at + after, code, **given)


def open_postgres(url: str, *, patience: float = 5.0) -> World:
    return World(PostgresDatabase(parse_address(url), patience=patience))


_CONTENT = (
    *(
        "credential",
        '"user"',
        "nonce",
        "audit",
        "output",
        "attempt",
        "skip",
        "event",
        "run",
        "definition",
        "job",
        "pool",
    ),
    *("lane", "host", "meta", "total", "hour_total", "output_kept"),
)
"""The tables that a store's life fills, those first that refer to others."""


def emptied(world: World) -> World:
    """Take everything out of a store on PostgreSQL, as if it were new: that costs less than to make one."""
    deletes = [f"DELETE FROM {table}" for table in _CONTENT]
    restarts = "SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence WHERE seqrelid::regclass::text !~ '[.]'"
    nobody = "UPDATE fleet SET planner = NULL, planner_until = 0, alive_at = 0, grace_until = 0"
    world.database._connection.execute("; ".join(["BEGIN", *deletes, nobody, restarts, "COMMIT"]))
    return World(world.database)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Call all at the same time, and return what they returned."""
    gate = threading.Barrier(len(calls))

    def after_the_others(call: Callable[[], Any]) -> Any:
        gate.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result(60) for future in [threads.submit(after_the_others, call) for call in calls]]

"""What the tests of control share: a clock that is set by hand, and a store with the verbs on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rota.control.verbs import Verbs
from rota.ids import RunIds
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import State
from rota.model.settlement import Ended
from rota.plan.due import plan_due
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOST, BOOT = "host-one", "boot-one"


class HandClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW) / SECOND

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class World:
    """A store, its verbs, and what an engine would do to it."""

    def __init__(self, path: str = ":memory:") -> None:
        self.clock = HandClock()
        self.store = TableStore(SqliteDatabase(path, patience=5.0, checkpoints=True))
        self.new_id = RunIds().new
        self.verbs = Verbs(self.store, self.clock, "home", self.new_id, lambda: None)
        self._places = 0

    def add(self, name: str = "backup", *schedules: tuple[str, str], line: str = "true", **given: Any) -> None:
        fields = {key: given.pop(key) for key in ("tags", "enabled", "timezone") if key in given}
        specs = tuple(ScheduleSpec(kind, text) for kind, text in schedules)
        self.verbs.add(Job(name, Shell(line), specs, Policy(**given), **{"timezone": "UTC"} | fields))

    def plan(self, at: datetime | None = None) -> None:
        """Do the engine's planning."""
        self.clock.at = at or self.clock.at
        with self.store.transaction():
            self.store.runs.wake(self.clock.at)
            for stored in self.store.jobs.due(self.clock.at, 100):
                plan = plan_due(stored, self.clock.at, self.store.runs.active(stored.id), until=self.clock.at)
                self.store.record_plan_if_unmoved(stored, plan, self.clock.at, self.new_id)

    def claim(self) -> str:
        """Start the next run, and return its id."""
        self._places += 1
        with self.store.transaction():
            claimed = self.store.runs.claim_ready(HOST, BOOT, self.clock.at, [f"journal-1/{self._places:06}"], None)
        return claimed[0].run_id

    def end(
        self,
        run_id: str,
        state: State = State.SUCCEEDED,
        code: int | None = 0,
        reason: str = "",
        *,
        again: bool = False,
    ) -> None:
        """End the running attempt now; `again` lets another one follow in ten seconds."""
        run = self.store.runs.find(run_id)
        assert run is not None
        ended = Ended(run_id, run.attempt, state, run.started_at, self.clock.at, code, reason)
        with self.store.transaction():
            if again:
                later = self.clock.at + 10 * SECOND
                assert self.store.runs.rest_if_running(ended, HOST, self.clock.at, later, f"{reason}; the next follows")
            else:
                assert self.store.runs.settle_if_running(ended, HOST, self.clock.at)

    def close(self) -> None:
        self.store.close()

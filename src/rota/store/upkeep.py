"""Keeping the store small and sound: pruning in steps, backup, checks, facts about the store itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rota.ids import first_run_id
from rota.store.database import Database
from rota.store.instants import to_us


class Upkeep:
    """The moves of upkeep; see ports.UpkeepStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def fact(self, key: str) -> str | None:
        """Return a fact about the store; within a transaction nobody else changes it until the end."""
        self._db.lock("lock_fact", key=key)
        row = self._db.one("get_meta", key=key)
        return None if row is None else row[0]

    def put_fact(self, key: str, value: str) -> None:
        """Write a fact about the store."""
        self._db.run("put_meta", key=key, value=value)

    def output_kept(self) -> int:
        """Return how many bytes of output are kept."""
        row = self._db.one("output_kept")
        return row[0] if row else 0

    def drop_output_before(self, instant: datetime, limit: int) -> int:
        """Drop some output of runs older than an instant."""
        return self._db.run("drop_old_output", before=first_run_id(instant), limit=limit)

    def drop_oldest_output(self, limit: int) -> int:
        """Drop some of the oldest output."""
        return self._db.run("drop_oldest_output", limit=limit)

    def job_ids_after(self, after: int, limit: int) -> list[int]:
        """Return the numbers of jobs, removed ones too, in steps."""
        return [row[0] for row in self._db.all("job_ids_after", after=after, limit=limit)]

    def drop_history_before(self, job_id: int, instant: datetime, keep_runs: int, limit: int) -> int:
        """Drop some of a job's ended runs and skips older than an instant, but never its newest runs."""
        dropped = self._db.run(
            "drop_old_runs", job_id=job_id, before=first_run_id(instant), keep=keep_runs - 1, limit=limit
        )
        dropped += self._db.run("drop_old_skips", job_id=job_id, before=to_us(instant), limit=limit)
        if dropped:
            self._db.run("drop_unused_definitions", job_id=job_id)
        return dropped

    def drop_events_before(self, instant: datetime, limit: int) -> int:
        """Drop some events older than an instant."""
        return self._db.run("drop_old_events", before=to_us(instant), limit=limit)

    def backup(self, target: str, progress: Callable[[int, int], None]) -> None:
        """Copy the whole store into a new file while it is in use."""
        self._db.backup(target, progress)

    def faults(self) -> list[str]:
        """Return what a check of the store finds."""
        return self._db.faults()

    def database(self) -> str:
        """Return what the store is kept by, and its version."""
        return self._db.version()

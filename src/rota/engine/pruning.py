"""The pruning tick: history is let go in steps so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rota.engine.settings import Retention
from rota.ports import Store

ROWS_A_STEP = 200
"""A step that drops as many has more to do."""
_JOBS_A_STEP = 50


class Pruner:
    """Goes round and round over everything that grows."""

    def __init__(self, store: Store, retention: Retention) -> None:
        self._store = store
        self._retention = retention
        self._after = 0

    def step(self, now: datetime) -> int:
        """Drop a few things that are older than they may be, and return how many; call again soon if any."""
        keep, upkeep = self._retention, self._store.upkeep
        dropped = upkeep.drop_output_before(now - keep.output, ROWS_A_STEP)
        if upkeep.output_kept() > keep.output_bytes:
            dropped += upkeep.drop_oldest_output(ROWS_A_STEP)
        dropped += upkeep.drop_events_before(now - keep.events, ROWS_A_STEP)
        dropped += self._store.access.drop_expired(now, ROWS_A_STEP)
        dropped += self._store.access.drop_audit_before(now - keep.audit, ROWS_A_STEP)
        return dropped + self._history(now - keep.runs)

    def _history(self, before: datetime) -> int:
        jobs = self._store.upkeep.job_ids_after(self._after, _JOBS_A_STEP)
        dropped = 0
        for job_id in jobs:
            dropped += self._store.upkeep.drop_history_before(job_id, before, self._retention.least_runs, ROWS_A_STEP)
            if dropped:
                return dropped  # this one first, until there is nothing left to drop
            self._after = job_id
        if not jobs:
            self._after = 0
        return dropped

    def all(self, now: datetime, progress: Callable[[int], None] = lambda _dropped: None) -> int:
        """Drop everything that is older than it may be: what `rota prune` does, each step a transaction of its own."""
        total = 0
        self._after = 0
        while True:
            with self._store.transaction():
                dropped = self.step(now)
            total += dropped
            progress(total)
            if not dropped and self._after == 0:
                return total

"""The ledger's other half, the skips; and events, totals and facts about the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rota.model.job import StoredJob
from rota.model.ledger import Event, HourLoad, Skip, SkipRecord
from rota.plan.due import Plan
from rota.store import rows
from rota.store.database import Database
from rota.store.instants import from_us, maybe_us, to_us

_HOUR = 3_600_000_000


class LedgerTable:
    """The moves on skips and events; see ports.LedgerStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def move_cursor_if_unmoved(self, stored: StoredJob, plan: Plan) -> bool:
        """Move the job's cursor; False when somebody else has planned these slots."""
        return self._db.run("move_cursor_if_unmoved", **_cursor(stored, plan)) > 0

    def move_cursor(self, stored: StoredJob, plan: Plan) -> None:
        """Move the cursor of a job that the transaction holds; that somebody moved it nevertheless takes all back."""
        self._db.later("move_cursor_if_unmoved", must=True, **_cursor(stored, plan))

    def add_skips(self, job_id: int, skips: Iterable[Skip], now: datetime) -> None:
        """Record ranges of slots that did not run; one that continues the range before it makes that longer."""
        for skip in skips:
            params = {
                "job_id": job_id,
                "first_slot": to_us(skip.first_slot),
                "last_slot": to_us(skip.last_slot),
                "count": skip.count,
                "code": skip.code.value,
                "reason": skip.reason,
                "run_id": skip.run_id,
                "now": to_us(now),
            }
            if not self._db.run("extend_skip", **params):
                self._db.run("add_skip", **params)

    def page(self, job_id: int | None, since: datetime, before: int | None, limit: int) -> list[SkipRecord]:
        """Return skips, newest first, before the cursor."""
        found = self._db.all(
            "skips_page", job_id=job_id, since=to_us(since), before=2**62 if before is None else before, limit=limit
        )
        return [rows.skip_record(row) for row in found]

    def of_job(self, job_id: int, before: datetime | None, limit: int) -> list[SkipRecord]:
        """Return a job's skips by the slot that they reach to, newest first, before the cursor."""
        before_us = 2**62 if before is None else to_us(before)
        found = self._db.all("skips_of_job", job_id=job_id, before=before_us, limit=limit)
        return [rows.skip_record(row) for row in found]

    def at(self, job_id: int, instant: datetime) -> SkipRecord | None:
        """Return the skip whose range holds an instant."""
        row = self._db.one("skip_at", job_id=job_id, at=to_us(instant))
        return None if row is None else rows.skip_record(row)

    def alone_in(self, job_id: int, since: datetime, until: datetime) -> SkipRecord | None:
        """Return the first skip of one single slot in [since, until)."""
        row = self._db.one("skip_alone_in", job_id=job_id, since=to_us(since), until=to_us(until))
        return None if row is None else rows.skip_record(row)

    def take_back_after(self, job_id: int, instant: datetime) -> list[SkipRecord]:
        """Take back the skips that reach beyond an instant, out of the totals too, and return them."""
        found = [rows.skip_record(row) for row in self._db.all("skips_after", job_id=job_id, at=to_us(instant))]
        for record in found:
            self._db.run("drop_skip", id=record.id)
            self._db.run(
                "take_back_total", job_id=job_id, last_slot=to_us(record.skip.last_slot), count=record.skip.count
            )
        return found

    def add_event(
        self, kind: str, now: datetime, job_id: int | None = None, run_id: str | None = None, **data: str
    ) -> None:
        """Write a fact that no trigger writes."""
        self._db.run("add_event", kind=kind, now=to_us(now), job_id=job_id, run_id=run_id, data=rows.encode_map(data))

    def events(self, after: int, limit: int) -> list[Event]:
        """Return events in order, after the cursor."""
        return [rows.event(row) for row in self._db.all("events_after", after=after, limit=limit)]

    def event_bounds(self) -> tuple[int, int]:
        """Return the numbers of the oldest event that is kept and of the newest; zeros when there is none."""
        row = self._db.one("event_bounds")
        assert row is not None, "there is always a row, of nulls if need be"
        return row["oldest"] or 0, row["newest"] or 0

    def missed_since(self, instant: datetime) -> int:
        """Return how many slots nobody planned in time, as far as it was told since an instant."""
        row = self._db.one("missed_since", since=to_us(instant))
        return int(row[0]) if row else 0

    def load(self, since: datetime) -> list[HourLoad]:
        """Return what ran in each hour since an instant, by outcome."""
        found = self._db.all("load", since=to_us(since) // _HOUR)
        return [HourLoad(from_us(row["hour"] * _HOUR), row["state"], row["runs"], row["busy"] / 1e6) for row in found]

    def totals(self, job_id: int | None, since_day: int) -> Mapping[str, Mapping[str, tuple[int, int, float]]]:
        """Return, per job and outcome, how many runs, attempts and seconds there were since a day (days of 1970)."""
        result: dict[str, dict[str, tuple[int, int, float]]] = {}
        for row in self._db.all("totals", job_id=job_id, day=since_day):
            result.setdefault(row["name"], {})[row["state"]] = (row["runs"], row["tries"], row["busy"] / 1e6)
        return result


def _cursor(stored: StoredJob, plan: Plan) -> dict[str, Any]:
    return {
        "id": stored.id,
        "was": to_us(stored.planned_to),
        "planned_to": to_us(plan.planned_to),
        "next_slot": maybe_us(plan.next_slot),
        "skip_streak": plan.skip_streak,
    }

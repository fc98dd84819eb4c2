"""Jobs, their definitions and their place in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from rota.errors import NoSuchJob, Outdated, Unreadable
from rota.model.job import Job, JobCounts, StoredJob
from rota.model.run import states_of
from rota.model.settlement import JobFilter
from rota.store import rows
from rota.store.database import Database
from rota.store.filters import containing
from rota.store.instants import from_us, maybe_us, span_us, to_us
from rota.store.rows import AnyRow

_KEPT_DEFINITIONS = 512
_ALL = 1 << 40


class JobTable:
    """The moves on jobs; see ports.JobStore."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._definitions: dict[int, Job] = {}
        """Definitions never change, so a few are kept."""

    def find(self, name: str) -> StoredJob | None:
        """Return the job of this name, removed or not; within a transaction nobody else changes it until the end."""
        self._db.lock("lock_job_by_name", name=name)
        row = self._db.one("job_by_name", name=name)
        return None if row is None else rows.stored_job(row)

    def get(self, name: str) -> StoredJob:
        """Return the job of this name; raises NoSuchJob, with the nearest name there is."""
        found = self.find(name)
        if found is None or found.removed_at is not None:
            raise NoSuchJob(name, self.names(), removed=found is not None)
        return found

    def by_id(self, job_id: int) -> StoredJob:
        """Return a job that something refers to; within a transaction nobody else changes it until the end."""
        self._db.lock("lock_job", id=job_id)
        row = self._db.one("job_by_id", id=job_id)
        if row is None:
            raise NoSuchJob(f"#{job_id}")
        return rows.stored_job(row)

    def page(self, after: str, limit: int, wanted: JobFilter | None = None) -> list[StoredJob]:
        """Return jobs by name, after the cursor."""
        wanted = wanted or JobFilter()
        asked = {
            "filter_name": wanted.text,
            "filter_tag": wanted.tag,
            "filter_origin": wanted.origin,
            "filter_last_state": wanted.state,
            "filter_paused": wanted.paused is not None,
            "filter_enabled": wanted.enabled is not None,
            "filter_runs_on": bool(wanted.host),
        }
        found = self._db.page(
            "jobs_page",
            [name for name, is_asked in asked.items() if is_asked],
            after=after,
            text=containing(wanted.text),
            tag=wanted.tag,
            origin=wanted.origin,
            states=msgspec.json.encode(sorted(states_of(wanted.state))).decode(),
            paused=wanted.paused,
            enabled=wanted.enabled,
            host=wanted.host,
            limit=limit,
        )
        return [rows.stored_job(row) for row in found]

    def coming(self, since: datetime, limit: int, overdue: int = _ALL) -> list[StoredJob]:
        """Return the jobs among which those are that have the next slots after an instant, so many of them.

        A job that has a slot at or before it may have any: all of these are returned, or `overdue` at most.
        """
        found = self._db.all("coming_jobs", since=to_us(since), limit=limit, overdue=overdue)
        return [rows.stored_job(row) for row in found]

    def names(self) -> list[str]:
        """Return names, for suggestions."""
        return [row[0] for row in self._db.all("job_names")]

    def count(self) -> int:
        """Return how many jobs there are."""
        row = self._db.one("job_count")
        return row[0] if row else 0

    def counts(self) -> JobCounts:
        """Return the same, and how many of them are paused or disabled."""
        row = self._db.one("job_counts")
        assert row is not None, "a count always has a row"
        return JobCounts(row["jobs"], row["paused"], row["disabled"])

    def due(self, now: datetime, limit: int) -> list[StoredJob]:
        """Return jobs whose time has come, oldest first; raises UnreadableJob, for that one to be left out."""
        return [rows.stored_job(row) for row in self._db.all("due_jobs", now=to_us(now), limit=limit)]

    def timed(self, after: int, now: datetime, limit: int) -> list[StoredJob]:
        """Return jobs that the clock may make due, or that are planned beyond now, by number, after the cursor."""
        return _readable(lambda last: self._db.all("timed_jobs", after=last, now=to_us(now), limit=limit), after)

    def maybe_at_boot(self, after: int, limit: int) -> list[StoredJob]:
        """Return jobs in service that may be due at a start of the machine, by number, after the cursor.

        Their own definitions tell whether they are.
        """
        return _readable(lambda last: self._db.all("maybe_boot_jobs", after=last, limit=limit), after)

    def next_wake(self) -> datetime | None:
        """Return the earliest instant at which something becomes due by time alone."""
        row = self._db.one("next_wake")
        return None if row is None or row[0] is None else from_us(row[0])

    def add(self, job: Job, origin: str, now: datetime, rest: timedelta | None, jitter: timedelta) -> StoredJob:
        """Add a job that no row has the name of."""
        row = self._db.one(
            "add_job", origin=origin, planned_to=to_us(now), now=to_us(now), **_columns(job, rest, jitter)
        )
        assert row is not None, "an INSERT … RETURNING has a row"
        self._define(row[0], job, origin, now, rest, jitter)
        return self.by_id(row[0])

    def change_if_unchanged(
        self, stored: StoredJob, job: Job, origin: str, now: datetime, rest: timedelta | None, jitter: timedelta
    ) -> StoredJob:
        """Give a job a new definition, if nobody has changed it since it was read."""
        self._bump(stored, now)
        self._define(stored.id, job, origin, now, rest, jitter)
        return self.by_id(stored.id)

    def pause_if_unchanged(self, stored: StoredJob, paused_at: datetime | None, now: datetime) -> None:
        """Pause from an instant, or end the pause."""
        self._bump(stored, now)
        self._db.run("set_paused", id=stored.id, paused_at=maybe_us(paused_at), now=to_us(now))

    def remove_if_unchanged(self, stored: StoredJob, now: datetime) -> None:
        """Take a job out of service; its history stays."""
        self._bump(stored, now)
        self._db.run("set_removed", id=stored.id, now=to_us(now))

    def set_cursor(self, job_id: int, planned_to: datetime, next_slot: datetime | None) -> None:
        """Plan from an instant on."""
        self._db.run("set_cursor", id=job_id, planned_to=to_us(planned_to), next_slot=maybe_us(next_slot))

    def definition(self, definition_id: int) -> Job:
        """Return a definition that a run refers to."""
        known = self._definitions.get(definition_id)
        if known is not None:
            return known
        row = self._db.one("definition_body", id=definition_id)
        assert row is not None, "definitions are kept while a run refers to them"
        if len(self._definitions) >= _KEPT_DEFINITIONS:
            self._definitions.clear()
        self._definitions[definition_id] = job = rows.job_from_body(row["body"])
        return job

    def pools(self) -> Mapping[str, tuple[int, int]]:
        """Return each pool's size and how much of it is taken."""
        return {row["name"]: (row["size"], row["taken"]) for row in self._db.all("pools")}

    def set_pool(self, name: str, size: int) -> None:
        """Make or resize a pool."""
        self._db.run("set_pool", name=name, size=size)

    def _define(
        self, job_id: int, job: Job, origin: str, now: datetime, rest: timedelta | None, jitter: timedelta
    ) -> None:
        row = self._db.one("add_definition", job_id=job_id, body=rows.body_of(job), now=to_us(now))
        assert row is not None, "an INSERT … RETURNING has a row"
        columns = _columns(job, rest, jitter)
        del columns["name"]
        self._db.run("use_definition", id=job_id, definition_id=row[0], origin=origin, now=to_us(now), **columns)
        if job.policy.pool:
            self._db.run("ensure_pool", name=job.policy.pool)
        if job.policy.pool or job.runs_on.needs:
            self.add_lane(job.policy.pool, job.runs_on.needs)

    def add_lane(self, pool: str, needs: str) -> None:
        """Let runs of a pool and a place be found."""
        self._db.run("ensure_lane", pool=pool, needs=needs)

    def _bump(self, stored: StoredJob, now: datetime) -> None:
        if not self._db.run("bump_revision_if_unchanged", id=stored.id, revision=stored.revision, now=to_us(now)):
            raise Outdated(f"job {stored.name!r} was changed by somebody else just now; look at it and try again")


def _readable(more: Callable[[int], Sequence[AnyRow]], after: int) -> list[StoredJob]:
    """Return the next of some jobs, without those that only a newer rota understands: they are left to it."""
    while found := more(after):
        readable = []
        for row in found:
            with suppress(Unreadable):
                readable.append(rows.stored_job(row))
        if readable:
            return readable
        after = found[-1]["id"]
    return []


def _columns(job: Job, rest: timedelta | None, jitter: timedelta) -> dict[str, object]:
    """Return what the database itself must know of a definition."""
    return {
        "name": job.name,
        "enabled": int(job.enabled),
        "job_limit": job.job_limit,
        "rest": None if rest is None else span_us(rest),
        "jitter": span_us(jitter),
    }

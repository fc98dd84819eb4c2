"""The store as one thing: its tables over one database connection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from rota.model.host import needs_of_target
from rota.model.job import Job, StoredJob
from rota.model.ledger import MISSED
from rota.model.settlement import NewRun
from rota.plan.due import Plan
from rota.store.access import AccessTable
from rota.store.database import Database
from rota.store.everywhere import Everywhere
from rota.store.hosts import HostTable
from rota.store.jobs import JobTable
from rota.store.ledger import LedgerTable
from rota.store.runs import RunTable
from rota.store.schema import refuse_newer
from rota.store.upkeep import Upkeep


class TableStore:
    """See ports.Store."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.jobs = JobTable(database)
        self.runs = RunTable(database)
        self.ledger = LedgerTable(database)
        self.upkeep = Upkeep(database)
        self.access = AccessTable(database)
        self.hosts = HostTable(database)
        self._everywhere = Everywhere(self.jobs, self.runs, self.hosts)
        self._seen = database.version_of_data()

    @property
    def is_shared(self) -> bool:
        """Tell whether other hosts may work on it."""
        return self._db.is_shared

    def transaction(self) -> AbstractContextManager[None]:
        """Write as one: everything inside is on disk afterwards, or nothing of it. Transactions do not nest deeper."""
        return self._db.transaction()

    def record_plan_if_unmoved(
        self, stored: StoredJob, plan: Plan, now: datetime, new_id: Callable[[datetime], str], target: str = ""
    ) -> bool:
        """Write what planning a job came to; False when somebody else has accounted for these slots.

        With a target the runs are that host's alone.

        1. Move the cursor, which is the fence.
        2. Add the runs; a slot that has one already (the clock was corrected) keeps it. Then the skips: a range that
           is made longer must see every run in between.
        3. Ask the runs that are to be replaced to end.
        4. Tell of slots that were missed, and of a job whose runs never seem to end.
        """
        if not self.ledger.move_cursor_if_unmoved(stored, plan):
            return False
        self._record(stored, plan, now, new_id, target)
        return True

    def record_plan(self, stored: StoredJob, plan: Plan, now: datetime, new_id: Callable[[datetime], str]) -> None:
        """Write the same of a job that this transaction holds, because it was told that it is due."""
        self.ledger.move_cursor(stored, plan)
        self._record(stored, plan, now, new_id)

    def _record(
        self, stored: StoredJob, plan: Plan, now: datetime, new_id: Callable[[datetime], str], target: str = ""
    ) -> None:
        for planned in plan.runs:
            new = NewRun(
                new_id(now),
                stored.id,
                stored.definition_id,
                planned.trigger,
                slot=planned.slot,
                held=planned.held,
                target=target,
            )
            self._add_planned(new, stored.job, now, new_id)
        self.ledger.add_skips(stored.id, plan.skips, now)
        for victim in plan.victims:
            why = "a later run of the job takes its place (overlap is replace)"
            if not self.runs.cancel_if_not_running(victim, now, why):
                self.runs.ask_to_cancel_if_running(victim, now, why)
        for skip in plan.skips:
            if skip.code in MISSED:
                self.ledger.add_event(
                    "job.missed", now, stored.id, count=str(skip.count), code=skip.code.value, reason=skip.reason
                )
        if plan.stuck:
            self.ledger.add_event(
                "job.stuck", now, stored.id, skips=str(plan.skip_streak), reason=plan.skips[-1].reason
            )

    def _add_planned(self, new: NewRun, job: Job, now: datetime, new_id: Callable[[datetime], str]) -> None:
        if new.target or job.runs_on.all:
            self.add_run(new, job, now, new_id)
        else:
            self.runs.add_unless_there(new, job, now)

    def add_run(self, new: NewRun, job: Job, now: datetime, new_id: Callable[[datetime], str]) -> None:
        """Add a run, or one for each host where the job is for all; with a store in the home there is one host."""
        if job.runs_on.all and self.is_shared and not new.target:
            self._everywhere.add(new, job, now, new_id)
            return
        if new.target:
            self.jobs.add_lane(job.policy.pool, needs_of_target(new.target))
        self.runs.add(new, job, now)

    def changed_by_others(self) -> bool:
        """Tell whether another process has committed since the last time this was asked."""
        version = self._db.version_of_data()
        changed, self._seen = version != self._seen, version
        return changed

    def refuse_newer(self) -> None:
        """Refuse to go on when a newer rota has changed the store in a way that this one cannot work beside."""
        refuse_newer(self._db.path, self._db.schema(), self._db.knows)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

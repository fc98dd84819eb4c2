"""The start of the machine: jobs that are to run then are decided on once, whatever happens to the engine meanwhile.

A fact in the store names the starts that have been decided on. An engine that finds its own among them has nothing to
do here: it is only the engine that has started again. Else it decides on every such job, and adds the start to the
fact, in the transaction of its first turn.

Where several hosts share a store, each decides for itself on the jobs that it may run, and the runs are its own: it is
its machine that has started.

A container that is started anew is a machine that starts. One home may be served in turn by several of them and by the
machine itself, each of which goes on; therefore the fact names the last few starts, and not only the last.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from rota.engine.crashpoints import reach
from rota.model.job import Job, StoredJob
from rota.plan.boot import boot_slot, plan_boot
from rota.plan.overlap import ActiveRun
from rota.ports import Launcher, Log, Store

BOOT_FACT = "boot"
_KEPT = 8
_JOBS_AT_ONCE = 250
_HUNDREDTH = 10_000
"""Systems count when a process began in hundredths of a second. A container may well start twice within a second."""


class Booter:
    """Decides once for each start of the machine."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        host: str,
        new_id: Callable[[datetime], str],
        log: Log,
        may_run: Callable[[Job], bool],
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._new_id = new_id
        self._log = log
        self._host = host if store.is_shared else ""
        self._may_run = may_run
        self._fact = f"{BOOT_FACT}:{host}" if store.is_shared else BOOT_FACT
        self._said = ""

    def decide(self, now: datetime) -> None:
        """Account for the start of this machine, inside the engine's transaction, after what the last start has left.

        1. Nothing, if it has been decided on.
        2. Find the jobs that are to run at a start, and give each its record: a run, or a skip.
        3. Write down that it is done.
        """
        self._said = ""
        known = (self._store.upkeep.fact(self._fact) or "").split()
        if self._launcher.boot in known:
            return
        started = self._launcher.machine_started(now)
        started -= timedelta(microseconds=started.microsecond % _HUNDREDTH)
        after, runs = 0, 0
        while batch := self._store.jobs.maybe_at_boot(after, _JOBS_AT_ONCE):
            runs += sum(self._decide_on(stored, started, now) for stored in batch)
            after = batch[-1].id
        self._store.upkeep.put_fact(self._fact, " ".join([*known, self._launcher.boot][-_KEPT:]))
        if runs:
            many = "1 job runs" if runs == 1 else f"{runs} jobs run"
            self._said = f"the machine started at {started:%Y-%m-%d %H:%M:%S} UTC; {many} because of that"

    def tell(self) -> None:
        """Say what was decided, when it is on disk."""
        if self._said:
            self._log.info(self._said)

    def _decide_on(self, stored: StoredJob, started: datetime, now: datetime) -> bool:
        """Record what becomes of a job's slot; True when it runs. A slot that has its run already keeps it."""
        slot = boot_slot(stored.job, started)
        if not stored.job.at_boot or not self._may_run(stored.job) or self._has_run(stored, slot):
            return False
        plan = plan_boot(stored, slot, now, self._active(stored))
        if plan is None:
            return False
        self._store.record_plan_if_unmoved(stored, plan, now, self._new_id, self._host)
        reach("mid-boot")
        return bool(plan.runs)

    def _has_run(self, stored: StoredJob, slot: datetime) -> bool:
        """Tell whether the slot has its run; of hosts that started in one instant each has its own."""
        return not self._host and self._store.runs.for_slot(stored.id, slot) is not None

    def _active(self, stored: StoredJob) -> list[ActiveRun]:
        """Return the job's runs that have not ended; of several hosts, those that are this one's alone."""
        runs = self._store.runs
        return runs.active_by_target(stored.id).get(self._host, []) if self._host else runs.active(stored.id)

"""What becomes of hosts that fell silent, and of what they ran: another attempt if policy gives one, else the end."""

from __future__ import annotations

from datetime import datetime

import msgspec

from rota.errors import Unreadable
from rota.model.host import SILENT
from rota.model.run import Run, State
from rota.model.settlement import Ended
from rota.plan.retry import GiveUp, TryAgain, decide_retry
from rota.ports import Log, Store


class Expirer:
    """Gives runs away of which nobody has heard."""

    def __init__(self, store: Store, log: Log) -> None:
        self._store = store
        self._log = log
        self._left: set[str] = set()
        """Runs that only a newer rota can decide on."""

    def expire(self, now: datetime) -> None:
        """Take what has expired, decide on each, and tell when that is on disk. Nobody can renew in between."""
        with self._store.transaction():
            told = [(run, self._decide_if_understood(run, now)) for run in self._store.hosts.take_expired()]
        for run, what in told:
            if what:
                self._log.warning(what, run.job, run.id)

    def _decide_if_understood(self, run: Run, now: datetime) -> str:
        """Decide, unless only a newer rota understands what the job's policy is: then it decides when it plans."""
        try:
            return self._decide(run, now)
        except Unreadable as error:
            if run.id in self._left:
                return ""
            self._left.add(run.id)
            return f"its lease is over, and what follows is left for a newer rota: {error}"

    def miss(self, now: datetime) -> None:
        """Tell, once, of each host that should be there and is not."""
        with self._store.transaction():
            names = self._store.hosts.miss_silent(SILENT)
            for name in names:
                self._store.ledger.add_event("host.gone", now, host=name)
        for name in names:
            after = "its runs are given away when their leases are over"
            self._log.warning(f"host {name} has not been seen for {SILENT.seconds} s; {after}")

    def _decide(self, run: Run, now: datetime) -> str:
        """End an attempt, and return what came of the run; a lost attempt counts like any other."""
        assert run.host is not None, "the store's CHECK: a running run has a host"
        host = self._store.hosts.find(run.host)
        name = run.host if host is None else host.name
        why = f"its host {name} has not been heard of for the time of a lease"
        ended = Ended(run.id, run.attempt, State.LOST, run.started_at, now, None, why)
        policy = self._store.jobs.definition(run.definition_id).policy
        decision = decide_retry(policy.retries, run.attempt, State.LOST, None, 0.0)
        self._store.ledger.add_event("run.expired", now, run.job_id, run.id, host=name, attempt=str(run.attempt))
        if run.cancel_at is not None:
            cancelled = msgspec.structs.replace(ended, state=State.CANCELLED, reason=f"{run.cancel_reason}; {why}")
            self._store.runs.settle_if_running(cancelled, run.host, now)
            return f"cancelled: {why}"
        if isinstance(decision, TryAgain):
            reason = f"attempt {run.attempt} lost: {why}; the next one follows"
            self._store.runs.rest_if_running(ended, run.host, now, now + decision.delay, reason)
            return f"attempt {run.attempt} is lost, because {why}; the next in {decision.delay.total_seconds():.1f}s"
        why = f"{why}; {decision.why}" if isinstance(decision, GiveUp) and decision.why else why
        self._store.runs.settle_if_running(msgspec.structs.replace(ended, reason=why), run.host, now)
        return f"lost: {why}"

"""Runs of a job for all hosts: one record a host, each with its host as target.

A host that has not been seen for a while gets none: its records would pile up, and nobody knows whether it comes back.
What is decided for one host (is its earlier run still active?) is decided by its own runs; a slot that a host passes
over for that has its record on that host, which says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from rota.model.host import Host, needs_of_target
from rota.model.job import Job
from rota.model.settlement import NewRun
from rota.plan.overlap import Refuse, decide_overlap
from rota.store.hosts import HostTable
from rota.store.jobs import JobTable
from rota.store.runs import RunTable

_SEEN = timedelta(minutes=1)


class Everywhere:
    """Makes a run for each host."""

    def __init__(self, jobs: JobTable, runs: RunTable, hosts: HostTable) -> None:
        self._jobs = jobs
        self._runs = runs
        self._hosts = hosts

    def add(self, new: NewRun, job: Job, now: datetime, new_id: Callable[[datetime], str]) -> None:
        """Add a run for each host that is there; the first has the id, and the request key, that were asked for."""
        active = self._runs.active_by_target(new.job_id) if new.slot is not None else {}
        for number, target in enumerate(self._targets()):
            one = msgspec.structs.replace(new, target=target)
            if number:
                one = msgspec.structs.replace(one, id=new_id(now), request_key=None)
            self._jobs.add_lane(job.policy.pool, needs_of_target(target))
            decision = decide_overlap(job.policy, active.get(target, []))
            if self._runs.add(one, job, now) and isinstance(decision, Refuse):
                self._runs.cancel_if_not_running(one.id, now, f"not started: {decision.why} on this host")

    def _targets(self) -> list[str]:
        """Return the hosts that are there and take runs; else those that are there, else all that are known."""
        since = self._hosts.clock() - _SEEN
        known = self._hosts.all()
        there = [host for host in known if host.seen_at >= since]
        chosen: list[Host] = [host for host in there if not host.drained] or there or known
        return [host.id for host in chosen]

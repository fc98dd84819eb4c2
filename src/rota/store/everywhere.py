"""Runs of a job for all hosts: one record a host, each with its host as target.

What is decided for one host (is its earlier run still active?) is decided by its own runs; a slot that a host passes
over has its record on that host, which says why. So has one that a host was not there for, for a day: nobody knows
whether it comes back, and then it is told to start what is due, not what was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from rota.errors import Conflict
from rota.model.host import Host, needs_of_target
from rota.model.job import Job
from rota.model.settlement import NewRun
from rota.plan.overlap import Refuse, decide_overlap
from rota.store.hosts import HostTable
from rota.store.jobs import JobTable
from rota.store.runs import RunTable

_SEEN, _MISSED = timedelta(minutes=1), timedelta(days=1)


class Everywhere:
    """Makes a run for each host."""

    def __init__(self, jobs: JobTable, runs: RunTable, hosts: HostTable) -> None:
        self._jobs = jobs
        self._runs = runs
        self._hosts = hosts

    def add(self, new: NewRun, job: Job, now: datetime, new_id: Callable[[datetime], str]) -> None:
        """Add a run for each host that is there; the first has the id, and the request key, that were asked for.

        Where nobody has been a host yet there is nothing to add, and whoever asked for a run is told so.
        """
        active = self._runs.active_by_target(new.job_id) if new.slot is not None else {}
        known, clock = self._hosts.all(), self._hosts.clock()
        if new.slot is None and not known:
            raise Conflict(
                f"job {job.name!r} runs once on each host, and no host is known yet; start one first: rota serve"
            )
        there = _there(known, clock)
        for host in there:
            decision = decide_overlap(job.policy, active.get(host.id, []))
            self._add(new, host, job, now, f"{decision.why} on this host" if isinstance(decision, Refuse) else "")
            new = msgspec.structs.replace(new, id=new_id(now), request_key=None)
        if new.slot is not None:
            for host in _missed(known, clock):
                if host not in there:
                    seen = f"{host.seen_at:%Y-%m-%d %H:%M:%S} UTC"
                    self._add(new, host, job, now, f"host {host.name} was not there; it was seen last at {seen}")
                    new = msgspec.structs.replace(new, id=new_id(now))

    def _add(self, new: NewRun, host: Host, job: Job, now: datetime, why_not: str) -> None:
        self._jobs.add_lane(job.policy.pool, needs_of_target(host.id))
        if self._runs.add(msgspec.structs.replace(new, target=host.id), job, now) and why_not:
            self._runs.cancel_if_not_running(new.id, now, f"not started: {why_not}")


def _there(known: Sequence[Host], clock: datetime) -> Sequence[Host]:
    """Return the hosts that are there and take runs; else those that are there, else all that are known."""
    there = [host for host in known if clock - host.seen_at <= _SEEN]
    return [host for host in there if not host.drained] or there or known


def _missed(known: Sequence[Host], clock: datetime) -> list[Host]:
    """Return the hosts that should be there: they were a while ago, and nobody has drained them."""
    return [host for host in known if _SEEN < clock - host.seen_at <= _MISSED and not host.drained]

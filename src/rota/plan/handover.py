"""Whether a host that is drained can hand an attempt over: another host must be allowed to begin the run again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rota.model.host import Host, Terms, may_run
from rota.model.job import Job
from rota.model.run import State
from rota.plan.retry import TryAgain, decide_retry


def can_hand_over(job: Job, attempt: int, others: Sequence[Host], now: datetime) -> bool:
    """Tell whether another attempt may follow, and on another host that is there.

    A job without retries is never begun twice, whatever people do with hosts: it finishes where it is. So does one that
    may run nowhere else.
    """
    if job.runs_on.all or not isinstance(decide_retry(job.policy.retries, attempt, State.LOST, None, 0.0), TryAgain):
        return False
    there = [host for host in others if not host.drained and not host.is_silent(now)]
    return any(may_run(job.runs_on.needs, host.id, Terms(host.name, host.labels)) for host in there)

"""Whether the engine that holds a home does its work: a process that is stopped, or hangs, still holds its lock.

An engine at work leaves nothing undone for long: what is due is planned within a second, and while nothing runs,
nothing that may start stays queued. What has been due for a while is looked at twice, because an engine that has just
started, or has very much to do, gets on with it in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from rota.control.host_names import a_few
from rota.control.times import brief
from rota.model.run import State
from rota.model.settlement import RunFilter
from rota.ports import Clock, Store

PATIENCE = timedelta(seconds=5)
_BETWEEN_LOOKS = 1.0
_QUEUED = 100


class Served(msgspec.Struct, frozen=True):
    """Who works on a store: the engine of this home, by its pid, and on a shared store the hosts that are there."""

    pid: int | None
    hosts: tuple[str, ...] = ()

    @property
    def by_anybody(self) -> bool:
        """Tell whether what is due will be done."""
        return self.pid is not None or bool(self.hosts)


def served(store: Store, clock: Clock, pid: int | None) -> Served:
    """Return who works on a store, where this home's engine has this pid, or does not run."""
    if not store.is_shared:
        return Served(pid)
    now = clock.now()
    return Served(pid, tuple(host.name for host in store.hosts.all() if not host.is_silent(now)))


def silence(store: Store, clock: Clock) -> timedelta | None:
    """Return for how long an engine has left undone what it should have done; None when it gets on."""
    before = undone_since(store)
    if before is None or clock.now() - before < PATIENCE:
        return None
    clock.sleep(_BETWEEN_LOOKS)
    return clock.now() - before if undone_since(store) == before else None


def late_by(store: Store, now: datetime) -> timedelta | None:
    """Return for how long something has been left undone that is due; None when nothing is, or only just."""
    since = undone_since(store)
    return None if since is None or now - since <= PATIENCE else now - since


def undone_since(store: Store) -> datetime | None:
    """Return since when something has been waiting for the engine, or will be."""
    instants = [store.jobs.next_wake(), _startable_since(store)]
    return min((instant for instant in instants if instant is not None), default=None)


def silence_text(by: Served, silent: timedelta) -> str:
    """Say that somebody is there, and does nothing."""
    if by.hosts:
        named = a_few(by.hosts)
        who, they = (f"host {named} has", "it is") if len(by.hosts) == 1 else (f"hosts {named} have", "they are")
        return (
            f"{who} not done for {brief(silent)} what is due: {they} drained, stopping, or unable to write the store. "
            "`rota hosts` and the logs there say more"
        )
    engine = by.pid
    return (
        f"the engine (pid {engine}) has not done for {brief(silent)} what is due: it is stopping, is stopped, hangs, "
        f"or cannot write the store. Its log says more, and `kill -CONT {engine}` wakes one that is stopped"
    )


def _startable_since(store: Store) -> datetime | None:
    """Return since when a run could have been started; None as well while others run, for they may take its place."""
    if store.runs.page(RunFilter(None, State.RUNNING.value), None, 1):
        return None
    pools = store.jobs.pools()
    startable = {}
    for run in store.runs.page(RunFilter(None, State.QUEUED.value), None, _QUEUED):
        if run.needs:
            continue  # its host may be another one, or none that there is
        size, taken = pools.get(store.jobs.definition(run.definition_id).policy.pool, (1, 0))
        if taken < size:
            startable[run.id] = (run.job_id, max(run.queued_at, run.ready_at or run.queued_at))
    held = {
        active.id for job_id in {job_id for job_id, _ in startable.values()} for active in store.runs.active(job_id)
        if active.held
    }  # fmt: skip
    return min((since for run_id, (_, since) in startable.items() if run_id not in held), default=None)

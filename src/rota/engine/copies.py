"""A home that was copied while its engine ran: what its store says is running belongs to the original."""

from __future__ import annotations

from datetime import datetime

from rota.model.run import State
from rota.model.settlement import Ended
from rota.ports import Log, Store


def disown(store: Store, host: str, original: str, now: datetime, log: Log) -> None:
    """End every run that the store says is running, inside the caller's transaction; nothing is adopted or signalled.

    No other attempt follows, whatever the policy says: the original still has its own.
    """
    if store.is_shared:  # what runs is in no copy, and goes on to be the original's
        log.warning(f"this home is a copy of {original}, and a host of its own from now on")
        store.ledger.add_event("home.copied", now, original=original, lost="0")
        return
    reason = f"this home is a copy of {original}; its runs belong to the original"
    runs = store.runs.running_on(host)
    for run in runs:
        ended = Ended(run.id, run.attempt, State.LOST, run.started_at, now, None, reason)
        store.runs.settle_if_running(ended, host, now)
    store.ledger.add_event("home.copied", now, original=original, lost=str(len(runs)))
    log.warning(
        f"this home is a copy of {original}, and a home of its own from now on. What was running ({len(runs)}) belongs "
        "to the original and is lost here; queued runs and schedules go on in both"
    )

"""`python -m bench.claimer URL HOST BATCH`: an engine's transactions without an engine, until nothing is left.

A turn is what `engine/loop.py` writes in one transaction: settle what ended, wake, plan what is due, claim, ask for the
next time. Nothing is started, so each turn ends what the turn before has claimed.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta

from bench.crew import say, wait_for_go
from rota.model.host import NewHost, Terms
from rota.model.run import State
from rota.model.settlement import Claimed, Ended
from rota.ports import Store
from rota.store.address import parse_address
from rota.store.store import TableStore
from rota.wiring.stores import postgres_at

_LEASE = timedelta(seconds=30)
_PLANNED_AT_ONCE = 250


def drain(store: Store, host: str, batch: int, *, plans: bool) -> None:
    """Turn until nothing is ready any more."""
    claimed: list[Claimed] = []
    spools = [f"spool-{number}" for number in range(batch)]
    terms = Terms(host, {}, _LEASE)
    while True:
        now = datetime.now(UTC)
        with store.transaction():
            for one in claimed:
                ended = Ended(one.run_id, one.attempt, State.SUCCEEDED, one.claimed_at, now, 0)
                if not store.runs.settle_if_running(ended, host, now):
                    raise RuntimeError(f"run {one.run_id} is somebody else's")
            if plans:
                store.runs.wake(now)
                store.jobs.due(now, _PLANNED_AT_ONCE)
            known = store.hosts.find(host)
            assert known is None or not known.drained
            claimed = store.runs.claim_ready(host, "boot", now, spools, None, terms)
            if plans:
                store.jobs.next_wake()
        if not claimed:
            return


def main(url: str, host: str, batch: str) -> None:
    store = TableStore(postgres_at(parse_address(url), patience=30.0))
    with store.transaction():
        store.hosts.register(NewHost(host, host, True, {}, int(batch), "bench"))
    wait_for_go()
    drain(store, host, int(batch), plans=host == "host-0")
    say(time.monotonic())


if __name__ == "__main__":
    main(*sys.argv[1:])

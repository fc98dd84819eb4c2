"""Two engines that are one host: a home that was copied to another machine while its engine runs.

Each would take the other's runs for its own, and give them away or end them. A copy on the same machine is known by its
place (config/place.py); one elsewhere only by its original, which is heard of in the store. An engine that was killed a
moment ago looks like that too, so the next one waits until it would have been heard of again. It need not wait where
the last one was on this machine, as it mostly was: that one is gone, or it would hold the home's lock.
"""

from __future__ import annotations

from datetime import timedelta

from rota.engine.trust import LONGEST_PAUSE
from rota.errors import Conflict
from rota.model.host import Host
from rota.ports import Clock, Log, Store

COPIED = "a home that is copied to another machine becomes a host of its own when rota.host is removed from the copy"
_MACHINE = "machine"
_HEARD_OF = LONGEST_PAUSE + timedelta(seconds=2)
_LOOK = 0.5


def note_machine(store: Store, host: str, boot: str) -> None:
    """Write down which machine's engine a host is, inside the engine's transaction."""
    store.upkeep.put_fact(f"{_MACHINE}:{host}", boot)


def refuse_twin(store: Store, host: str, boot: str, clock: Clock, log: Log) -> None:
    """Refuse to be a host whose last engine did not stop in order, while one is heard of on another machine."""
    if store.upkeep.fact(f"{_MACHINE}:{host}") == boot:
        return
    before = store.hosts.find(host)
    if before is None or not _is_recent(store, before):
        return
    how_long = f"is waited for, for {_HEARD_OF.seconds} s at most"
    log.info(f"this host's last engine was on another machine, or this one has restarted; a sign of it {how_long}")
    while _is_recent(store, before):
        clock.sleep(_LOOK)
        now = store.hosts.find(host)
        if now is not None and now.seen_at > before.seen_at:
            raise Conflict(f"host {now.name} is at work on another machine, with this home's id: {COPIED}")


def _is_recent(store: Store, seen: Host) -> bool:
    return store.hosts.clock() - seen.seen_at < _HEARD_OF

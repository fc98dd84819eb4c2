"""What an engine or a client needs where several hosts work on one store; with a store in the home that is little."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from rota import __version__
from rota.clock import FollowingClock
from rota.model.host import ALL, NewHost
from rota.ports import Clock, Log, Store
from rota.process.poke import PokeListener
from rota.wiring.stores import address_of

if TYPE_CHECKING:
    from rota.engine.beating import Alone
    from rota.engine.settings import EngineSettings
    from rota.store.listening import Listener

_OLDEST_READING = 30.0


def clock_of(store: Store, own: Clock, *, asks_by_itself: bool) -> Clock:
    """Return the clock that slots go by: the machine's own, or the database's where many machines have to agree.

    A client asks for the time by itself now and then; an engine does when it renews its leases.
    """
    if not store.is_shared:
        return own
    clock = FollowingClock(store.hosts.clock, own, _OLDEST_READING if asks_by_itself else float("inf"))
    clock.follow()
    return clock


def member_of(store: Store, home_id: str, clock: Clock, log: Log, settings: EngineSettings) -> Alone:
    """Return an engine's place among the hosts of its store."""
    from rota.engine.beating import Alone, Member

    host = NewHost(
        id=home_id,
        name=settings.host_name or _usual_name(),
        named=bool(settings.host_name),
        labels=settings.labels,
        capacity=settings.capacity,
        max_running=settings.max_running,
        version=__version__,
    )
    if isinstance(clock, FollowingClock) and store.is_shared:
        return Member(store, host, clock, log, settings.leases)
    return Alone(store, host)


class Wakes:
    """Pokes of this machine, and what the database says to all hosts."""

    def __init__(self, pokes: PokeListener, told: Listener | None) -> None:
        self._heard: list[PokeListener | Listener] = [pokes] if told is None else [pokes, told]
        self.fds = [each.fd for each in self._heard]

    def drain(self) -> bool:
        """Take all of them, and tell whether there was one."""
        heard = [each.drain() for each in self._heard]
        return any(heard)

    def close(self) -> None:
        """Stop listening."""
        for each in self._heard:
            each.close()


def wakes_of(home: str, log: Log) -> Wakes:
    """Return what wakes an engine."""
    pokes = PokeListener(home)
    if pokes.problem:
        log.warning(f"{pokes.problem}; what commands ask for is noticed within a second instead of at once")
    address = address_of(home)
    if address is None:
        return Wakes(pokes, None)
    if address.pooled:
        log.info("behind a proxy nothing can be listened to; what other hosts ask for is noticed within a second")
        return Wakes(pokes, None)
    from rota.store.listening import Listener

    return Wakes(pokes, Listener(address))


def _usual_name() -> str:
    """Return what this machine is called, without its domain."""
    name = socket.gethostname().partition(".")[0].strip()
    return name if name.isprintable() and name not in ("", ALL) and not name.startswith("-") else "host"

"""A host's place among others on one store: it says that it lives, keeps what is its own, and plans if need be.

Three things go by time here, all of them on the database's clock (docs/proof says why they are right together):

1. Every third of a lease a host renews the leases of what it runs. It is told what is its own still; the rest went
   elsewhere while it was silent, and its processes are ended.
2. Each second one host, and always the same as long as it lives, says that it plans. After three seconds of silence any
   other does; one of a newer version does at once. UNIQUE (job, slot, target) and the jobs' cursors are what keeps
   slots from being planned twice; that one host plans only saves the others the work.
3. The host that plans looks for leases that are over, and decides on those runs. After a time in which nobody could say
   anything, because the database was away, it waits for one lease first: whoever lived on renews in time.

With a store in the home there is one host, and all of this is nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from rota.clock import FollowingClock, steady
from rota.engine.expiring import Expirer
from rota.engine.flights import Flight
from rota.engine.trust import Leases, Trust
from rota.engine.twins import COPIED
from rota.errors import HomeGone
from rota.model.host import NewHost, Standing, Terms, may_run
from rota.model.job import Job
from rota.plan.handover import can_hand_over
from rota.ports import Log, Store

_LEADS_FOR = timedelta(seconds=3)
_OUTAGE = timedelta(seconds=5)
_LEAD_EVERY, _MISS_EVERY = 1.0, 5.0
_AT_ONCE = timedelta(seconds=-1)
"""Less than no time: a host is forgotten though it was seen just now."""


class Alone:
    """The only host of its store."""

    leads = True

    def __init__(self, store: Store, host: NewHost | None = None) -> None:
        self._store = store
        self._host = host

    def register(self) -> None:
        """Make this host known, inside the engine's transaction, and none that a copied home was before."""
        if self._host is None:
            return
        for host in self._store.hosts.all():
            if host.id != self._host.id:
                self._store.hosts.forget_if_gone(host.id, _AT_ONCE)
        self._store.hosts.register(self._host)

    def terms(self, flights: Mapping[str, Flight]) -> Terms:  # noqa: ARG002 -- of a member's signature
        """Return on what terms it claims."""
        return Terms() if self._host is None else Terms(self._host.name, self._host.labels)

    def limit(self, capacity: int, max_running: int | None) -> None:
        """Say how much it takes at once from now on, and how much it says that all hosts may."""
        if self._host is not None:
            self._host = msgspec.structs.replace(self._host, capacity=capacity, max_running=max_running)

    def may_run(self, job: Job) -> bool:  # noqa: ARG002 -- the same
        """Tell whether this host is one that a job may run on."""
        return True

    def may_claim(self) -> bool:
        """Tell whether nobody has drained this host."""
        return True

    def to_hand_over(self, flights: Mapping[str, Flight]) -> list[Flight]:  # noqa: ARG002 -- the same
        """Return the attempts that somebody wants other hosts to go on with."""
        return []

    def of_machine(self, at: datetime) -> datetime:
        """Return when that was that this machine's clock showed, on the clock that slots go by."""
        return at

    def asks(self) -> float:
        """Return the time at which something is asked for."""
        return 0.0

    def trusts(self, asked: float) -> bool:  # noqa: ARG002 -- the same
        """Tell whether what was asked for at that time may be relied on."""
        return True

    def tick(self, flights: Mapping[str, Flight], *, planning: bool) -> list[Flight]:  # noqa: ARG002 -- the same
        """Do what is due by time, and return attempts that are not this host's any more."""
        return []

    def take_change(self) -> bool:
        """Tell whether something has changed that the next turn must look at."""
        return False

    def resign(self) -> None:
        """Let others do at once what this host did for all."""


class Member(Alone):
    """One of several hosts of a store."""

    leads = False

    def __init__(
        self,
        store: Store,
        host: NewHost,
        clock: FollowingClock,
        log: Log,
        leases: Leases,
        now_steady: Callable[[], float] = steady,
    ) -> None:
        super().__init__(store, host)
        self._me = host
        self._name = host.name
        self._clock = clock
        self._log = log
        self._leases = leases
        self._steady = now_steady
        self._trust = Trust(leases)
        self._expirer = Expirer(store, log)
        self._lead_due = self._miss_due = float("-inf")
        self._standing = Standing()
        self._limits_unsaid = False
        self._began = datetime.max.replace(tzinfo=UTC)
        """When this engine did, by the database's clock; nobody is heard of before that is known."""
        self._changed = True
        """Whoever has just registered has yet to learn whether it plans."""

    def register(self) -> None:
        """Make this host known, and tell when another name was found for it."""
        known = self._store.hosts.register(self._me)
        if known.name != self._name:
            self._log.info(f"there is another host of this name on the store, so this one is {known.name}")
        self._name, self._began = known.name, known.started_at

    def terms(self, flights: Mapping[str, Flight]) -> Terms:
        """Return on what terms it claims: nothing of which an earlier attempt still lives here."""
        return Terms(self._name, self._me.labels, self._leases.lasts, self._standing.max_running, flights.keys())

    def may_run(self, job: Job) -> bool:
        """Tell whether this host is one that a job may run on."""
        return may_run(job.runs_on.needs, self._me.id, Terms(self._name, self._me.labels))

    def may_claim(self) -> bool:
        """Tell whether nobody has drained this host, inside the engine's transaction."""
        self._standing = self._store.hosts.standing(self._me.id)
        return not self._standing.drained

    def to_hand_over(self, flights: Mapping[str, Flight]) -> list[Flight]:
        """Return the attempts that somebody wants other hosts to go on with; plan/handover.py says which can."""
        here = [flight for flight in flights.values() if flight.ending is None and flight.exited is None]
        if not self._standing.hands_over or not here:
            return []
        others = [host for host in self._store.hosts.all() if host.id != self._me.id]
        now = self._clock.now()
        return [flight for flight in here if can_hand_over(flight.job, flight.attempt, others, now)]

    def of_machine(self, at: datetime) -> datetime:
        """Return when that was that this machine's clock showed, on the database's."""
        return self._clock.of_machine(at)

    def asks(self) -> float:
        """Return the time at which something is asked for, on a clock that goes on while the machine sleeps."""
        return self._steady()

    def trusts(self, asked: float) -> bool:
        """Tell whether what was asked for at that time may be relied on."""
        return self._trust.holds_since(asked, self._steady())

    def limit(self, capacity: int, max_running: int | None) -> None:
        """Say, with the next sign of life, how much it takes at once from now on, and how much all hosts may."""
        self._me = msgspec.structs.replace(self._me, capacity=capacity, max_running=max_running)
        self._limits_unsaid = True

    def tick(self, flights: Mapping[str, Flight], *, planning: bool) -> list[Flight]:
        """Do what is due by time, and return attempts that are not this host's any more.

        An engine that is stopping plans nothing, however long it waits for what runs; so it lets another host plan.
        """
        if self._limits_unsaid:
            self._store.hosts.limit(self._me.id, self._me.capacity, self._me.max_running)
            self._limits_unsaid = False
        lost = self._beat(flights) if self._trust.is_due(self._steady()) else []
        if not planning:
            if self.leads:
                self.resign()
        elif self._steady() - self._lead_due >= 0:
            self._lead()
        return lost

    def take_change(self) -> bool:
        """Tell whether something has changed that the next turn must look at."""
        changed, self._changed = self._changed, False
        return changed

    def resign(self) -> None:
        """Let another host plan at once."""
        self._store.hosts.resign(self._me.id)
        self.leads = False

    def _beat(self, flights: Mapping[str, Flight]) -> list[Flight]:
        """Renew, and find what flies here and is somebody else's by the database's word."""
        asked = self._steady()
        was_trusted = self._trust.holds(asked)
        told = self._store.hosts.beat(self._me.id, self._leases.lasts)
        self._trust.answered(asked)
        self._clock.follow()
        self._store.refuse_newer()
        if told.began is not None and told.began > self._began:
            text = f"an engine on another machine is host {self._name} now, with this home's id: {COPIED}"
            self._log.error(text)
            raise HomeGone(text)
        if told.began != self._began:  # it was forgotten, or the database is an older one
            with self._store.transaction():
                self.register()
        lost = [flight for flight in flights.values() if (flight.run_id, flight.attempt) not in told.own]
        if lost and was_trusted:
            runs = "1 run is" if len(lost) == 1 else f"{len(lost)} runs are"
            self._log.warning(f"{runs} not this host's any more, though the leases were not over")
        return lost

    def _lead(self) -> None:
        """Plan if nobody else does, and decide on what nobody owns any more."""
        told = self._store.hosts.lead(self._me.id, _LEADS_FOR, _OUTAGE, self._leases.lasts)
        led, self.leads = self.leads, told.plans
        self._lead_due = self._steady() + _LEAD_EVERY
        if self.leads and not led:
            self._log.info("this host plans from now on")
            self._changed = True
        if self.leads and self._lead_due >= self._miss_due:
            self._miss_due = self._lead_due + _MISS_EVERY
            self._expirer.miss(self._clock.now())
        if told.expired:
            self._expirer.expire(self._clock.now())
            self._changed = True

"""Hosts, their leases, and who plans. All of it goes by the database's clock.

A sign of life is no change that others must look at, so these statements return rows, and are asked like questions.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rota.errors import Conflict
from rota.model.host import Beat, Host, Lead, NewHost, Standing, labels_text
from rota.model.run import Run
from rota.store import rows
from rota.store.database import Database
from rota.store.instants import from_us, span_us

_EXPIRED_AT_ONCE = 100


class HostTable:
    """The moves on hosts; see ports.HostStore."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def clock(self) -> datetime:
        """Return the time that slots and leases go by."""
        row = self._db.one("database_clock")
        assert row is not None, "a clock always shows something"
        return from_us(row[0])

    def register(self, new: NewHost) -> Host:
        """Make a host known, under its name or, when that is taken and nobody chose it, under the next like it."""
        self._db.lock("lock_hosts")
        taken = {host.name for host in self.all() if host.id != new.id}
        name, number = new.name, 1
        if new.named and name in taken:
            raise Conflict(
                f"there is another host named {name!r} on this store; choose another --host-name, or, if that host is "
                f"gone for good: rota hosts forget {name}"
            )
        while name in taken:
            number += 1
            name = f"{new.name}-{number}"
        self._db.run(
            "register_host",
            id=new.id,
            name=name,
            labels=labels_text(new.labels),
            capacity=new.capacity,
            max_running=new.max_running,
            version=new.version,
            schema=self._db.knows,
        )
        found = self.find(new.id)
        assert found is not None, "it was written just now"
        return found

    def beat(self, host_id: str, lease: timedelta) -> Beat:
        """Say that a host lives: what is its own stays so for a lease."""
        row = self._db.one("see_host", id=host_id)
        self._db.all("renew_leases", host=host_id, lease=span_us(lease))
        own = self._db.all("own_running", host=host_id)
        began = None if row is None else from_us(row["started_at"])
        return Beat(began, frozenset((r["id"], r["attempt"]) for r in own))

    def miss_silent(self, silent: timedelta) -> list[str]:
        """Return the names of hosts that should be there and were not seen for so long; of each once."""
        return sorted(row["name"] for row in self._db.all("miss_silent", silent=span_us(silent)))

    def all(self) -> list[Host]:
        """Return every host by name."""
        return [rows.host(row) for row in self._db.all("hosts")]

    def find(self, name: str) -> Host | None:
        """Return the host of a name or an id."""
        row = self._db.one("host_named", name=name)
        return None if row is None else rows.host(row)

    def running_counts(self) -> dict[str, int]:
        """Return how many attempts each host has, by its id; none of a host that has none."""
        return {row["host"]: row["runs"] for row in self._db.all("running_counts")}

    def limit(self, host_id: str, capacity: int, max_running: int | None) -> None:
        """Say how much a host takes at once, and how much it says that all hosts may."""
        self._db.run("limit_host", id=host_id, capacity=capacity, max_running=max_running)

    def standing(self, host_id: str) -> Standing:
        """Return what a host has to know before it claims; one that was forgotten may go on."""
        row = self._db.one("standing", id=host_id)
        if row is None:
            return Standing()
        return Standing(bool(row["drained"]), bool(row["hands_over"]), row["max_running"])

    def set_drained(self, host_id: str, drained: bool, hands_over: bool) -> bool:
        """Let a host claim nothing more, and perhaps hand over what it has; or let it claim again.

        A claim that is being made is waited for, so what runs there afterwards is all that will.
        """
        self._db.lock("lock_claims")
        return self._db.run("drain_host", id=host_id, drained=int(drained), hands_over=int(hands_over)) > 0

    def planner(self) -> str:
        """Return the id of the host that plans; nothing while none does."""
        row = self._db.one("planner")
        return "" if row is None else str(row[0])

    def forget_if_gone(self, host_id: str, silent: timedelta) -> bool:
        """Forget a host that was not seen for so long, and of which nothing runs."""
        return self._db.run("forget_host_if_gone", id=host_id, silent=span_us(silent)) > 0

    def take_expired(self) -> list[Run]:
        """Return runs whose leases are over, to be ended or queued again within the transaction."""
        return [rows.run(row) for row in self._db.all("take_expired", limit=_EXPIRED_AT_ONCE)]

    def lead(self, host_id: str, span: timedelta, outage: timedelta, lease: timedelta) -> Lead:
        """Be the one who plans, for a span, if nobody else is; a silence of all begins a grace for leases."""
        spans = {"span": span_us(span), "outage": span_us(outage), "lease": span_us(lease)}
        row = self._db.one("lead", host=host_id, **spans)
        return Lead(row is not None, row is not None and bool(row[0]))

    def resign(self, host_id: str) -> None:
        """Let the next one plan at once."""
        self._db.run("resign", host=host_id)

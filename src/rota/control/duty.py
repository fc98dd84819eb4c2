"""Who does what is due: the engine of this home, other hosts of its store, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from rota.control.desk import Desk
from rota.control.pulse import late_by
from rota.control.times import rough
from rota.model.host import Host

_MOST_NAMED = 3


class Duty(msgspec.Struct, frozen=True):
    """Whether what is due is being done, and by whom."""

    engine: int | None
    """The pid of this home's engine."""
    is_stopped: bool = False
    """It is there, but was stopped (SIGSTOP): it does nothing, even if nothing is due yet."""
    late: timedelta | None = None
    """For how long something has been left undone that is due; None when nothing is, or only just."""
    is_shared: bool = False
    """Whether other hosts may work on the store as well."""
    host: str = ""
    """What this host is called; nothing where it was never one."""
    others: tuple[str, ...] = ()
    """The other hosts that were seen lately."""
    drained: tuple[str, ...] = ()
    """Those of all that are there which start nothing more."""
    gone: tuple[str, ...] = ()
    """Those that should be there, and were not seen lately."""
    planner: str = ""
    """The one that plans, where there are several."""

    @property
    def works_here(self) -> bool:
        """Tell whether this home's engine is at work."""
        return self.engine is not None and not self.is_stopped

    @property
    def is_served(self) -> bool:
        """Tell whether any host is there."""
        return self.works_here or bool(self.others)

    @property
    def all_drained(self) -> bool:
        """Tell whether hosts are there, and none of them starts anything."""
        return bool(self.drained) and len(self.drained) == len(self.others) + self.works_here

    @property
    def is_scheduling(self) -> bool:
        """Tell whether what is due is being done."""
        return self.is_served and self.late is None and not self.all_drained

    @property
    def here(self) -> str:
        """Name this host in a sentence."""
        return self.host or "this host"

    def why_not_here(self) -> str:
        """Say what is the matter with this home's engine, and who does its work meanwhile; nothing if it is at work."""
        if self.works_here:
            return ""
        if not self.is_shared:
            return (
                "the engine was stopped; `kill -CONT` with its pid lets it go on"
                if self.is_stopped
                else "no engine is running"
            )
        what = f"the engine of {self.here} was stopped" if self.is_stopped else f"no engine is running on {self.here}"
        if not self.others:
            return f"{what}, and no other host is there"
        return f"{what}; {listed(self.others)} {'does' if len(self.others) == 1 else 'do'} what is due"

    def why_late(self) -> str:
        """Say that something is left undone; nothing if it is not."""
        if self.late is None:
            return ""
        return f"{self.who_has} left something undone for {self.late.total_seconds():.0f}s"

    @property
    def who_has(self) -> str:
        """Begin a sentence about what was left undone."""
        return f"the hosts, of which {self.planner or 'none'} plans, have" if self.is_shared else "the engine has"


class Pulse(msgspec.Struct, frozen=True):
    """The same in a word and in a sentence, and how bad it is."""

    word: str
    sentence: str
    tone: str


def duty_of(desk: Desk, now: datetime) -> Duty:
    """Return who does what is due."""
    engine, is_stopped, late = desk.engine_pid(), desk.engine_is_stopped(), late_by(desk.store, now)
    if not desk.store.is_shared:
        return Duty(engine, is_stopped, late)
    hosts = desk.store.hosts.all()
    names = {host.id: host.name for host in hosts}
    there = [host for host in hosts if not host.is_silent(now)]
    others = [host for host in there if host.id != desk.home_id]
    at_work = others + [host for host in hosts if host.id == desk.home_id and engine is not None and not is_stopped]
    return Duty(
        engine,
        is_stopped,
        late,
        is_shared=True,
        host=names.get(desk.home_id, ""),
        others=_names(others),
        drained=_names([host for host in at_work if host.drained]),
        gone=_names([host for host in hosts if host.is_silent(now) and not host.stopped and not host.drained]),
        planner=names.get(desk.store.hosts.planner(), ""),
    )


def pulse_of(duty: Duty) -> Pulse:
    """Say whether what is due is being done."""
    if not duty.is_served:
        return _nobody(duty)
    if duty.all_drained:
        return Pulse("drained", "Every host is drained: nothing starts until one of them is resumed.", "late")
    if duty.late is not None:
        why = "they hang, or have" if duty.is_shared else "it hangs, or has"
        who = duty.who_has[0].upper() + duty.who_has[1:]
        text = f"{who} not done for {rough(duty.late)} what is due: {why} too much to do."
        return Pulse(f"{rough(duty.late)} late", text, "late")
    if duty.works_here:
        by = f" by {listed((duty.here, *duty.others))}; {duty.planner or 'none'} plans" if duty.others else ""
        return Pulse("scheduling", f"What is due is being done{by}.", "succeeded")
    by = f"What is due is being done by {listed(duty.others)}"
    if duty.is_stopped:
        text = f"The engine of {duty.here} is stopped by a signal, and does nothing until it is let go on. {by}."
        return Pulse("stopped here", text, "late")
    return Pulse("scheduling", f"{by}; no engine runs on {duty.here}.", "succeeded")


def _nobody(duty: Duty) -> Pulse:
    if duty.is_stopped:
        who = f"The engine of {duty.here}" if duty.is_shared else "The engine"
        alone = ", and no other host is there" if duty.is_shared else ""
        return Pulse("stopped", f"{who} is stopped by a signal{alone}: nothing starts until it is let go on.", "failed")
    what = "No engine runs on any host" if duty.is_shared else "No engine runs"
    return Pulse("not running", f"{what}: nothing starts until somebody runs rota serve.", "failed")


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them; many are counted."""
    if len(names) > _MOST_NAMED:
        return f"{len(names)} hosts"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _names(hosts: Sequence[Host]) -> tuple[str, ...]:
    return tuple(host.name for host in hosts)

"""The verbs and questions about hosts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from rota.control.host_names import a_few, host_named
from rota.control.pulse import Served
from rota.errors import Conflict
from rota.model.host import SILENT, Host, Terms, may_run, target_of
from rota.model.run import Run
from rota.ports import Clock, Store

_STOPPED, _GONE = "stopped", "gone"


class HostView(msgspec.Struct, frozen=True):
    """A host, what it does, and how much."""

    host: Host
    state: str
    """`up`; `draining` while it has something to finish or hand over, then `drained`; `stopped` in order, or `gone`."""
    running: int
    plans: bool
    """Whether it is the one that plans for all."""


class Hosts:
    """Which hosts there are, and what people say to them."""

    def __init__(self, store: Store, clock: Clock, is_up: Callable[[], bool], poke: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._is_up = is_up
        """Whether this home's engine runs: how the host of a store in a home is seen."""
        self._poke = poke

    def all(self) -> list[HostView]:
        """Return every host by name."""
        planner, running = self._planner(), self._store.hosts.running_counts()
        return [self._view(host, running.get(host.id, 0), planner) for host in self._store.hosts.all()]

    def one(self, name: str) -> HostView:
        """Return one host, by its name or its id."""
        return self._one(host_named(self._store, name))

    def running(self, name: str) -> list[Run]:
        """Return what runs there."""
        return self._store.runs.running_on(host_named(self._store, name).id)

    def drain(self, name: str, *, hand_over: bool = False) -> HostView:
        """Let a host start nothing more; what runs there finishes, or begins again elsewhere if it may."""
        return self._set_drained(name, drained=True, hands_over=hand_over)

    def resume(self, name: str) -> HostView:
        """Let it start runs again."""
        return self._set_drained(name, drained=False, hands_over=False)

    def forget(self, name: str) -> HostView:
        """Forget a host that is gone; one that is not, or of which something runs, is not forgotten.

        What was its alone to run (a slot for all hosts, a start of its machine) would wait for it for ever, so it ends.
        """
        host = host_named(self._store, name)
        view = self._one(host)
        if view.running:
            raise Conflict(
                f"as far as anybody knows, host {host.name!r} still has {view.running} running; wait until its leases "
                "are over and they are given away, or end them (rota cancel)"
            )
        silent = SILENT if self._store.is_shared else timedelta(0)
        with self._store.transaction():
            if view.state not in (_STOPPED, _GONE):
                raise Conflict(
                    f"host {host.name!r} is {view.state}; stop its engine first, and wait {SILENT.seconds} seconds"
                )
            if not self._store.hosts.forget_if_gone(host.id, silent):
                raise Conflict(
                    f"host {host.name!r} was seen less than {SILENT.seconds} seconds ago; try again when they are over"
                )
            for run_id in self._store.runs.waiting_for(host.id):
                why = f"not started: host {host.name} was forgotten"
                self._store.runs.cancel_if_not_running(run_id, self._clock.now(), why)
            self._tell("host.forgotten", host)
        return view

    def _set_drained(self, name: str, *, drained: bool, hands_over: bool) -> HostView:
        host = host_named(self._store, name)
        if not self._store.is_shared:
            raise Conflict("the store in a home has one host; stop its engine instead, with --on-stop wait")
        if (host.drained, host.hands_over) != (drained, hands_over):
            with self._store.transaction():
                if self._store.hosts.set_drained(host.id, drained, hands_over):
                    self._tell("host.drained" if drained else "host.resumed", host)
            self._poke()
        return self.one(host.id)

    def _tell(self, kind: str, host: Host) -> None:
        self._store.ledger.add_event(kind, self._clock.now(), host=host.name)

    def _planner(self) -> str:
        return self._store.hosts.planner() if self._store.is_shared else ""

    def _one(self, host: Host) -> HostView:
        return self._view(host, self._store.hosts.running_counts().get(host.id, 0), self._planner())

    def _view(self, host: Host, running: int, planner: str) -> HostView:
        now = self._clock.now()
        gone = host.is_silent(now) if self._store.is_shared else not self._is_up()
        if not gone and not self._store.is_shared:  # alone it beats for nobody: its lock says that it is there
            host = msgspec.structs.replace(host, seen_at=now)
        return HostView(host, _state(host, running, gone=gone), running, planner == host.id)


def _state(host: Host, running: int, *, gone: bool) -> str:
    if gone:
        return _STOPPED if host.stopped else _GONE
    if host.drained:
        return "draining" if running else "drained"
    return "up"


def unwatched(store: Store, clock: Clock, run: Run, by: Served) -> str:
    """Say that nobody watches a run that is running, and what becomes of it; nothing when somebody does."""
    host = store.hosts.find(run.host or "") if store.is_shared else None
    if host is not None and host.is_silent(clock.now()):
        why = "was stopped" if host.stopped else "has not been seen lately"
        return f"its host {host.name} {why}; when its lease is over, the run is given away"
    return "" if by.by_anybody else "no engine watches it now; the next one that starts takes it over"


def waits_for_host(store: Store, clock: Clock, run: Run) -> str:
    """Say which host a queued run waits for, if none that may run it is there; else nothing."""
    if not run.needs:
        return _all_drained(store, clock)
    asked = store.jobs.definition(run.definition_id).runs_on
    where, target = asked.words(), target_of(run.needs)
    if target:
        known = store.hosts.find(target)
        where = f"host {known.name if known else target}"
    fit = [host for host in store.hosts.all() if may_run(run.needs, host.id, Terms(host.name, host.labels))]
    if not fit:
        return f"it may only run on {where}, and none is known (`rota hosts` lists them)"
    names = a_few([host.name for host in fit])
    which = "" if where == f"host {names}" else f" ({names})"
    if all(host.drained for host in fit):
        are = "is" if target or asked.host else "are"
        return f"it may only run on {where}, which {are} drained{which}; `rota hosts resume` ends that"
    there = [host for host in fit if not host.drained and not host.is_silent(clock.now())]
    if store.is_shared and not there:
        return f"it may only run on {where}, and no engine was seen there lately{which}"
    return ""


def _all_drained(store: Store, clock: Clock) -> str:
    """Say that every host that is there is drained, where that is what any run waits for."""
    there = [host for host in store.hosts.all() if not host.is_silent(clock.now())] if store.is_shared else []
    if not there or not all(host.drained for host in there):
        return ""
    return (
        f"every host that is there is drained ({a_few([host.name for host in there])}); `rota hosts resume` ends that"
    )

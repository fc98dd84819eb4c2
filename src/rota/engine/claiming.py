"""The claiming tick: ready runs become attempts on disk, and then processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from rota.engine.flights import Exited, Flight
from rota.engine.settings import EngineSettings
from rota.errors import CannotStart, Unreadable
from rota.model.host import Terms
from rota.model.job import Job
from rota.model.settlement import Claimed
from rota.ports import Clock, Launcher, Log, Store

CLAIMS_A_TURN = 64
"""More than this are claimed in the next turn, so that ends are noticed while a burst starts."""


class Claimer:
    """Claims inside the engine's transaction; launches after it."""

    def __init__(
        self, store: Store, launcher: Launcher, host: str, clock: Clock, settings: EngineSettings, log: Log
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._clock = clock
        self._log = log
        self._left: set[str] = set()
        """Runs that are left for others, because only a newer rota understands what they are to do."""
        self.limit(settings.capacity, settings.max_running)

    def limit(self, capacity: int, max_running: int | None) -> None:
        """Go by other limits from now on; what runs already goes on."""
        self.capacity, self.max_running = capacity, max_running

    def claim(self, now: datetime, flying: Mapping[str, Flight], terms: Terms) -> list[tuple[Claimed, Job]]:
        """Claim as many ready runs as there is room for, and return each with what it runs.

        Definitions are read here: once the claims are on disk, nothing may fail before they are started.
        """
        free = min(self.capacity - len(flying), CLAIMS_A_TURN)
        if free <= 0:
            return []
        spools = self._launcher.reserve(free)
        limits = [limit for limit in (self.max_running, terms.max_running) if limit is not None]
        most, boot = min(limits, default=None), self._launcher.boot
        if self._left:
            terms = msgspec.structs.replace(terms, busy_with={*terms.busy_with, *self._left})
        claimed = self._store.runs.claim_ready(self._host, boot, now, spools, most, terms)
        return [(one, job) for one in claimed if (job := self._understood(one, now)) is not None]

    def _understood(self, claimed: Claimed, now: datetime) -> Job | None:
        """Return what a run does; one that only a newer rota understands is given back, and left for others."""
        try:
            return self._store.jobs.definition(claimed.definition_id)
        except Unreadable as error:
            self._store.runs.give_back_if_running(claimed.run_id, claimed.attempt, self._host, now, str(error))
            self._left.add(claimed.run_id)
            self._log.warning(f"left for a newer rota: {error}", claimed.job_name, claimed.run_id)
            return None

    def launch(self, claimed: Claimed, job: Job, ended: Callable[[Flight, Exited], None]) -> Flight:
        """Start a claimed attempt; one that cannot be started has ended with a shell's code for that."""
        failure = None
        try:
            self._launcher.launch(claimed, job)
        except CannotStart as error:
            failure = error
        flight = Flight(claimed.run_id, claimed.attempt, job, self._clock.now(), claimed.slot)
        if failure is not None:
            ended(flight, Exited(failure.code, flight.started_at, failure.why))
        return flight

"""Telling a program's own functions how runs went: after the fact, in a thread of their own, in nobody's way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from rota.call import told
from rota.errors import RotaError
from rota.model.run import FINAL, Run
from rota.sdk.awaiting import finished

if TYPE_CHECKING:
    from rota.wiring.inside import Household

Listener = Callable[[Run], object]
_KINDS = {f"run.{state}" for state in FINAL}
_BATCH = 500
_LOOK = 0.5


class Listeners:
    """Reads the events that the store has on record, and calls who listens for them."""

    def __init__(self, household: Household) -> None:
        self._household = household
        self._listeners: list[tuple[str | None, frozenset[str], Listener]] = []
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._seen = 0

    def add(self, job: str | None, states: frozenset[str], listener: Listener) -> None:
        """Call a function after each run (of one job, or of all) that ends in one of these states."""
        if not callable(listener):
            raise RotaError(f"{listener!r} cannot be called; give a function that takes a run")
        self._listeners.append((job, states, listener))
        if self._thread is None:
            self._seen = self._last()
            self._thread = threading.Thread(target=self._listen, name="rota listeners", daemon=True)
            self._thread.start()

    def _last(self) -> int:
        last = 0
        with self._household.lock:
            while batch := self._household.store.ledger.events(last, _BATCH):
                last = batch[-1].seq
        return last

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                ended = self._take()
            except RotaError as error:  # the store cannot be read now, or it was closed
                self._household.log.error(f"the ends of runs cannot be read: {error}")  # noqa: TRY400 -- not Python's logging
                self._closed.wait(_LOOK)
                continue
            for run in ended:
                self._tell(run)
            if not ended:
                self._rest()

    def _take(self) -> list[Run]:
        found: list[Run] = []
        with self._household.lock:
            if self._closed.is_set():
                return []
            events = self._household.store.ledger.events(self._seen, _BATCH)
            for event in events:
                self._seen = event.seq
                if event.kind in _KINDS and event.run_id is not None:
                    run = self._household.store.runs.find(event.run_id)
                    found += [run] if run is not None else []
        return found

    def _rest(self) -> None:
        """Wait until there may be something new: an engine of ours says when, another's is asked now and then."""
        background = self._household.background
        if background is None:
            self._household.begun.wait(_LOOK)
            return
        with background.turned:  # the engine writes under the same lock, so nothing comes between look and wait
            if not self._closed.is_set() and not self._household.store.ledger.events(self._seen, 1):
                background.turned.wait(_LOOK)

    def _tell(self, run: Run) -> None:
        for job, states, listener in list(self._listeners):
            if job in (None, run.job) and run.state in states:
                try:
                    finished(listener(run))
                except (Exception, SystemExit) as error:  # noqa: BLE001 -- what a listener does wrong is no run's fault
                    name = getattr(listener, "__qualname__", repr(listener))
                    self._household.log.error(  # noqa: TRY400 -- not Python's logging
                        f"{name} failed: {told(error)}", run.job, run.id
                    )

    def close(self) -> None:
        """Tell of everything that is on record, and stop."""
        if self._thread is None:
            return
        for run in self._take():
            self._tell(run)
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(_LOOK * 4)

"""Adopting: a starting engine meets the runs that its predecessor left. plan/adopt.py says what it may conclude."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from rota.engine.flights import Ending, Exited, Flight
from rota.errors import Conflict, Unreadable
from rota.model.run import Run
from rota.model.settlement import Exit
from rota.plan.adopt import GiveBack, Lose, Settle, WatchOn, decide_adoption
from rota.ports import Launcher, Log, Store

_BLUR = timedelta(seconds=1)
_SIGNALLED = 128


class Adopter:
    """Takes over, once, at the start."""

    def __init__(
        self, store: Store, launcher: Launcher, host: str, log: Log, of_machine: Callable[[datetime], datetime]
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._log = log
        self._of_machine = of_machine
        """What is found on the machine has times of the machine's clock."""
        self._unstarted: list[tuple[Run, GiveBack]] = []

    def adopt(self, now: datetime, ended: Callable[[Flight, Exited], None]) -> list[Flight]:
        """Take over every run that the store says is running here; nothing is written yet.

        0. Refuse, if some of them live where they can be neither seen nor watched.
        1. Gather the evidence for all of them at once.
        2. Remember the claims that provably never started, to be given back.
        3. Make a flight of every other: it goes on, or has ended with a known code, or is lost.
        """
        runs = self._store.runs.running_on(self._host)
        elsewhere = self._launcher.elsewhere(runs)
        if elsewhere:
            raise Conflict(
                f"{', '.join(elsewhere)}: still running in another container, where this engine cannot see them; "
                "start the engine there, or end them first"
            )
        evidence = self._launcher.evidence(runs)
        flights = []
        for run in runs:
            decision = decide_adoption(evidence[run.id])
            if isinstance(decision, GiveBack):
                self._unstarted.append((run, decision))
                continue
            flights.append(self._take_over(run, decision, now, ended))
        return flights

    def give_back(self, now: datetime) -> None:
        """Queue the claims again that never started, inside the engine's transaction; cancelled ones end here."""
        for run, decision in self._unstarted:
            self._store.runs.give_back_if_running(run.id, run.attempt, self._host, now, decision.why)
            if run.cancel_at is not None:
                self._store.runs.cancel_if_not_running(run.id, now, run.cancel_reason)

    def give_back_unanswered(self, flights: Mapping[str, Flight], now: datetime) -> None:
        """Queue the claims again whose commit was never answered, but done: what does not fly here was not started."""
        for run in self._store.runs.running_on(self._host):
            flight = flights.get(run.id)
            if flight is not None and flight.attempt == run.attempt:
                continue
            why = "the store went away while it was claimed"
            self._store.runs.give_back_if_running(run.id, run.attempt, self._host, now, why)
            if run.cancel_at is not None:
                self._store.runs.cancel_if_not_running(run.id, now, run.cancel_reason)
            self._log.warning(f"not started, and queued again: {why}", run.job, run.id)

    def tell(self) -> None:
        """Say what was given back, when it is on disk; from then on nobody needs what the old attempts left."""
        for run, decision in self._unstarted:
            self._log.info(f"not started before the engine ended; queued again: {decision.why}", run.job, run.id)
        self._unstarted.clear()
        self._launcher.sweep()

    def _take_over(
        self, run: Run, decision: Settle | WatchOn | Lose, now: datetime, ended: Callable[[Flight, Exited], None]
    ) -> Flight:
        try:
            job = self._store.jobs.definition(run.definition_id)
        except Unreadable as error:
            why = f"run {run.id} of job {run.job!r} is running here: {error}; start the newer rota here again"
            raise Unreadable(why) from error
        assert run.started_at is not None, "the store's CHECK: a running run has a start"
        flight = Flight(run.id, run.attempt, job, run.started_at, run.slot)
        goes_on = self._launcher.adopt(run, job, decision.pid if isinstance(decision, WatchOn) else None)
        match decision:
            case Settle(exit_code=code, ended_at=at):
                self._end(flight, run, Exit(run.id, code, at), now, ended)
            case Lose(why=why):
                ended(flight, Exited(None, now, why))
            case WatchOn(age=age) if goes_on:
                flight.age = None if age is None else timedelta(seconds=age)
                self._log.info(f"adopted: attempt {run.attempt} is still running", run.job, run.id)
            case WatchOn():
                late = self._launcher.exit_of(run.id)
                if late is not None:
                    self._end(flight, run, late, now, ended)
        return flight

    def _end(
        self, flight: Flight, run: Run, known: Exit, now: datetime, ended: Callable[[Flight, Exited], None]
    ) -> None:
        exited = Exited(known.exit_code, now if known.at is None else self._of_machine(known.at))
        self._recall_ending(flight, run, exited)
        ended(flight, exited)

    def _recall_ending(self, flight: Flight, run: Run, exited: Exited) -> None:
        """Recognise an end that the predecessor had brought about: it was cancelled, or its deadline had passed."""
        timeout, code = flight.job.policy.timeout, exited.exit_code
        if code == 0:
            return
        if run.cancel_at is not None:
            flight.ending, flight.ending_reason = Ending.CANCEL, run.cancel_reason
            return
        # The shim knows the time of the end in whole seconds.
        blur = _BLUR if code is not None and code > _SIGNALLED else timedelta(0)
        if timeout is not None and exited.at + blur >= flight.started_at + timeout:
            flight.ending = Ending.TIMEOUT

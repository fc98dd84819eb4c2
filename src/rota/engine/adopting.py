"""Adopting: a starting engine meets the runs that its predecessor left. plan/adopt.py says what it may conclude."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from rota.engine.flights import Ending, Exited, Flight
from rota.model.run import Run
from rota.plan.adopt import GiveBack, Lose, Settle, WatchOn, decide_adoption
from rota.ports import Launcher, Log, Store


class Adopter:
    """Takes over, once, at the start."""

    def __init__(self, store: Store, launcher: Launcher, host: str, log: Log) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._log = log

    def adopt(self, now: datetime, ended: Callable[[Flight, Exited], None]) -> list[Flight]:
        """Take over every run that the store says is running here.

        1. Gather the evidence for all of them at once.
        2. Give back the claims that provably never started.
        3. Make a flight of every other: it goes on, or has ended with a known code, or is lost.
        """
        runs = self._store.runs.running_on(self._host)
        evidence = self._launcher.evidence(runs)
        flights = []
        for run in runs:
            decision = decide_adoption(evidence[run.id])
            if isinstance(decision, GiveBack):
                self._store.runs.give_back_if_running(run.id, run.attempt, self._host, now, decision.why)
                self._log.info(f"not started before the engine ended; queued again: {decision.why}", run.job, run.id)
                continue
            flights.append(self._take_over(run, decision, now, ended))
        self._launcher.sweep()
        return flights

    def _take_over(
        self, run: Run, decision: Settle | WatchOn | Lose, now: datetime, ended: Callable[[Flight, Exited], None]
    ) -> Flight:
        job = self._store.jobs.definition(run.definition_id)
        assert run.started_at is not None, "the store's CHECK: a running run has a start"
        flight = Flight(run.id, run.attempt, job, run.started_at, run.slot)
        goes_on = self._launcher.adopt(run, job, decision.pid if isinstance(decision, WatchOn) else None)
        match decision:
            case Settle(exit_code=code, ended_at=at):
                exited = Exited(code, at or now)
                self._recall_ending(flight, run, exited)
                ended(flight, exited)
            case Lose(why=why):
                ended(flight, Exited(None, now, why))
            case WatchOn() if goes_on:
                self._log.info(f"adopted: attempt {run.attempt} is still running", run.job, run.id)
            case WatchOn():
                late = self._launcher.exit_of(run.id)
                if late is not None:
                    ended(flight, Exited(late.exit_code, late.at or now))
        return flight

    def _recall_ending(self, flight: Flight, run: Run, exited: Exited) -> None:
        """Recognise an end that the predecessor had brought about: it was cancelled, or its deadline had passed."""
        timeout = flight.job.policy.timeout
        if exited.exit_code == 0:
            return
        if run.cancel_at is not None:
            flight.ending, flight.ending_reason = Ending.CANCEL, run.cancel_reason
        elif timeout is not None and exited.at >= flight.started_at + timeout:
            flight.ending = Ending.TIMEOUT

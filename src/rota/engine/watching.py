"""The watching tick: deadlines and cancels. SIGTERM to the whole tree, a grace, then SIGKILL until nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rota.engine.flights import Alarms, Ending, Flight
from rota.ports import Launcher, Log, Store
from rota.schedule.duration import words

_KILL_AGAIN = 1.0
_LEFT_OVER = 0.1


class Warden:
    """Ends attempts that have run too long, or that somebody wants ended."""

    def __init__(self, store: Store, launcher: Launcher, host: str, log: Log) -> None:
        self._store = store
        self._launcher = launcher
        self._host = host
        self._log = log
        self._alarms = Alarms()

    def begin(self, flight: Flight, now: datetime, monotonic: float) -> None:
        """Set an attempt's deadline, counted from its start however long ago that was."""
        timeout = flight.job.policy.timeout
        if timeout is not None:
            # A wall clock that was set while no engine ran must not make it shorter or longer than it was meant to be.
            age = now - flight.started_at if flight.age is None else flight.age
            left = min(timeout, timeout - age).total_seconds()
            self._alarms.set(monotonic + max(0.0, left), flight.run_id, flight.attempt)

    def next_alarm(self) -> float | None:
        """Return the monotonic time at which to look next."""
        return self._alarms.next()

    def look_for_cancels(self, flights: Mapping[str, Flight], monotonic: float) -> None:
        """Begin to end the attempts that somebody wants ended."""
        for run_id, reason in self._store.runs.cancel_requests(self._host):
            flight = flights.get(run_id)
            if flight is not None and flight.ending is None:
                self.end(flight, Ending.CANCEL, reason, monotonic)
            elif flight is not None and flight.ending is Ending.HAND_OVER:  # it ends already, and for good now
                flight.ending, flight.ending_reason = Ending.CANCEL, reason

    def recall_cancels(self, ended: Mapping[str, Flight]) -> None:
        """Recognise attempts that ended by themselves while somebody asked for it: no other attempt may follow."""
        for run_id, reason in self._store.runs.cancel_requests(self._host) if ended else ():
            flight = ended.get(run_id)
            if flight is None or flight.ending not in (None, Ending.HAND_OVER):
                continue
            if flight.exited is not None and flight.exited.exit_code != 0:
                flight.ending, flight.ending_reason = Ending.CANCEL, reason

    def end(self, flight: Flight, ending: Ending, reason: str, monotonic: float, most: float = float("inf")) -> None:
        """Ask an attempt's tree to end, and set the time at which it is killed: its own grace, or `most` seconds."""
        flight.ending, flight.ending_reason = ending, reason
        grace = min(most, flight.job.policy.kill_after.total_seconds())
        asked = self._launcher.terminate(flight.run_id)
        self._log.warning(
            f"{reason}; SIGTERM to {asked} process{'' if asked == 1 else 'es'}, SIGKILL in {grace:g}s",
            flight.job.name,
            flight.run_id,
        )
        flight.grace_end = monotonic + grace
        self._alarms.set(flight.grace_end, flight.run_id, flight.attempt)

    def shorten(self, flight: Flight, grace_end: float) -> None:
        """Let the grace of an attempt that is being ended be over earlier."""
        if grace_end < flight.grace_end:
            flight.grace_end = grace_end
            self._alarms.set(grace_end, flight.run_id, flight.attempt)

    def wait_for_leftovers(self, flight: Flight, monotonic: float) -> bool:
        """Tell whether an attempt that we are ending has left processes behind that still have their grace."""
        if flight.ending is None or not self._launcher.remains(flight.run_id):
            return False
        if flight.kill_due:
            self._launcher.kill(flight.run_id)
            return False
        self._alarms.set(monotonic + _LEFT_OVER, flight.run_id, flight.attempt)
        return True

    def tick(self, flights: Mapping[str, Flight], monotonic: float) -> list[Flight]:
        """Handle the alarms that are due, and return attempts whose end was held back and is to be looked at again.

        1. A running attempt whose alarm rings has passed its deadline: end it.
        2. One that is being ended already has used up its grace: kill it, and again every second; the shim goes last.
        3. One that has exited but left processes behind: look again.
        """
        again = []
        for run_id, attempt in self._alarms.take(monotonic):
            flight = flights.get(run_id)
            if flight is None or flight.attempt != attempt:
                continue
            if flight.exited is not None:
                flight.kill_due = flight.kill_due or monotonic >= flight.grace_end
                again.append(flight)
            elif flight.ending is None:
                timeout = flight.job.policy.timeout
                assert timeout is not None, "only attempts with a timeout have an alarm before their end began"
                self.end(flight, Ending.TIMEOUT, f"timed out after {words(timeout)}", monotonic)
            else:
                self._kill(flight, monotonic)
        return again

    def _kill(self, flight: Flight, monotonic: float) -> None:
        killed = self._launcher.kill(flight.run_id)
        if killed:
            self._log.warning(
                f"SIGKILL to {killed} process{'' if killed == 1 else 'es'}", flight.job.name, flight.run_id
            )
        elif flight.kill_due:
            self._launcher.kill_shim(flight.run_id)
        flight.kill_due = True
        self._alarms.set(monotonic + _KILL_AGAIN, flight.run_id, flight.attempt)

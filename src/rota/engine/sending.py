"""Sending what running attempts write to the store, so that those who watch from other hosts see it soon.

Only where hosts share a store; beside an engine its own files are read. What is sent is for watching: what is kept of
an attempt is written when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping

from rota.engine.flights import Flight
from rota.ports import Launcher, Store

_EVERY = 2.0
_PIECES = 4
_STREAMS = ("stdout", "stderr")


class Sender:
    """Sends what is new, every two seconds; a log that runs away is sent in part."""

    def __init__(self, store: Store, launcher: Launcher) -> None:
        self._store = store
        self._launcher = launcher
        self._due = 0.0
        self._offsets: dict[tuple[str, str], int] = {}

    def tick(self, flights: Mapping[str, Flight], monotonic: float) -> None:
        """Send what has been written since the last time."""
        if monotonic < self._due:
            return
        self._due = monotonic + _EVERY
        for flight in flights.values():
            if flight.exited is None:
                for stream in _STREAMS:
                    self._send(flight, stream)

    def forget(self, flight: Flight) -> None:
        """Begin at the beginning with the run's next attempt."""
        for stream in _STREAMS:
            self._offsets.pop((flight.run_id, stream), None)

    def _send(self, flight: Flight, stream: str) -> None:
        for _ in range(_PIECES):
            offset = self._offsets.get((flight.run_id, stream), 0)
            piece = self._launcher.live(flight.run_id).read(stream, offset)
            if not piece.content:
                return
            start = piece.offset - len(piece.content)
            self._store.runs.send_live(flight.run_id, flight.attempt, stream, start, piece.content)
            self._offsets[flight.run_id, stream] = piece.offset

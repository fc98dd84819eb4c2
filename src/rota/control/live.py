"""The output of running attempts, wherever they run: from the spool beside this host's engine, else from the store."""

from __future__ import annotations

from rota.model.run import Run
from rota.ports import LiveOutput, LiveOutputs, Piece, Store


class LiveAnywhere:
    """See ports.LiveOutputs."""

    def __init__(self, store: Store, home_id: str, here: LiveOutputs) -> None:
        self._store = store
        self._home_id = home_id
        self._here = here

    def open(self, run: Run) -> LiveOutput | None:
        """Open what a run writes; another host's place in a spool has nothing to do with the one of that name here."""
        return self._here.open(run) if run.host == self._home_id else Sent(self._store, run)


class Sent:
    """See ports.LiveOutput: what another host has sent, some two seconds late."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._run = run

    def read(self, stream: str, offset: int) -> Piece:
        """Return what is there from a place on, up to the next gap."""
        found = self._store.runs.live(self._run.id, self._run.attempt, stream, offset)
        if not found:
            return Piece(b"", offset)
        start, content = found[0]
        if start > offset:
            return Piece(content, start + len(content), dropped=start - offset)
        return Piece(content[offset - start :], start + len(content))

    def close(self) -> None:
        """Nothing is held."""

"""Processes that a host left behind of attempts that were given away meanwhile: they are ended.

A host that was gone for longer than its leases and starts again finds them by their marks. Only attempts that the
ledger says were lost, or cancelled while they ran, are ended; a process that an ended job left on purpose is nobody's
business.
"""

from __future__ import annotations

from collections.abc import Callable

from rota.model.run import State
from rota.ports import Launcher, Log, Store

_GRACE = 10.0


class Strays:
    """Ends what went elsewhere."""

    def __init__(self, store: Store, launcher: Launcher, log: Log, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._launcher = launcher
        self._log = log
        self._monotonic = monotonic
        self._kill_at: dict[tuple[str, int], float] = {}

    def begin(self) -> None:
        """Find them, and ask them to end."""
        for run_id, attempt in self._launcher.marked():
            job = self._job_if_lost(run_id, attempt)
            if not job:
                continue
            asked = self._launcher.end_marked(run_id, attempt, kill=False)
            many = f"{asked} process{'' if asked == 1 else 'es'}, SIGKILL in {_GRACE:g}s"
            self._log.warning(
                f"attempt {attempt} was given away while this host was gone; SIGTERM to {many}", job, run_id
            )
            self._kill_at[run_id, attempt] = self._monotonic() + _GRACE

    def tick(self) -> None:
        """Kill those that did not end."""
        over = [key for key, at in self._kill_at.items() if at <= self._monotonic()]
        for run_id, attempt in over:
            del self._kill_at[run_id, attempt]
            self._launcher.end_marked(run_id, attempt, kill=True)

    def _job_if_lost(self, run_id: str, attempt: int) -> str:
        run = self._store.runs.find(run_id)
        if run is None:
            return ""
        if run.attempt == attempt:
            # One that was to be cancelled is cancelled by whoever gives it away; a run that ended while it paused
            # between attempts has no start.
            cancelled = run.state is State.CANCELLED and run.started_at is not None
            return run.job if cancelled or run.state is State.LOST else ""
        lost = any(each.attempt == attempt and each.state is State.LOST for each in self._store.runs.attempts(run_id))
        return run.job if lost else ""

"""Gathering what can be known from outside about attempts that a predecessor left; plan/adopt.py concludes from it.

Nothing is watched or written here. The engine's lock is held, so no child of the old engine is still between fork and
exec; processes are searched before the journal is read, so whatever is not among them has written its line by then.
"""

from __future__ import annotations

from datetime import datetime

from rota.clock import SystemClock
from rota.model.run import Run
from rota.plan.adopt import Evidence
from rota.process import identity, tree
from rota.process.journal import ExitLine, Journal, Lines

_SECOND_LOOK = 0.05


class Detective:
    """Looks at processes and the journal of one home."""

    def __init__(self, home_id: str, journal: Journal) -> None:
        self.boot = identity.boot_identity()
        self._home_id = home_id
        self._journal = journal

    def elsewhere(self, runs: list[Run]) -> list[str]:
        """Return the jobs of runs that live in another pid namespace of this machine, by what their shims hold open."""
        boot = self.boot.partition(".")[0]
        hidden = [run for run in runs if run.boot != self.boot and str(run.boot).partition(".")[0] == boot]
        return [run.job for run in hidden if self._journal.is_held(segment_of(run))]

    def evidence(self, runs: list[Run]) -> dict[str, Evidence]:
        """Gather what can be known about each run's attempt."""
        found = self._gather(runs)
        unstarted = [run for run in runs if found[run.id].unstarted]
        if unstarted:
            # A process shows no environment for an instant while it is being replaced by exec. Nothing that was started
            # may be taken for not started, so those are looked at twice.
            SystemClock().sleep(_SECOND_LOOK)
            found.update(self._gather(unstarted))
        return found

    def gone_shim(self, run: Run) -> int | None:
        """Return the number of a run's shim if it has ended: its session keeps the number as long as it has members."""
        return self._gone_shim(run, self._journal.read(segment_of(run)))

    def mark(self, run: Run) -> str:
        """Return the mark of a run's attempt."""
        return self.mark_of(run.id, run.attempt)

    def mark_of(self, run_id: str, attempt: int) -> str:
        """Return the same, of an attempt by its number."""
        return identity.mark_of(self._home_id, run_id, attempt)

    def marked(self) -> list[tuple[str, int]]:
        """Return the attempts of which there are processes."""
        return list(identity.marked_processes(self._home_id))

    def _gather(self, runs: list[Run]) -> dict[str, Evidence]:
        marked = identity.marked_processes(self._home_id) if runs else {}
        journals: dict[str, Lines] = {}
        found = {}
        for run in runs:
            segment = segment_of(run)
            if segment not in journals:
                journals[segment] = self._journal.read(segment)
            found[run.id] = self._evidence(run, segment, journals[segment], marked.get((run.id, run.attempt), []))
        return found

    def _evidence(self, run: Run, segment: str, lines: Lines, pids: list[int]) -> Evidence:
        key = (run.id, run.attempt)
        ended = lines.exited.get(key)
        shim = lines.started.get(key)
        if shim is None and pids:
            shim = min(pids, key=lambda pid: identity.group_and_session(pid)[1] != pid)
        return Evidence(
            same_boot=run.boot == self.boot,
            shim=shim if shim in pids else None,
            age=identity.age_of(shim) if shim in pids else None,
            others=bool(pids) or self._session_lives(run, lines),
            # A segment that is gone proves nothing, so the attempt counts as started.
            started=key in lines.started or not self._journal.has(segment),
            exit_code=None if ended is None else ended.exit_code,
            ended_at=None if ended is None else self._end_of(ended, segment),
        )

    def _session_lives(self, run: Run, lines: Lines) -> bool:
        """Tell whether a session has members whose shim is gone: commands that have cleared their environment."""
        shim = self._gone_shim(run, lines)
        return shim is not None and bool(tree.members(self.mark(run), shim))

    def _gone_shim(self, run: Run, lines: Lines) -> int | None:
        shim = lines.started.get((run.id, run.attempt))
        if not shim or run.boot != self.boot:
            return None
        gone = identity.is_zombie(shim) or identity.group_and_session(shim) == (0, 0)
        return shim if gone else None

    def _end_of(self, ended: ExitLine, segment: str) -> datetime:
        return ended.at if ended.at is not None else self._journal.touched_at(segment)


def segment_of(run: Run) -> str:
    """Return the journal segment that a run's claim names."""
    return str(run.spool).split("/")[0]

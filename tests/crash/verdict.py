"""What the kill-loop is judged by: the store against itself, and against what the jobs wrote down when they began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import pairwise

from rota.model.job import ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import FINAL, Run, State

from .harness import Home
from .ledger import event_faults, slot_faults, sum_faults

Jobs = Mapping[str, tuple[str, tuple[ScheduleSpec, ...], Policy]]
Mark = tuple[str, str, str, int]
"""Job, slot, run and attempt, as a job writes them down."""


def verdict(home: Home, jobs: Jobs) -> tuple[list[str], str]:
    """Return everything that is wrong, and a line of figures."""
    marks = [_mark(line) for line in home.marks()]
    runs = {run.id: run for name in jobs for run in home.runs(name)}
    faults = [f"the store is damaged: {fault}" for fault in home.store.upkeep.faults()]
    for name, (_, schedules, policy) in jobs.items():
        if not any(spec.from_end for spec in schedules):
            faults += slot_faults(home.store, name)
        faults += sum_faults(home.store, name) + event_faults(home.store, name)
        if policy.job_limit == 1:
            faults += _together(run for run in runs.values() if run.job == name)
    faults += _doubled(marks, jobs) + _unaccounted(home, marks, runs) + _wrong_ends(home, runs)
    faults += [f"process {pid} is left" for pid in home.pids()]
    states = Counter(run.state.value for run in runs.values())
    states["attempts"] = sum(run.attempt for run in runs.values())
    skipped = sum(totals.get("skipped", (0,))[0] for totals in home.store.ledger.totals(None, 0).values())
    counted = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return faults, f"{len(runs)} runs ({counted}), {skipped} slots skipped, {len(marks)} beginnings"


def _doubled(marks: list[Mark], jobs: Jobs) -> list[str]:
    """Nothing begins twice: no attempt of a run, and without retries no slot."""
    attempts = Counter((job, run, attempt) for job, _, run, attempt in marks)
    faults = [f"{job}: attempt {attempt} of {run} began {count} times"
              for (job, run, attempt), count in attempts.items() if count > 1]  # fmt: skip
    slots = Counter((job, slot) for job, slot, _, _ in marks if slot != "-" and not jobs[job][2].retries.count)
    return faults + [f"{job}: the slot {slot} began {count} times" for (job, slot), count in slots.items() if count > 1]


def _unaccounted(home: Home, marks: list[Mark], runs: Mapping[str, Run]) -> list[str]:
    """What began is on record, and what is on record as begun has begun."""
    begun = {(run, attempt) for _, _, run, attempt in marks}
    faults = [f"{run}: attempt {attempt} began, the store knows nothing of it"
              for run, attempt in begun if run not in runs or runs[run].attempt < attempt]  # fmt: skip
    for run in runs.values():
        ends = [(each.attempt, each.state, each.exit_code) for each in home.store.runs.attempts(run.id)]
        if not ends or ends[-1][0] != run.attempt:  # else it was cancelled while it waited for the next attempt
            ends.append((run.attempt, run.state, run.exit_code))
        for attempt, state, code in ends:
            # One that was cancelled, or killed by its deadline, may have ended before it could write its line.
            by_itself = state in (State.SUCCEEDED, State.FAILED) and code is not None and code < 126
            if by_itself and (run.id, attempt) not in begun:
                faults.append(
                    f"{run.job}: attempt {attempt} of {run.id} is on record as {state} ({code}), but never began"
                )
            if state is State.LOST:
                faults.append(f"{run.job}: attempt {attempt} of {run.id} was lost: {run.reason}")
        if len(ends) != max(1, run.attempt):
            faults.append(f"{run.job}: {run.id} has had {run.attempt} attempts, {len(ends)} are on record")
    return faults


def _wrong_ends(home: Home, runs: Mapping[str, Run]) -> list[str]:
    """Codes and outputs are those of the command, and of no other."""
    faults = [f"{run.job}: {run.id} is still {run.state}" for run in runs.values() if run.state not in FINAL]
    codes = {"failing": {3}, "by-hand": {7}, "flaky": {0, 1, 2}, "timeout": set(), "stubborn": set()}
    for run in runs.values():
        if run.state is State.CANCELLED:
            continue
        expected = codes.get(run.job, {0})
        if run.state in (State.SUCCEEDED, State.FAILED) and run.exit_code not in expected:
            faults.append(f"{run.job}: {run.id} ended with {run.exit_code}, not {expected}: {run.reason}")
        if run.state is State.TIMED_OUT and run.job not in ("timeout", "stubborn"):
            faults.append(f"{run.job}: {run.id} timed out without a timeout")
        if run.state is not State.TIMED_OUT:
            faults += _wrong_output(home, run)
    return faults


def _wrong_output(home: Home, run: Run) -> list[str]:
    part = home.output_part(run.id)
    wrote = b"" if part is None else part.head + part.tail
    mine = f"out {run.id}/{run.attempt}\n".encode()
    # What a daemon writes late may still come before its run is settled.
    rest = wrote.removeprefix(mine)
    if run.job == "loud" and "emptied" in run.reason:
        return []  # by an engine like one without holes in files: cut means emptied there
    if run.job == "loud" and part is not None and part.size == len(mine) + 3_000_000:
        rest = rest.replace(b"y", b"").replace(b"\n", b"")
    if wrote.startswith(mine) and rest in (b"", b"late\n" if run.job == "daemon" else b""):
        return []
    return [f"{run.job}: the output of {run.id} begins with {wrote[:80]!r}"]


def _together(runs: Iterable[Run]) -> list[str]:
    """Runs of a job with one place do not overlap."""
    ordered = sorted((run for run in runs if run.started_at), key=lambda run: run.started_at)
    faults = []
    for one, other in pairwise(ordered):
        # A run that is tried again keeps only the start of its last attempt.
        if one.ended_at and one.ended_at > other.started_at + timedelta(milliseconds=1) and other.attempt == 1:
            faults.append(f"{one.job}: {one.id} ended at {one.ended_at}, {other.id} began at {other.started_at}")
    return faults


def _mark(line: str) -> Mark:
    job, slot, run, attempt, _pid = line.split()
    return job, slot, run, int(attempt)

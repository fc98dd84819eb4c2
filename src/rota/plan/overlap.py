"""What a due run does while earlier runs of its job are still active."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rota.model.policy import Overlap, Policy
from rota.model.run import State


class ActiveRun(msgspec.Struct, frozen=True):
    """A run that is queued, running or waiting; `held` while its job has no place for it."""

    id: str
    """Empty for one that is planned, but not stored yet."""
    state: State
    held: bool


class Start(msgspec.Struct, frozen=True):
    """Make the run; `held` until a place of its job is free; `victims` are to be cancelled for it."""

    held: bool = False
    victims: tuple[str, ...] = ()


class Refuse(msgspec.Struct, frozen=True):
    """Do not make the run, because of another."""

    run_id: str
    why: str


def decide_overlap(policy: Policy, active: Sequence[ActiveRun]) -> Start | Refuse:
    """Decide whether a due run starts, waits behind the active ones, replaces the oldest of them, or is skipped."""
    limit = policy.job_limit
    placed = [run for run in active if not run.held]
    if limit is None or len(placed) < limit:
        return Start()
    held = [run for run in active if run.held]
    match policy.overlap:
        case Overlap.REPLACE:
            return Start(held=True, victims=tuple(run.id for run in active[: len(active) + 1 - limit]))
        case Overlap.QUEUE if not held:
            return Start(held=True)
        case Overlap.QUEUE:
            return Refuse(held[0].id, f"{_name(held[0])} waits for its turn already, and one may wait")
        case _:
            return Refuse(placed[0].id, f"{_name(placed[0])} was still {_doing(placed[0].state)}")


def _name(run: ActiveRun) -> str:
    return f"run {run.id}" if run.id else "the run for the slot before"


def _doing(state: State) -> str:
    return {State.QUEUED: "waiting to start", State.WAITING: "waiting for its next attempt"}.get(state, "running")

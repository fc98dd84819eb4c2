"""The last runs of a job as a row of small bars: how each ended by its kind, how long it took by its height."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from rota.model.run import Run, State

MOST = 20
_HEIGHT, _UNDER = 24, 3
_STEP, _WIDTH = 6, 5
_LEAST = 3
_GOOD = frozenset({State.SUCCEEDED, State.RUNNING, State.QUEUED, State.WAITING})


class Bars(msgspec.Struct, frozen=True):
    """All runs of one outcome: what did not go well has a line below it, so that its colour is not all that tells."""

    state: str
    path: str


class Spark(msgspec.Struct, frozen=True):
    """The whole row, the newest at its right end."""

    bars: tuple[Bars, ...]
    label: str
    width: int = MOST * _STEP
    height: int = _HEIGHT + _UNDER
    base: int = _HEIGHT


def spark(newest_first: Sequence[Run]) -> Spark | None:
    """Return the bars of the last runs of a job; None if it has none."""
    runs = newest_first[:MOST]
    if not runs:
        return None
    longest = max(run.duration or 0.0 for run in runs)
    paths: dict[State, str] = {}
    for number, run in enumerate(runs):
        paths[run.state] = paths.get(run.state, "") + _bar(run, (MOST - 1 - number) * _STEP, longest)
    return Spark(tuple(Bars(state.value, path) for state, path in paths.items()), _label(runs))


def _bar(run: Run, x: int, longest: float) -> str:
    """Draw a run; the height follows the square root, so that short runs beside a long one are still seen."""
    share = ((run.duration or 0.0) / longest) ** 0.5 if longest else 0.0
    height = _LEAST + round(share * (_HEIGHT - _LEAST))
    bar = f"M{x} {_HEIGHT}v-{height}h{_WIDTH}v{height}z"
    return bar if run.state in _GOOD else f"{bar}M{x} {_HEIGHT + 1}h{_WIDTH}v2h-{_WIDTH}z"


def _label(runs: Sequence[Run]) -> str:
    """Return what the picture says: last 20 runs: 18 succeeded, 2 failed."""
    counts = Counter(run.state for run in runs)
    told = ", ".join(f"{counts[state]} {_words(state)}" for state in _ORDER if counts[state])
    return f"last {len(runs)} runs: {told}" if len(runs) > 1 else f"one run: {_words(runs[0].state)}"


def _words(state: State) -> str:
    return state.value.replace("_", " ")


_ORDER = (
    State.SUCCEEDED,
    State.FAILED,
    State.TIMED_OUT,
    State.LOST,
    State.CANCELLED,
    State.RUNNING,
    State.QUEUED,
    State.WAITING,
)

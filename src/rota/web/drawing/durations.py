"""How long a job's runs took, as a picture: a bar for each, oldest on the left, by outcome.

Pure: runs in, shapes out. A template draws them; nothing here is markup.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import msgspec

from rota.control.times import brief
from rota.model.run import FINAL, Run, State

WIDTH, HEIGHT = 800, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 8, 10, 24
_PLACES = 100
_WIDEST = 22.0
_GAP = 0.24
_LEAST = 2.0
_WIDE_SPREAD = 50.0
"""From so many times the usual on, a linear scale would show one bar and a row of nothing."""
_SHORTEST = 0.001
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)
_MOST_LINES = 5
_SIGNS = {State.FAILED: "×", State.TIMED_OUT: "◷", State.LOST: "?", State.CANCELLED: "⊘"}
_NOTICED, _CHANGED = 0.1, 0.8


class Bar(msgspec.Struct, frozen=True):
    """A run."""

    run: str
    state: State
    x: float
    y: float
    width: float
    height: float
    sign: str
    """What says the outcome besides the colour; nothing for success."""
    at: datetime | None
    title: str


class Rule(msgspec.Struct, frozen=True):
    """A line of the scale."""

    y: float
    text: str


class Durations(msgspec.Struct, frozen=True):
    """The picture, and what it says in words."""

    bars: Sequence[Bar]
    rules: Sequence[Rule]
    is_logarithmic: bool
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    floor: int = HEIGHT - _BOTTOM


class _Scale(msgspec.Struct, frozen=True):
    """From seconds to places."""

    least: float
    most: float
    is_logarithmic: bool

    def y(self, seconds: float) -> float:
        """Return how far down a duration is."""
        if self.is_logarithmic:
            whole = math.log(self.most / self.least)
            share = math.log(max(seconds, self.least) / self.least) / whole
        else:
            share = seconds / self.most
        return round(_TOP + (1 - min(1.0, share)) * (HEIGHT - _TOP - _BOTTOM), 1)


def draw(newest_first: Sequence[Run]) -> Durations | None:
    """Draw the runs that have ended and took some time; None if there is none."""
    runs = [run for run in newest_first if run.state in FINAL and run.duration is not None][:_PLACES][::-1]
    if not runs:
        return None
    seconds = [run.duration or 0.0 for run in runs]
    scale = _scale(seconds)
    places = max(len(runs), 20)
    step = (WIDTH - _LEFT - _RIGHT) / places
    width = min(_WIDEST, step * (1 - _GAP))
    first = WIDTH - _RIGHT - step * len(runs)
    bars = [
        _bar(run, round(first + step * number + (step - width) / 2, 1), round(width, 1), scale)
        for number, run in enumerate(runs)
    ]
    return Durations(bars, _rules(scale), scale.is_logarithmic, _words(runs, seconds))


def _scale(seconds: Sequence[float]) -> _Scale:
    """Choose a scale: logarithmic if a linear one would hide what is usual."""
    most = max([*seconds, _SHORTEST])
    usual = max(sorted(seconds)[len(seconds) // 2], _SHORTEST)
    if most / usual < _WIDE_SPREAD:
        return _Scale(0.0, most * 1.05, is_logarithmic=False)
    least = 10.0 ** math.floor(math.log10(max(min(seconds), _SHORTEST) / 2))  # below the shortest
    return _Scale(least, most * 1.2, is_logarithmic=True)


def _bar(run: Run, x: float, width: float, scale: _Scale) -> Bar:
    floor, took = HEIGHT - _BOTTOM, run.duration or 0.0
    height = max(_LEAST, floor - scale.y(took))
    title = f"{run.state.value.replace('_', ' ')} after {brief(took)}"
    return Bar(
        run.id,
        run.state,
        x,
        round(floor - height, 1),
        width,
        round(height, 1),
        _SIGNS.get(run.state, ""),
        run.started_at,
        title,
    )


def _rules(scale: _Scale) -> list[Rule]:
    if scale.is_logarithmic:
        first, last = math.ceil(math.log10(scale.least)), math.floor(math.log10(scale.most))
        every = -(-(last - first + 1) // _MOST_LINES)
        values = [10.0**power for power in range(first, last + 1, every)]
    else:
        step = _step(scale.most)
        values = [step * number for number in range(1, int(scale.most / step) + 1)]
    return [Rule(scale.y(value), brief(value)) for value in values]


def _step(most: float) -> float:
    """Return a round duration that fits into the most a few times."""
    wanted = most / _MOST_LINES
    if wanted < 1:
        power = 10.0 ** math.floor(math.log10(wanted))
        return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wanted)
    return next((step for step in _STEPS if step >= wanted), _STEPS[-1] * math.ceil(wanted / _STEPS[-1]))


def _words(runs: Sequence[Run], seconds: Sequence[float]) -> str:
    counts = {state: sum(run.state is state for run in runs) for state in State}
    ways = ", ".join(f"{count} {state.value.replace('_', ' ')}" for state, count in counts.items() if count)
    if len(runs) == 1:
        return f"One run: {ways}, it took {brief(seconds[0])}."
    trend = _trend(seconds)
    return f"The last {len(runs)} runs: {ways}; they took {brief(min(seconds))} to {brief(max(seconds))}{trend}."


def _trend(seconds: Sequence[float]) -> str:
    """Say whether the newer half takes much longer, or much less, than the older one."""
    if len(seconds) < 2 * _MOST_LINES:
        return ""
    half = len(seconds) // 2
    older, newer = (sorted(part)[len(part) // 2] for part in (seconds[:half], seconds[-half:]))
    if max(older, newer) < _NOTICED or min(older, newer) > _CHANGED * max(older, newer):
        return ""
    return f", usually {brief(newer)} of late and {brief(older)} before"

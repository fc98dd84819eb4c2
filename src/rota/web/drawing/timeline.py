"""The timeline: a lane a job, what ran as bars in the colours of how it ended, what is coming as ticks.

Everything is on a line from 0 to 100, for a picture that is as wide as there is room and keeps its letters readable;
heights are pixels. Runs of one outcome that would be drawn over each other become one bar, which says how many they
are; one that went wrong lies above those that went well, so it is never hidden by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from urllib.parse import quote, urlencode

import msgspec

from rota.api.names import in_path
from rota.control.questions import Slot
from rota.control.timeline import Timeline
from rota.control.times import brief, exact, local, relative
from rota.model.run import ACTIVE, TROUBLE, Run, State
from rota.web.drawing.axis import Mark, Scale, marks

LANES = 10
HEAD, ROW = 24, 28
APART = 0.45
"""Slots closer than this are drawn as one tick, and no bar is narrower."""
_MARKS = 8
_EDGE = 3
_TICK = timedelta(microseconds=1)
_ABOVE = {state: number for number, state in enumerate([State.SUCCEEDED, State.CANCELLED, *ACTIVE, *TROUBLE])}


class Bar(msgspec.Struct, frozen=True):
    """A run, or several that lie so close that they are one on the picture."""

    x: float
    width: float
    tone: str
    title: str
    href: str


class Tick(msgspec.Struct, frozen=True):
    """A slot that is coming."""

    x: float
    title: str


class Lane(msgspec.Struct, frozen=True):
    """What there is to see of one job, or of all the others."""

    name: str
    href: str
    y: int
    bars: list[Bar]
    ticks: list[Tick]
    words: str
    is_rest: bool


class Label(msgspec.Struct, frozen=True):
    """A mark on the axis; `anchor` keeps its text inside, and a minor one goes where there is little room."""

    x: float
    text: str
    anchor: str
    is_day: bool
    is_minor: bool


class Picture(msgspec.Struct, frozen=True):
    """All of it."""

    lanes: list[Lane]
    labels: list[Label]
    height: int
    now: float | None
    """Where now is, if that is to be seen."""
    drawn_from: float
    """Before this place not every run is drawn."""
    oldest: datetime | None
    """The run that it begins with."""
    shown: int
    """How many runs that is, when there are more."""
    lacks_slots: bool
    """Of other jobs not all slots are drawn."""
    all_runs: str
    """Where all runs of the span are listed."""


def lanes_of(found: Timeline, most: int = LANES) -> list[str]:
    """Return the jobs that get a lane, by name: first those in trouble, then what runs, then those with most runs."""
    weights: dict[str, list[int]] = {}
    for run in chain(found.runs, found.older_trouble):
        weight = weights.setdefault(run.job, [0, 0, 0])
        weight[0] += run.state in TROUBLE
        weight[1] += run.state in ACTIVE
        weight[2] += 1
    for slot in found.slots:
        weights.setdefault(slot.job, [0, 0, 0])
    ranked = sorted(weights, key=lambda name: ([-bool(weights[name][0]), *(-n for n in weights[name][1:])], name))
    return sorted(ranked[:most], key=str.casefold)


def draw(found: Timeline, names: Sequence[str], coming: Mapping[str, Sequence[Slot]], zone: tzinfo) -> Picture:
    """Draw a span: the lanes with these names, each with its own coming slots, and one lane for all other jobs."""
    scale = Scale(found.since, found.until)
    runs: dict[str | None, list[Run]] = {}
    for run in chain(found.runs, found.older_trouble):
        runs.setdefault(run.job if run.job in coming else None, []).append(run)
    others = [slot for slot in found.slots if slot.job not in coming]
    rows: list[tuple[str | None, Sequence[Slot]]] = [(name, coming[name]) for name in names]
    if others or None in runs:
        rows.append((None, others))
    lanes = [
        _lane(number, name, runs.get(name, []), slots, found, scale, zone)
        for number, (name, slots) in enumerate(rows)
    ]  # fmt: skip
    oldest = _begin(found.runs[-1]) if found.more_runs else None
    return Picture(
        lanes=lanes,
        labels=_labels(marks(found.since, found.until, zone, _MARKS), scale),
        height=HEAD + ROW * max(1, len(lanes)),
        now=scale.place(found.now) if found.since <= found.now < found.until else None,
        drawn_from=0.0 if oldest is None else scale.place(oldest),
        oldest=oldest,
        shown=len(found.runs) if found.more_runs else 0,
        lacks_slots=found.more_slots and len(rows) > len(names),
        all_runs=_list_of(since=found.since, until=found.until),
    )


def _lane(
    number: int,
    name: str | None,
    runs: Sequence[Run],
    slots: Sequence[Slot],
    found: Timeline,
    scale: Scale,
    zone: tzinfo,
) -> Lane:
    others = len({run.job for run in runs} | {slot.job for slot in slots})
    return Lane(
        name=name if name is not None else "1 other job" if others == 1 else f"{others:,} other jobs",
        href="" if name is None else f"/jobs/{in_path(name)}",
        y=HEAD + ROW * number,
        bars=bars(runs, name, found.now, scale, zone),
        ticks=_ticks(slots, found.now, scale, zone, named=name is None),
        words=_words(runs, slots, found.now),
        is_rest=name is None,
    )


def bars(runs: Iterable[Run], name: str | None, now: datetime, scale: Scale, zone: tzinfo) -> list[Bar]:
    """Return the bars of a lane, those that lie above last."""
    groups: list[list[Run]] = []
    edges: list[tuple[float, float]] = []
    for run in sorted(runs, key=lambda run: (_ABOVE[run.state], _begin(run))):
        begin, end = scale.place(_begin(run)), scale.place(run.ended_at or now)
        end = min(100.0, max(end, begin + APART))
        begin = min(begin, 100 - APART)
        if groups and groups[-1][0].state is run.state and begin <= edges[-1][1]:
            groups[-1].append(run)
            edges[-1] = edges[-1][0], max(edges[-1][1], end)
        else:
            groups.append([run])
            edges.append((begin, end))
    return [
        Bar(begin, round(end - begin, 3), group[0].state.value, *_said(group, name, now, zone))
        for group, (begin, end) in zip(groups, edges, strict=True)
    ]


def _said(group: Sequence[Run], name: str | None, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """Return what a bar says, and where it leads."""
    state = group[0].state.value.replace("_", " ")
    begin = local(min(map(_begin, group)).replace(microsecond=0), zone, seconds=False)
    if len(group) > 1:
        who = name if name is not None else _names({run.job for run in group})
        end = local(max(map(_begin, group)).replace(microsecond=0), zone, seconds=False)
        made = [run.queued_at for run in group]
        place = _list_of(job=name, state=group[0].state.value, since=min(made), until=max(made) + 1000 * _TICK)
        return f"{who}: {len(group):,} runs {state}, from {begin} to {end}", place
    run = group[0]
    if run.ended_at is None:
        length = f" for {brief(now - _begin(run))}"
    else:
        length = "" if run.duration is None else f" after {brief(run.duration)}"
    reason = f": {run.reason}" if run.reason else ""
    return f"{run.job}: {state}{length}, {begin}{reason}", f"/runs/{quote(run.id, safe='')}"


def _ticks(slots: Sequence[Slot], now: datetime, scale: Scale, zone: tzinfo, *, named: bool) -> list[Tick]:
    """Return the ticks of slots that are in order; of some that lie too close, the first."""
    found: list[Tick] = []
    for slot in slots:
        x = scale.place(slot.at)
        if not found or x - found[-1].x >= APART:
            who = f"{slot.job}: " if named else ""
            found.append(Tick(x, f"{who}due {relative(slot.at, now)}, {local(slot.at, zone, seconds=False)}"))
    return found


def _labels(found: Sequence[Mark], scale: Scale) -> list[Label]:
    labels = []
    for number, mark in enumerate(found):
        x = scale.place(mark.at)
        anchor = "start" if x < _EDGE else "end" if x > 100 - _EDGE else "middle"
        labels.append(Label(x, mark.text, anchor, mark.is_day, is_minor=number % 2 == 1))
    return labels


def _words(runs: Iterable[Run], slots: Sequence[Slot], now: datetime) -> str:
    """Say what a lane shows to somebody who does not see it."""
    counts: dict[State, int] = {}
    for run in runs:
        counts[run.state] = counts.get(run.state, 0) + 1
    told = ", ".join(f"{counts[state]:,} {state.value.replace('_', ' ')}" for state in State if state in counts)
    return f"{told or 'no runs'}; {f'due {relative(slots[0].at, now)}' if slots else 'nothing coming'}"


def _list_of(job: str | None = None, state: str = "", **edges: datetime) -> str:
    given = {"job": job, "state": state, **{name: exact(edge) for name, edge in edges.items()}}
    return f"/runs?{urlencode({name: value for name, value in given.items() if value})}"


def _names(jobs: set[str]) -> str:
    return next(iter(jobs)) if len(jobs) == 1 else f"{len(jobs):,} jobs"


def _begin(run: Run) -> datetime:
    """Return where a bar begins: with the attempt, or with the wait for it."""
    return run.started_at or run.queued_at

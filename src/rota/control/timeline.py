"""Time around now: what ran, as bars, and what is coming, as ticks."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

import msgspec

from rota.control.questions import Questions, Slot
from rota.errors import UsageError
from rota.model.run import Run
from rota.model.settlement import RunFilter
from rota.ports import Store

LONGEST = timedelta(days=400)
_LOOK_BACK = 200
"""So many runs from before a span are looked at for those that went on into it."""


class Timeline(msgspec.Struct, frozen=True):
    """A span of time."""

    since: datetime
    until: datetime
    now: datetime
    runs: list[Run]
    """Those that were made in it, or went on into it, newest first."""
    slots: list[Slot]
    """Those that are coming in it, in order."""
    more_runs: bool
    """There are older ones that are not shown."""
    older_trouble: list[Run]
    """Of these older ones those that ended badly, newest first: what went wrong is not to be drowned."""
    more_slots: bool
    """There are later ones that are not shown."""


def timeline(
    store: Store,
    questions: Questions,
    now: datetime,
    since: datetime,
    until: datetime,
    most: int,
    most_slots: int | None = None,
) -> Timeline:
    """Return what happened and what will in [since, until); at most so many of either."""
    if not since < until:
        raise UsageError("a timeline ends after it begins: `until` must be later than `since`")
    if until - since > LONGEST:
        raise UsageError(f"a timeline is {LONGEST.days} days long at most")
    most_slots = most if most_slots is None else most_slots
    runs = store.runs.page(RunFilter(since=since, until=until), None, most + 1)
    slots: list[Slot] = []
    if until > now:
        begin, many = max(now, since), most_slots + 1
        coming = questions.coming_soon(now, many) if begin == now else questions.coming(None, begin, many)
        slots = list(takewhile(lambda slot: slot.at < until, coming))
    earlier = _going_on(store, since) if len(runs) <= most else []
    shown = sorted([*runs, *earlier], key=lambda run: run.id, reverse=True)
    more = len(shown) > most
    older = store.runs.page(RunFilter(state="trouble", since=since), shown[most - 1].id, most) if more else []
    return Timeline(
        since=since,
        until=until,
        now=now,
        runs=shown[:most],
        slots=slots[:most_slots],
        more_runs=more,
        older_trouble=older,
        more_slots=len(slots) > most_slots,
    )


def _going_on(store: Store, since: datetime) -> list[Run]:
    """Return runs that were made before an instant, and had not ended then."""
    active = store.runs.page(RunFilter(state="active", until=since), None, _LOOK_BACK)
    ended = store.runs.page(RunFilter(until=since), None, _LOOK_BACK)
    found = {run.id: run for run in [*active, *ended] if run.ended_at is None or run.ended_at >= since}
    return list(found.values())

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
    more_slots: bool
    """There are later ones that are not shown."""


def timeline(
    store: Store, questions: Questions, now: datetime, since: datetime, until: datetime, most: int
) -> Timeline:
    """Return what happened and what will in [since, until); at most so many of either."""
    if not since < until:
        raise UsageError("a timeline ends after it begins: `until` must be later than `since`")
    if until - since > LONGEST:
        raise UsageError(f"a timeline is {LONGEST.days} days long at most")
    runs = store.runs.page(RunFilter(since=since, until=until), None, most + 1)
    slots: list[Slot] = []
    if until > now:
        begin = max(now, since)
        coming = questions.coming_soon(now, most + 1) if begin == now else questions.coming(None, begin, most + 1)
        slots = list(takewhile(lambda slot: slot.at < until, coming))
    earlier = _going_on(store, since) if len(runs) <= most else []
    shown = sorted([*runs, *earlier], key=lambda run: run.id, reverse=True)
    return Timeline(since, until, now, shown[:most], slots[:most], len(shown) > most, len(slots) > most)


def _going_on(store: Store, since: datetime) -> list[Run]:
    """Return runs that were made before an instant, and had not ended then."""
    active = store.runs.page(RunFilter(state="active", until=since), None, _LOOK_BACK)
    ended = store.runs.page(RunFilter(until=since), None, _LOOK_BACK)
    found = {run.id: run for run in [*active, *ended] if run.ended_at is None or run.ended_at >= since}
    return list(found.values())

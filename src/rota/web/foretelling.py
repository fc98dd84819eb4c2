"""What a job's schedule means, before it is saved: in words, the next firings, and what the wall clock does to them."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from rota.control.changes import firings
from rota.control.preview import Preview, preview
from rota.control.times import local, relative
from rota.model.job import Job
from rota.schedule.zones import local_zone_name
from rota.schedule.zones import zone as find_zone

MOST = 10


class Firing(msgspec.Struct, frozen=True):
    """One instant, on the wall clock of the job, and on that of whoever looks if it shows another time."""

    instant: datetime
    there: str
    here: str
    away: str


class Foretold(msgspec.Struct, frozen=True):
    """What is said of a schedule."""

    explanation: str
    firings: list[Firing]
    notes: list[str]


def foretell(job: Job, now: datetime, viewer: tzinfo) -> Foretold:
    """Look ahead; raises BadSchedule if a plug-in's schedule cannot be asked."""
    if not job.schedules:
        return Foretold("It runs when somebody asks for it, and never by itself.", [], [])
    zone_name = job.timezone or local_zone_name()
    told = [preview(spec, zone_name, now, 1) for spec in job.schedules]
    notes = [note for each in told for note in each.notes] if len(told) == 1 else _notes(job, told)
    if not job.enabled:
        notes = ["It is not enabled, so none of this happens until it is.", *notes]
    clock = viewer if all(spec.kind == "every" for spec in job.schedules) else find_zone(zone_name)
    slots = firings(msgspec.structs.replace(job, enabled=True), now, MOST)
    words = "; ".join(each.explanation for each in told)
    return Foretold(f"{words[:1].upper()}{words[1:]}.", [_firing(at, now, clock, viewer) for at in slots], notes)


def _notes(job: Job, told: list[Preview]) -> list[str]:
    """Return the notes on several schedules; that one has nothing to come says which."""
    return list(
        dict.fromkeys(
            f"{spec.describe()}: {note}" for spec, each in zip(job.schedules, told, strict=True) for note in each.notes
        )
    )


def _firing(at: datetime, now: datetime, zone: tzinfo, viewer: tzinfo) -> Firing:
    there, here = at.astimezone(zone), at.astimezone(viewer)
    same = there.utcoffset() == here.utcoffset()
    return Firing(
        at, f"{there:%a} {local(at, zone, seconds=False)}", "" if same else f"{here:%a %H:%M}", relative(at, now)
    )

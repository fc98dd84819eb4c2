"""What a schedule means, before it is anybody's: in words, with its next slots and what the wall clock does to them."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from rota.control.changes import firings
from rota.model.action import Command
from rota.model.job import Job, ScheduleSpec
from rota.schedule.forgiving import Forgiving
from rota.schedule.parse import parse
from rota.schedule.surprises import surprises
from rota.schedule.zones import local_zone_name
from rota.schedule.zones import zone as find_zone

_AHEAD = timedelta(days=366)
_NOTHING = Command(("true",))
"""A schedule alone does nothing."""


class Preview(msgspec.Struct, frozen=True):
    """What a schedule means."""

    explanation: str
    timezone: str
    slots: list[datetime]
    notes: list[str]
    """What happens where the clock changes within a year, and why there may be no slot."""


def explain(spec: ScheduleSpec, timezone: str | None) -> str:
    """Say a schedule in words, or why it cannot be read."""
    words = Forgiving(lambda: parse(spec.kind, spec.text, zone=timezone, anchor=spec.anchor, dst=spec.dst)).explain()
    if spec.from_end:
        words = f"{words.removeprefix('every ')} after the end of the run before"
    zone = f" ({timezone})" if timezone and spec.kind in ("cron", "calendar") and timezone not in words else ""
    return words + zone


def preview(spec: ScheduleSpec, timezone: str | None, now: datetime, most: int) -> Preview:
    """Look at one schedule from now on; raises BadSchedule with the column of what cannot be read."""
    zone = timezone or local_zone_name()
    find_zone(zone)
    schedule = parse(spec.kind, spec.text, zone=zone, anchor=spec.anchor or now, dst=spec.dst)
    notes = [surprise.text for surprise in surprises(schedule, now, now + _AHEAD)]
    slots: list[datetime] = []
    if spec.from_end:
        notes = ["Each slot counts from the end of the run before, so none can be told in advance."]
    elif spec.at_boot:
        notes = ["It runs once each time the machine starts, and nobody knows when that is."]
    else:
        slots = firings(Job("preview", _NOTHING, (spec,), timezone=zone), now, most)
        notes += [] if slots else ["It has no slot to come: it will never run by itself."]
    return Preview(explain(spec, zone), zone, slots, notes)

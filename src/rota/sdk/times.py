"""What a program may ask about time: what it is now, in which zone, and when a schedule is due next."""

from __future__ import annotations

from datetime import datetime, tzinfo

from rota.clock import SystemClock
from rota.schedule.custom import Schedule
from rota.schedule.parse import parse
from rota.schedule.zones import zone as find_zone
from rota.sdk.schedules import spec_of


def zone_named(name: str | None = None) -> tzinfo:
    """Return the time zone of an IANA name, or the host's own."""
    return find_zone(name)


def now(zone: str | None = None) -> datetime:
    """Return the present instant, as a wall clock in a zone shows it."""
    return SystemClock().now().astimezone(find_zone(zone))


def next_slot(schedule: Schedule, after: datetime, zone: str | None = None) -> datetime | None:
    """Return when a schedule is due next after an instant, in the zone that it is read in; None when never again."""
    spec = spec_of(schedule)
    found = parse(spec.kind, spec.text, zone=zone, anchor=spec.anchor or after, dst=spec.dst).next_after(after)
    return None if found is None else found.astimezone(find_zone(zone))

"""From a schedule's kind and text to the schedule.

Each kind is imported when it is first asked for: a job of one kind does not pay for the libraries of the others.
"""

from __future__ import annotations

from datetime import datetime

from rota.errors import BadSchedule
from rota.schedule.base import Schedule
from rota.schedule.boot import Boot, is_boot
from rota.schedule.text import nearest

KINDS = ("cron", "every", "at", "calendar", "custom")


def parse(
    kind: str, text: str, *, zone: str | None = None, anchor: datetime | None = None, dst: str = "fire"
) -> Schedule:
    """Return the schedule that the text means, or raise BadSchedule with the column and what to write instead.

    `zone` is an IANA name, or None for the host's own. `anchor` is what 'every' counts from. `dst` is 'fire', or
    'skip' for a calendar that passes over the wall times a zone skips, as systemd does.
    """
    if kind not in KINDS:
        hint = nearest(kind, KINDS, f"the kinds are {', '.join(KINDS)}")
        raise BadSchedule(text[:40], 0, f"unknown kind {kind!r}", hint)
    if dst not in ("fire", "skip"):
        raise BadSchedule(text[:40], 0, f"unknown dst {dst!r}", "it may be 'fire' or 'skip'")
    if dst == "skip" and kind != "calendar":
        raise BadSchedule(text[:40], 0, f"dst 'skip' is for calendar, not for {kind}", "leave it out, or use calendar")
    match kind:
        case "cron":
            from rota.schedule.cron import cron
            from rota.schedule.zones import zone as find_zone

            return cron(text, find_zone(zone))
        case "every":
            from rota.schedule.every import every

            return every(text, anchor)
        case "at" if is_boot(text):
            return Boot()
        case "at":
            from rota.schedule.at import at
            from rota.schedule.zones import zone as find_zone

            return at(text, find_zone(zone))
        case "custom":
            from rota.schedule.custom import Custom
            from rota.schedule.text import checked

            return Custom(checked(text).strip())
        case _:
            from rota.schedule.calendar import calendar

            return calendar(text, zone, skip=dst == "skip")

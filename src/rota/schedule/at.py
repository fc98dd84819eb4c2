"""One instant."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from rota.errors import BadSchedule
from rota.schedule.boot import BOOT, is_crons_word
from rota.schedule.instant import parse_instant


class At:
    """The one slot at an instant."""

    def __init__(self, instant: datetime, zone: ZoneInfo) -> None:
        self.instant, self.zone = instant, zone

    def next_after(self, instant: datetime) -> datetime | None:
        """Return the slot when it is still to come."""
        return self.instant if self.instant > instant else None

    def latest_until(self, instant: datetime) -> datetime | None:
        """Return the slot when it has come."""
        return self.instant if self.instant <= instant else None

    def count(self, after: datetime, until: datetime) -> int:
        """Return 1 when the slot is in (after, until], else 0."""
        return 1 if after < self.instant <= until else 0

    def explain(self) -> str:
        """Say when, on the zone's wall clock."""
        wall = self.instant.astimezone(self.zone).replace(tzinfo=None)
        text = wall.isoformat(" ", "auto" if wall.second or wall.microsecond else "minutes")
        return f"once at {text} ({self.zone.key})"


def at(text: str, zone: ZoneInfo) -> At:
    """Read an instant such as '2026-01-31 10:00' in the zone."""
    if is_crons_word(text):
        column = len(text) - len(text.lstrip()) + 1
        raise BadSchedule(text, column, "that is cron's word", f"for the start of the machine write {BOOT}")
    return At(parse_instant(text, zone), zone)

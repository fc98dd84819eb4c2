"""Time zones by name, and the host's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rota.errors import BadSchedule
from rota.schedule.text import nearest

_DATABASE = "zoneinfo/"
_VARIANTS = ("posix/", "right/")


def zone(name: str | None = None) -> ZoneInfo:
    """Return the zone of an IANA name, or the host's own when no name is given."""
    return _load(local_zone_name() if name is None else name)


@lru_cache(maxsize=1024)
def _load(name: str) -> ZoneInfo:
    found = _find(name)
    if found is None:
        raise BadSchedule(name, 1 if name else 0, f"no time zone is named {name!r}", suggestion(name))
    return found


def suggestion(name: str) -> str:
    """Return the hint for an unknown zone: the same name in the right case, or the nearest one."""
    known = {each.lower(): each for each in zone_names()}
    return nearest(known.get(name.lower(), name), known.values(), "write an IANA name such as 'Europe/Berlin' or 'UTC'")


@cache
def zone_names() -> tuple[str, ...]:
    """Return the names to choose from, in order."""
    from zoneinfo import available_timezones

    return tuple(sorted(available_timezones()))


def _find(name: str) -> ZoneInfo | None:
    """Return the zone, or None; a directory, an odd file or a path outside the database is no zone either."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def local_zone_name(environ: Mapping[str, str] | None = None, etc: str = "/etc") -> str:
    """Return the IANA name of the host's zone.

    1. TZ, where it names a zone (a rule such as 'CET-1CEST' has no name, so it is passed over).
    2. The zone that the link /etc/localtime points at.
    3. The name in /etc/timezone.
    4. UTC: a host that does not say where it is gets the zone without surprises.
    """
    environ = os.environ if environ is None else environ
    if "TZ" in environ and (known := _told(environ["TZ"])):
        return known
    try:
        if known := _known(os.path.realpath(f"{etc}/localtime")):
            return known
        with open(f"{etc}/timezone", encoding="utf-8") as file:
            if known := _known(file.read(200).strip()):
                return known
    except (OSError, ValueError):
        pass
    return "UTC"


def unnamed_zone(environ: Mapping[str, str] | None = None) -> str:
    """Return what TZ says if that names no zone, else nothing: the system's clock and ours would go apart then."""
    told = (os.environ if environ is None else environ).get("TZ", "")
    return "" if _told(told) else told


def _told(text: str) -> str:
    """Return the name of the zone that TZ means: a name, a path of one, or nothing, which is UTC."""
    told = text.removeprefix(":") or "UTC"
    return _known(told) or (_known(os.path.realpath(told)) if told.startswith("/") else "")


def _known(text: str) -> str:
    """Return the name of the zone in a name or a path, or nothing when there is no such zone."""
    name = text.rpartition(_DATABASE)[2]
    for variant in _VARIANTS:
        name = name.removeprefix(variant)
    return name if not name.startswith("/") and _find(name) else ""

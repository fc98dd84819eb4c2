"""How instants and durations are said to people, the same at every door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from rota.schedule.instant import parse_instant
from rota.schedule.zones import zone as find_zone

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SOON = 1.0
_NEAR = timedelta(days=6)
_MANY = 10


def brief(span: timedelta | float) -> str:
    """Return a duration in at most two units: 340ms, 2.1s, 3m 20s, 1h 5m, 12d 3h."""
    seconds = abs(span.total_seconds() if isinstance(span, timedelta) else span)
    if round(seconds, 3) < 1:
        return f"{seconds * 1000:.0f}ms" if round(seconds * 1000) else "0s"
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    # To the smaller of the two units that are said: 1h 59m 59s is two hours.
    fine = 3_600 if seconds >= 86_400 else 60 if seconds >= 3_600 else 1
    left = round(seconds / fine) * fine
    parts: list[str] = []
    for unit, length in _UNITS:
        number, left = divmod(left, length)
        if number or parts:
            parts.append(f"{number}{unit}" if number else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part)


def rough(span: timedelta | float) -> str:
    """Return a duration in one unit, or in two where one would say too little: 14m, 2h 5m, 12d."""
    seconds = abs(span.total_seconds() if isinstance(span, timedelta) else span)
    largest = next(((unit, length) for unit, length in _UNITS if seconds >= length), None)
    if largest is None or seconds < _MANY * largest[1]:
        return brief(seconds)
    return f"{round(seconds / largest[1])}{largest[0]}"


def relative(instant: datetime, now: datetime) -> str:
    """Return how far away an instant is: 'in 3h 12m', 'now', '2m 5s ago'."""
    away = (instant - now).total_seconds()
    if abs(away) < _SOON:
        return "now"
    return f"in {rough(away)}" if away > 0 else f"{rough(away)} ago"


def local(instant: datetime, zone: tzinfo | None = None, *, seconds: bool = True) -> str:
    """Return an instant on a wall clock, with the zone where the wall clock shows that time twice."""
    wall = instant.astimezone(zone)
    text = f"{wall:%Y-%m-%d %H:%M:%S}" if seconds or wall.second else f"{wall:%Y-%m-%d %H:%M}"
    return f"{text} {wall:%Z}" if _is_ambiguous(wall, zone) else text


def with_zone(instant: datetime, zone: tzinfo | None = None) -> str:
    """Return an instant on a wall clock, with day of the week and zone."""
    wall = instant.astimezone(zone)
    return f"{wall:%a %Y-%m-%d %H:%M:%S %Z}"


def short(instant: datetime, now: datetime, zone: tzinfo | None = None, *, said_in: str | None = None) -> str:
    """Return an instant as short as it stays clear: 14:05, Fri 02:30, 2027-01-31 02:30.

    The zone is named where the wall clock shows that time twice, or where the schedule was said on another wall clock.
    """
    wall, today = instant.astimezone(zone), now.astimezone(zone)
    clock = f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
    elsewhere = said_in is not None and instant.astimezone(find_zone(said_in)).utcoffset() != wall.utcoffset()
    zone_name = f" {wall:%Z}" if elsewhere or _is_ambiguous(wall, zone) else ""
    if wall.date() == today.date():
        return clock + zone_name
    if abs(instant - now) < _NEAR:
        return f"{wall:%a} {clock}{zone_name}"
    return f"{wall:%Y-%m-%d} {clock}{zone_name}"


def exact(instant: datetime) -> str:
    """Return an instant as it can be read back, no longer than need be: 2027-01-31T02:30Z."""
    plain = instant.astimezone(UTC).replace(tzinfo=None)
    whole = not plain.second and not plain.microsecond
    return f"{plain:%Y-%m-%dT%H:%M}Z" if whole else f"{plain.isoformat()}Z"


def past(text: str, now: datetime, zone: str | None = None) -> datetime:
    """Return the instant that a text means for somebody who looks back.

    A time of day is the last one that has passed, and a duration alone counts back from now.
    """
    plain = text.strip()
    if plain[:1].isdigit() and plain[-1:].isalpha() and plain[-1:] not in "zZ" and "-" not in plain:
        text = f"{plain} ago" if not plain.lower().endswith("ago") else plain
    if len(plain) <= 8 and plain.count(":") in (1, 2) and plain.replace(":", "").isdigit():
        today = parse_instant(f"today {plain}", zone, now)
        return today if today <= now else parse_instant(f"yesterday {plain}", zone, now)
    return parse_instant(text, zone, now)


def _is_ambiguous(wall: datetime, zone: tzinfo | None) -> bool:
    """Tell whether the wall clock shows this time twice."""
    plain = wall.replace(tzinfo=None)
    if zone is not None:
        return plain.replace(tzinfo=zone, fold=0).utcoffset() != plain.replace(tzinfo=zone, fold=1).utcoffset()
    return plain.replace(fold=0).timestamp() != plain.replace(fold=1).timestamp()


def zone_named(name: str | None) -> tzinfo | None:
    """Return a zone by its name; without a name None, which is the wall clock of this machine."""
    return None if name is None else find_zone(name)

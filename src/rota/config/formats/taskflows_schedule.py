"""Taskflows' schedules: Calendar, as systemd's OnCalendar with a few liberties, and Periodic."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

from rota.config.formats.building import tried
from rota.config.formats.fields import Faults, Fields, kind_of, scalar_text
from rota.config.problems import Mark
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar, Sequence
from rota.model.job import ScheduleSpec
from rota.schedule.duration import format_duration

_CALENDAR = ("type", "schedule", "persistent", "accuracy", "randomized_delay")
_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_PERIODIC = ("type", "start_on", "period", "relative_to", "accuracy", "randomized_delay", *_UNITS)
_SPOKEN = {
    "daily": "*-*-*",
    "weekly": "Mon *-*-*",
    "monthly": "*-*-01",
    "quarterly": "*-01,04,07,10-01",
    "semiannually": "*-01,07-01",
    "yearly": "*-01-01",
    "annually": "*-01-01",
}
_DAY_AND_TIME = re.compile(rf"({'|'.join(_SPOKEN)})[ \t]+(?=[0-9])", re.IGNORECASE)
_WEEKDAY_RANGE = re.compile(r"(?<![^\s,])([a-z]{3,9})-(?=[a-z]{3,9}(?:[\s,]|$))", re.IGNORECASE)
_BOOT = {
    "boot": "start_on: boot: it is first due one period after the first apply, and keeps that phase over restarts",
    "login": "start_on: login: rota runs whether or not somebody is logged in",
    "command": "start_on: command: it is enabled, so it is due one period after the first apply, as with boot",
}
_BY_HAND = (
    "start_on: command: in Taskflows this begins when it is told to, and rota has no such switch: the job has no "
    "schedule from it, and runs by hand (rota run NAME)"
)


class Schedules(NamedTuple):
    """What a service's schedules say."""

    specs: tuple[ScheduleSpec, ...] = ()
    persistent: bool = False
    """Whether a slot that was missed runs as soon as the machine is back."""
    calendar: bool = False
    jitter: timedelta = timedelta(0)
    notes: tuple[tuple[Mark, str], ...] = ()


def read_schedules(node: Node, faults: Faults, *, enabled: bool) -> Schedules:
    """Read one schedule or a list of them; that of a service which is not enabled may wait to be told."""
    found = Schedules()
    for item in node.items if isinstance(node, Sequence) else [node]:
        each = _read(item, faults, enabled=enabled)
        found = Schedules(
            specs=found.specs + each.specs,
            persistent=found.persistent or each.persistent,
            calendar=found.calendar or each.calendar,
            jitter=max(found.jitter, each.jitter),
            notes=found.notes + each.notes,
        )
    return found


def _read(node: Node, faults: Faults, *, enabled: bool) -> Schedules:
    if isinstance(node, Scalar) and node.value is not None:
        return _calendar(scalar_text(node), node, faults, persistent=True)
    if not isinstance(node, Mapping):
        hint = "such as 'Mon..Fri 09:00', or {period: 1h, start_on: boot, relative_to: start}"
        faults.add(node.mark, f"a schedule is a text or a mapping, not {kind_of(node)}", hint)
        return Schedules()
    fields = Fields(node, faults, "schedule")
    kind = fields.text("type") or ("Calendar" if fields.has("schedule") else "Periodic")
    jitter = fields.duration("randomized_delay") or timedelta(0)
    if kind.lower() == "calendar":
        fields.check_keys(_CALENDAR)
        text = fields.text("schedule", required=True, hint="such as 'Mon..Fri 09:00'")
        persistent = fields.flag("persistent", True)
        found = _calendar(text, fields.place("schedule"), faults, persistent=persistent) if text else Schedules()
        return found._replace(jitter=jitter)
    if kind.lower() == "periodic":
        return _periodic(fields, enabled=enabled)._replace(jitter=jitter)
    faults.add(fields.at("type"), f"type {kind!r} of a schedule is unknown", "it may be Calendar or Periodic")
    return Schedules()


def _calendar(text: str, place: Mark | Node, faults: Faults, *, persistent: bool) -> Schedules:
    spec = tried(faults, place, "schedule", "calendar", as_calendar(text))
    return Schedules((spec,) if spec else (), persistent=persistent, calendar=True)


def as_calendar(text: str) -> str:
    """Return an expression of Taskflows as systemd's OnCalendar: 'daily 03:00' and 'Mon-Fri 09:00' are taken, too."""
    written = _WEEKDAY_RANGE.sub(r"\1..", text.strip())
    return _DAY_AND_TIME.sub(lambda found: _SPOKEN[found[1].lower()] + " ", written)


def _periodic(fields: Fields, *, enabled: bool) -> Schedules:
    fields.check_keys(_PERIODIC)
    faults = fields.faults
    start_on = fields.choice("start_on", {word: word for word in _BOOT}, "boot")
    from_end = fields.choice("relative_to", {"start": False, "finish": True, "end": True}, False)
    span = _span(fields)
    if not span:
        return Schedules()
    spec = tried(faults, fields.place("period"), "period", "every", format_duration(span), from_end=bool(from_end))
    if spec is None or not fields.has("start_on"):
        return Schedules((spec,) if spec else ())
    mark = fields.key_at("start_on")
    if start_on == "command" and not enabled:
        faults.tell(mark, _BY_HAND, f"write start_on: boot, and it is due every {spec.text}")
        return Schedules(notes=((mark, f"{_BY_HAND}; it would be every {spec.text}"),))
    if start_on != "boot":
        faults.tell(mark, _BOOT[start_on])
    return Schedules((spec,), notes=((mark, _BOOT[start_on]),))


def _span(fields: Fields) -> timedelta | None:
    """Return the period, in either form; None after a fault, which is told once."""
    faults, before = fields.faults, fields.faults.count
    given = [unit for unit in _UNITS if fields.has(unit)]
    if given and fields.has("period"):
        faults.add(fields.key_at("period"), f"period and {given[0]} are both given", "one is enough")
        return None
    span = fields.duration("period") or timedelta(0)
    for unit in given:
        span += timedelta(**{unit: fields.amount(unit) or 0})
    if not span and faults.count == before:
        hint = "such as period: 30m, or minutes: 30"
        faults.add(fields.mark, "this schedule has no period, or one without length", hint)
    return span if faults.count == before else None

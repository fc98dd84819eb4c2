"""What a difference between files and store means to people: which words changed, and what fires when."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from rota.control.applying import FILE, Difference, Edit
from rota.control.views import View, instant_view
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import PRIORITIES, priority_name
from rota.model.run import Run
from rota.plan.timetables import rest_of, timetable_of
from rota.schedule.duration import format_duration

_FIRINGS = 3
_LONGEST = 60


def firings(job: Job, now: datetime, most: int = _FIRINGS) -> list[datetime]:
    """Return the next slots that a definition would have from now on; one that counts from a run's end has none yet."""
    if not job.enabled or rest_of(job) is not None:
        return []
    found: list[datetime] = []
    at = timetable_of(job).next_after(now)
    while at is not None and len(found) < most:
        found.append(at)
        at = timetable_of(job).next_after(at)
    return found


def words_changed(edit: Edit) -> list[tuple[str, str, str]]:
    """Return what is different: the word, what it said, and what it says."""
    before, after = _flat(edit.before.job), _flat(edit.after)
    found = [
        (word, before.get(word, "-"), after.get(word, "-"))
        for word in dict.fromkeys([*before, *after])
        if before.get(word) != after.get(word)
    ]
    if _schedules(edit.before.job, anchors=False) == _schedules(edit.after, anchors=False):
        old, new = _schedules(edit.before.job, anchors=True), _schedules(edit.after, anchors=True)
        found += [("anchor", old, new)] if old != new else []
    if edit.origin != edit.before.origin:
        found.append(("file", edit.before.origin.removeprefix(FILE), edit.origin.removeprefix(FILE)))
    return found


def _schedules(job: Job, *, anchors: bool) -> str:
    return ", ".join(
        spec.describe() + (f" from {instant_view(spec.anchor)}" if anchors and spec.anchor is not None else "")
        for spec in job.schedules
    )


def difference_view(found: Difference, runs: dict[str, list[Run]], now: datetime) -> View:
    """Return a difference as plain data."""
    return {
        "revision": found.revision,
        "added": [{"name": one.job.name, "origin": one.origin, "next": _next(one.job, now)} for one in found.added],
        "changed": [
            {
                "name": edit.after.name,
                "changes": [{"key": key, "before": old, "after": new} for key, old, new in words_changed(edit)],
                "next_before": _next(edit.before.job, now),
                "next_after": _next(edit.after, now),
                "paused": edit.before.paused_at is not None,
                "running": [run.id for run in runs.get(edit.after.name, [])],
            }
            for edit in found.changed
        ],
        "removed": [
            {"name": one.name, "origin": one.origin, "running": [run.id for run in runs.get(one.name, [])]}
            for one in found.removed
        ],
        "kept": [{"name": one.name, "origin": one.origin} for one in found.kept],
        "unchanged": found.unchanged,
        "conflicts": list(found.conflicts),
        "pools": [{"name": name, "before": old, "after": new} for name, old, new in found.pools],
    }


def _next(job: Job, now: datetime) -> list[str | None]:
    return [instant_view(slot) for slot in islice(firings(job, now), _FIRINGS)]


def _flat(job: Job) -> dict[str, str]:
    """Return what a job says in words, each under the key that a file has for it."""
    found: dict[str, str] = {"run": job.action.describe()}
    for field in msgspec.structs.fields(job):
        value = getattr(job, field.name)
        if field.name in ("name", "action") or value == field.default:
            continue
        if field.name == "policy":
            found |= _policy(value, "")
        elif isinstance(value, dict):
            found |= {f"{field.name}.{key}": _word(each) for key, each in value.items()}
        elif field.name == "umask":
            found["umask"] = f"{value:03o}"
        elif value:
            found[field.name] = _word(value)
        elif field.name == "enabled":
            found["enabled"] = "false"
    return found


def _policy(policy: Any, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in msgspec.structs.fields(policy):
        value = getattr(policy, field.name)
        if value == field.default:
            continue
        if isinstance(value, msgspec.Struct):
            found |= _policy(value, f"{field.name}.")
        elif field.name == "priority" and value in PRIORITIES.values():
            found["priority"] = priority_name(value)
        else:
            found[prefix + field.name] = _word(value)
    return found


def _word(value: Any) -> str:
    if isinstance(value, ScheduleSpec):
        return value.describe()  # an anchor is told by itself, where nothing else is different
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return str(instant_view(value))
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

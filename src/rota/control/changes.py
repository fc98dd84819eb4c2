"""What a difference between files and store means to people: which words changed, and what fires when."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from rota.control.applying import Difference, Edit
from rota.control.views import View, instant_view
from rota.model import origin
from rota.model.host import RunsOn
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import PRIORITIES, priority_name, size_words
from rota.model.run import Run, State
from rota.plan.timetables import rest_of, timetable_shown, with_anchors
from rota.schedule.duration import format_duration

_FIRINGS = 3
_LONGEST, _BEFORE = 60, 20
_NOTHING = "-"
_SIZES = ("head", "tail")


def firings(job: Job, now: datetime, most: int = _FIRINGS) -> list[datetime]:
    """Return the next slots that a definition would have from now on, as far as a clock can tell.

    One that counts from a run's end has none yet, and when the machine will start nobody knows.
    """
    if not job.enabled or rest_of(job) is not None:
        return []
    job = with_anchors(job, None, now)  # as applying it will
    found: list[datetime] = []
    at = timetable_shown(job).next_after(now)
    while at is not None and len(found) < most:
        found.append(at)
        at = timetable_shown(job).next_after(at)
    return found


def words_changed(edit: Edit) -> list[tuple[str, str, str]]:
    """Return what is different: the word, what it said, and what it says."""
    before, after = _flat(edit.before.job), _flat(edit.after)
    found = [
        (word, before.get(word, _NOTHING), after.get(word, _NOTHING))
        for word in dict.fromkeys([*after, *before])
        if before.get(word) != after.get(word)
    ]
    if _schedules(edit.before.job, anchors=False) == _schedules(edit.after, anchors=False):
        old, new = _schedules(edit.before.job, anchors=True), _schedules(edit.after, anchors=True)
        found += [("anchor", old, new)] if old != new else []
    if edit.origin != edit.before.origin:
        word = "file" if origin.is_file(edit.before.origin) and origin.is_file(edit.origin) else "from"
        found.append((word, origin.shown(edit.before.origin), origin.shown(edit.origin)))
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
                **_runs_view(runs.get(edit.after.name, [])),
            }
            for edit in found.changed
        ],
        "removed": [
            {"name": one.name, "origin": one.origin, **_runs_view(runs.get(one.name, []))} for one in found.removed
        ],
        "kept": [{"name": one.stored.name, "origin": one.stored.origin, "why": one.why} for one in found.kept],
        "unchanged": found.unchanged,
        "conflicts": list(found.conflicts),
        "pools": [{"name": name, "before": old, "after": new} for name, old, new in found.pools],
    }


def _runs_view(runs: list[Run]) -> View:
    running = [run.id for run in runs if run.state is State.RUNNING]
    return {"running": running, "waiting": [run.id for run in runs if run.id not in running]}


def _next(job: Job, now: datetime) -> list[str | None]:
    return [instant_view(slot) for slot in islice(firings(job, now), _FIRINGS)]


def shortened(old: str, new: str) -> tuple[str, str]:
    """Return two different texts for a line on a terminal; long ones are cut so that the difference is seen."""
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - _BEFORE) if max(len(old), len(new)) > _LONGEST else 0
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    cut = ("…" if start else "") + text[start:]
    return cut if len(cut) <= _LONGEST else f"{cut[: _LONGEST - 1]}…"


def _flat(job: Job) -> dict[str, str]:
    """Return what a job says in words, each under the key that a file has for it; defaults as well."""
    found: dict[str, str] = {"run": job.action.describe()}
    for field in msgspec.structs.fields(job):
        value = getattr(job, field.name)
        if field.name in ("name", "action"):
            continue
        if field.name == "policy":
            found |= _policy(value, "")
        elif isinstance(value, dict):
            found |= {f"{field.name}.{key}": _word(each) for key, each in value.items()}
        elif field.name == "umask" and value is not None:
            found["umask"] = f"{value:03o}"
        else:
            found[field.name] = _word(value)
    return found


def _policy(policy: Any, prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for field in msgspec.structs.fields(policy):
        value = getattr(policy, field.name)
        if isinstance(value, msgspec.Struct):
            found |= _policy(value, f"{field.name}.")
        elif field.name == "priority" and value in PRIORITIES.values():
            found["priority"] = priority_name(value)
        elif field.name in _SIZES:
            found[prefix + field.name] = size_words(value)
        else:
            found[prefix + field.name] = _word(value)
    return found


def _word(value: Any) -> str:
    match value:
        case None | () | "":
            return _NOTHING
        case bool():
            return "true" if value else "false"
        case RunsOn():
            return value.words()
        case ScheduleSpec():
            return value.describe()  # an anchor is told by itself, where nothing else is different
        case timedelta():
            return format_duration(value)
        case datetime():
            return str(instant_view(value))
        case tuple():
            return ", ".join(map(_word, value))
    return str(value)

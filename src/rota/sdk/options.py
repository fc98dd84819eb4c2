"""What may be said about a job in Python, and how that becomes a definition."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from rota.errors import BadJob, did_you_mean
from rota.model.action import Action
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import PRIORITIES, CatchUp, Output, Overlap, Policy, Retries
from rota.schedule.instant import parse_instant
from rota.sdk.schedules import At, Calendar, Cron, Every, Priority, Retry, Schedule, span

Span = timedelta | float | str
"""A duration: as one, in seconds, or as text such as '1h30m'."""


class Options(TypedDict, total=False):
    """The words of `rota.job`, `Scheduler.add` and `Scheduler.job`."""

    cron: str | Cron | Sequence[str | Cron]
    every: Span | Every
    at: str | datetime | At | Sequence[str | datetime | At]
    calendar: str | Calendar | Sequence[str | Calendar]
    schedule: Schedule | Sequence[Schedule]
    timezone: str
    retries: int | Retry
    retry_delay: Span
    timeout: Span
    kill_after: Span
    start_by: Span
    overlap: str | Overlap
    max_instances: int
    catch_up: str | CatchUp
    grace: Span
    priority: str | int | Priority
    pool: str
    jitter: Span
    max_output: int
    not_before: str | datetime
    not_after: str | datetime
    description: str
    tags: Iterable[str]
    enabled: bool
    env: Mapping[str, str]
    cwd: str | os.PathLike[str]


_SPANS = ("timeout", "kill_after", "start_by", "grace", "jitter")


def definition(name: str, action: Action, options: Mapping[str, Any]) -> Job:
    """Return the job that these words define; what cannot mean anything is refused when it is added."""
    unknown = next((word for word in options if word not in Options.__annotations__), None)
    if unknown is not None:
        near = did_you_mean(unknown, Options.__annotations__)
        raise BadJob(f"job {name!r}: there is no option {unknown!r}{near}")
    given = {word: value for word, value in options.items() if value is not None}
    zone = given.get("timezone")
    return Job(
        name=name,
        action=action,
        schedules=tuple(_specs(given)),
        policy=_policy(name, given, zone),
        timezone=zone,
        description=given.get("description", ""),
        tags=tuple(given.get("tags", ())),
        enabled=given.get("enabled", True),
        cwd=os.path.abspath(given["cwd"]) if "cwd" in given else os.getcwd(),
        env={key: str(value) for key, value in given.get("env", {}).items()},
    )


def _specs(given: Mapping[str, Any]) -> Iterable[ScheduleSpec]:
    """Yield the schedules, whichever way they were given."""
    for each in _several(given.get("cron")):
        yield (each if isinstance(each, Cron) else Cron(each)).spec()
    every = given.get("every")
    if every is not None:
        yield (every if isinstance(every, Every) else Every(every if isinstance(every, str) else span(every))).spec()
    for each in _several(given.get("at")):
        yield (each if isinstance(each, At) else At(each)).spec()
    for each in _several(given.get("calendar")):
        yield (each if isinstance(each, Calendar) else Calendar(each)).spec()
    for each in _several(given.get("schedule")):
        yield each.spec()


def _several(given: Any) -> Iterable[Any]:
    if given is None:
        return ()
    return given if isinstance(given, (list, tuple)) else (given,)


def _policy(name: str, given: Mapping[str, Any], zone: str | None) -> Policy:
    fields: dict[str, Any] = {word: span(given[word]) for word in _SPANS if word in given}
    fields |= {word: given[word] for word in ("max_instances", "pool") if word in given}
    for word, kind in (("overlap", Overlap), ("catch_up", CatchUp)):
        if word in given:
            fields[word] = _choice(name, word, kind, given[word])
    if "max_output" in given:  # of each stream, in bytes: its beginning and its end, as much of each as by default
        head = given["max_output"] // 4
        fields["output"] = Output(head, given["max_output"] - head)
    if "priority" in given:
        fields["priority"] = _priority(name, given["priority"])
    fields["retries"] = _retries(given)
    for word in ("not_before", "not_after"):
        if word in given:
            value = given[word]
            fields[word] = parse_instant(value, zone) if isinstance(value, str) else value
    return Policy(**fields)


def _choice(name: str, word: str, kind: type[Overlap] | type[CatchUp], value: str) -> Overlap | CatchUp:
    try:
        return kind(value)
    except ValueError:
        known = [each.value for each in kind]
        raise BadJob(
            f"job {name!r}: {word} is {value!r}; it may be {', '.join(known)}{did_you_mean(value, known)}"
        ) from None


def _priority(name: str, value: str | int) -> int:
    if not isinstance(value, str):
        return int(value)
    if value not in PRIORITIES:
        raise BadJob(
            f"job {name!r}: priority is {value!r}; it may be {', '.join(PRIORITIES)}, or a number"
            f"{did_you_mean(value, PRIORITIES)}"
        )
    return PRIORITIES[value]


def _retries(given: Mapping[str, Any]) -> Retries:
    retries = given.get("retries", 0)
    found = retries.retries() if isinstance(retries, Retry) else Retries(count=retries)
    if "retry_delay" not in given:
        return found
    return Retries(found.count, span(given["retry_delay"]), found.backoff, found.max_delay, found.jitter, found.only_on)

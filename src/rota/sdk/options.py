"""What may be said about a job in Python, and how that becomes a definition."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import msgspec

from rota.errors import BadJob, did_you_mean
from rota.model.action import Action
from rota.model.job import SECRET_SOURCES, Job, ScheduleSpec
from rota.model.policy import PRIORITIES, CatchUp, Output, Overlap, Policy, Retries
from rota.schedule.custom import Schedule
from rota.schedule.instant import parse_instant
from rota.sdk.schedules import At, Calendar, Cron, Every, Priority, Retry, span, spec_of

if TYPE_CHECKING:
    from rota.observe.notifiers.notifier import Tells

Span = timedelta | float | str
"""A duration: as one, in seconds, or as text such as '1h30m'."""


class Secret(msgspec.Struct, frozen=True):
    """A variable's value that is somewhere else: it is read when an attempt starts, never stored, masked in output."""

    source: str
    """`keyring:service/name`, `file:/path` or `env:NAME`."""


class Options(TypedDict, total=False):
    """The words of `rota.job`, `Scheduler.add` and `Scheduler.job`."""

    cron: str | Cron | Sequence[str | Cron]
    """When, as in cron: `30 2 * * *`, six fields with seconds first, `@daily`."""
    every: Span | Every
    """At an interval: `5m`."""
    at: str | datetime | At | Sequence[str | datetime | At]
    """Once, or at several instants; `boot` is each start of the machine."""
    calendar: str | Calendar | Sequence[str | Calendar]
    """When, as in systemd: `Mon..Fri 09:00`."""
    custom: str | Sequence[str]
    """When, as a plug-in says: its name, and what it is told."""
    schedule: Schedule | Sequence[Schedule]
    """The same as typed values, one or several of any kind."""
    timezone: str
    """The time zone of all of these: an IANA name [the scheduler's, then the host's]."""
    retries: int | Retry
    """How often a failed attempt is tried again [0]."""
    retry_delay: Span
    """The pause before the first retry; each later one is twice as long [10s]."""
    timeout: Span
    """After so long an attempt is ended, with everything that it has started [none]."""
    kill_after: Span
    """How long it may take to end when it is asked to, before it is killed [10s]."""
    start_by: Span
    """How long a run may wait for a place [for ever]."""
    overlap: str | Overlap
    """What a due run does while another one is active: `skip`, `queue`, `replace` or `allow` [skip]."""
    max_instances: int
    """How many runs of the job may be active before that is asked [1]."""
    catch_up: str | CatchUp
    """Which of the slots that were missed run afterwards: `latest`, `all` or `none` [latest]."""
    grace: Span
    """How late a missed slot may still run [1h]."""
    priority: str | int | Priority
    """Who goes first when places are few: `urgent`, `high`, `medium`, `low`, or a number [medium]."""
    pool: str
    """The pool that its runs take a place of; see `Scheduler.set_pool`."""
    jitter: Span
    """By up to how much its slots are moved, always by the same on one host [0]."""
    max_output: int
    """How many bytes of each stream are kept, of its beginning and its end [1 MiB]."""
    not_before: str | datetime
    """No slot before this instant is due."""
    not_after: str | datetime
    """No slot after this instant is due."""
    description: str
    """What it is for."""
    tags: Iterable[str]
    """Words to find it by."""
    enabled: bool
    """Whether it is due at all [True]."""
    env: Mapping[str, str | Secret]
    """Variables of its process."""
    env_file: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    """Files of NAME=VALUE lines, read when an attempt starts."""
    cwd: str | os.PathLike[str]
    """Where its process runs [where the program was when it added the job]."""
    user: str
    """The user that its process runs as; the engine must be root."""
    umask: int
    """The umask of its process, such as 0o027."""
    notify: str | Tells | Sequence[str | Tells]
    """Who is told of runs: `desktop`, `email`, `log`, a URL of apprise, a `Notifier`, or several of them."""
    notify_on: Literal["failure", "success", "always"]
    """Of which runs they are told, once each, after its retries [failure]."""


_SPANS = ("timeout", "kill_after", "start_by", "grace", "jitter")
_OF_A_PROCESS = ("timeout", "env", "env_file", "cwd", "user", "umask")
"""What nobody can give to a thread."""


def need_process(options: Mapping[str, Any]) -> list[str]:
    """Return those of the words that only a process of its own can heed."""
    return [word for word in _OF_A_PROCESS if options.get(word) is not None]


def definition(name: str, action: Action, options: Mapping[str, Any]) -> Job:
    """Return the job that these words define; what cannot mean anything is refused when it is added.

    Who is notified is the program's own business, and no part of the definition: `Notices` has taken that out already.
    """
    unknown = next((word for word in options if word not in Options.__annotations__), None)
    if unknown is not None:
        near = did_you_mean(unknown, Options.__annotations__)
        raise BadJob(f"job {name!r}: there is no option {unknown!r}{near}")
    given = {word: value for word, value in options.items() if value is not None}
    zone, env = given.get("timezone"), given.get("env", {})
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
        env={key: str(value) for key, value in env.items() if not isinstance(value, Secret)},
        secrets={key: _place(name, value.source) for key, value in env.items() if isinstance(value, Secret)},
        env_files=tuple(os.path.abspath(os.path.expanduser(path)) for path in _several(given.get("env_file"))),
        user=given.get("user"),
        umask=given.get("umask"),
    )


def _place(name: str, source: str) -> str:
    """Return where a secret is, with a file's path as it is seen from here."""
    scheme, colon, rest = source.partition(":")
    if scheme not in SECRET_SOURCES or not rest:
        raise BadJob(
            f"job {name!r}: {source!r} is no place of a secret; write keyring:service/name, file:/path or env:NAME"
            f"{did_you_mean(scheme, SECRET_SOURCES) if colon else ''}"
        )
    return f"file:{os.path.abspath(os.path.expanduser(rest))}" if scheme == "file" else source


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
    for each in _several(given.get("custom")):
        yield ScheduleSpec("custom", each)
    for each in _several(given.get("schedule")):
        yield spec_of(each)


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

"""What may be said about a job in Python, and how that becomes a definition."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

import msgspec

from rota.errors import BadJob, BadSchedule, did_you_mean
from rota.model.action import Action
from rota.model.host import ANYWHERE, parse_runs_on
from rota.model.job import SECRET_SOURCES, Job, ScheduleSpec
from rota.model.policy import PRIORITIES, CatchUp, Output, Overlap, Policy, Retries
from rota.schedule.custom import Schedule
from rota.schedule.instant import parse_instant
from rota.sdk.schedules import At, Calendar, Cron, Every, Priority, Retry, is_seconds, span, spec_of

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
    runs_on: str | Mapping[str, str]
    """Where it may run, if hosts share the store: `all`, a host's name, or labels: `gpu=a100`, or a dict [any host]."""
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
    tags: Collection[str]
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


# -- what each word may be given --------------------------------------------------------------------------------------


_MOST_SHOWN = 80
"""So many characters of a wrong value are shown."""


class _Takes(NamedTuple):
    """What a word may be given: a test, and the same in words for whoever gave something else."""

    fits: Callable[[Any], bool]
    words: str


def _one(*kinds: type) -> Callable[[Any], bool]:
    """Return the test whether a value is of one of these kinds; what is true or false is no number here."""
    return lambda value: isinstance(value, kinds) and not isinstance(value, bool)


def _some(*kinds: type) -> Callable[[Any], bool]:
    """Return the test whether a value is one of these kinds, or a list of them with something in it."""
    one = _one(*kinds)
    return lambda value: bool(value) and all(map(one, value)) if isinstance(value, (list, tuple)) else one(value)


def _is_span(value: Any) -> bool:
    return _one(str, timedelta)(value) or is_seconds(value)


def _are_texts(value: Any) -> bool:
    is_list = isinstance(value, Collection) and not isinstance(value, (str, bytes, Mapping))
    return is_list and all(isinstance(each, str) for each in value)


def _is_place(value: Any) -> bool:
    """Tell whether a value may be where a job runs; what a label may be is looked at later."""
    if isinstance(value, Mapping):
        return bool(value) and all(_one(str)(key) and _one(str, int)(each) for key, each in value.items())
    return _one(str)(value) and bool(value.strip())


_SPAN = _Takes(_is_span, "a duration such as '1h30m', a number of seconds, or a timedelta")
_INSTANT = _Takes(_one(str, datetime), "a text such as '2027-01-31 10:00', or a datetime")
_TEXT = _Takes(_one(str), "a text")
_TAKES = {
    "cron": _Takes(_some(str, Cron), "a text such as '30 2 * * *', a rota.Cron, or a list of these"),
    "every": _Takes(
        lambda value: _is_span(value) or isinstance(value, Every), "a duration such as '5m', or a rota.Every"
    ),
    "at": _Takes(
        _some(str, datetime, At), "a text such as '2027-01-31 10:00', a datetime, a rota.At, or a list of these"
    ),
    "calendar": _Takes(_some(str, Calendar), "a text such as 'Mon..Fri 09:00', a rota.Calendar, or a list of these"),
    "custom": _Takes(_some(str), "a text: a plug-in's name and what it is told; or a list of these"),
    "schedule": _Takes(
        _some(Schedule), "a rota.Cron, Every, At or Calendar, a rota.Schedule of yours, or a list of these"
    ),
    "timezone": _Takes(_one(str), "an IANA name such as 'Europe/Berlin'"),
    "retries": _Takes(_one(int, Retry), "a whole number, or a rota.Retry"),
    "retry_delay": _SPAN,
    "backoff": _Takes(_one(int, float), "a number"),
    "timeout": _SPAN,
    "kill_after": _SPAN,
    "start_by": _SPAN,
    "overlap": _Takes(_one(str), f"one of {', '.join(Overlap)}"),
    "max_instances": _Takes(_one(int), "a whole number, 1 or more"),
    "catch_up": _Takes(_one(str), f"one of {', '.join(CatchUp)}"),
    "grace": _SPAN,
    "priority": _Takes(_one(str, int), "a word such as 'high', or a whole number"),
    "pool": _Takes(_one(str), "the name of a pool"),
    "runs_on": _Takes(_is_place, "'all', the name of a host, labels such as 'gpu=a100', or a dict of labels"),
    "jitter": _SPAN,
    "max_output": _Takes(lambda value: _one(int)(value) and value >= 0, "a whole number of bytes, 0 or more"),
    "not_before": _INSTANT,
    "not_after": _INSTANT,
    "description": _TEXT,
    "tags": _Takes(_are_texts, "a list of texts"),
    "enabled": _Takes(lambda value: isinstance(value, bool), "True or False"),
    "env": _Takes(lambda value: isinstance(value, Mapping), "a dict of names and values"),
    "env_file": _Takes(
        lambda value: value in ([], ()) or _some(str, os.PathLike)(value), "the path of a file, or a list of these"
    ),
    "cwd": _Takes(_one(str, os.PathLike), "the path of a directory"),
    "user": _Takes(_one(str), "the name of a user"),
    "umask": _Takes(lambda value: _one(int)(value) and 0 <= value <= 0o777, "a number from 0 to 0o777, such as 0o027"),
    "capacity": _Takes(lambda value: _one(int)(value) and value >= 1, "a whole number, 1 or more"),
    "size": _Takes(_one(int), "a whole number"),
    "apart": _Takes(lambda value: isinstance(value, bool), "True or False"),
    "store": _Takes(_one(str), "the URL of a store, such as postgresql://rota@db.example/ops"),
    "name": _TEXT,
}


def check_words(what: str, given: Mapping[str, Any]) -> None:
    """Refuse a value that its word cannot be given; None says nothing, and is no value."""
    for word, value in given.items():
        takes = _TAKES.get(word)
        if takes is not None and value is not None and not takes.fits(value):
            raise BadJob(f"{what}: {word} is {_short(value)}; give {takes.words}")


def check_zone(what: str, name: str) -> None:
    """Refuse a time zone that there is not."""
    from rota.schedule.zones import zone

    check_words(what, {"timezone": name})
    try:
        zone(name)
    except BadSchedule as error:
        raise BadJob(f"{what}: {error.problem}; {error.hint}") from None


def read_span(what: str, word: str, given: Mapping[str, Any]) -> timedelta:
    """Return the duration that a word was given."""
    try:
        return span(given[word])
    except BadSchedule as error:
        raise BadJob(f"{what}: {word} is {_short(given[word])}; {error.problem}; {error.hint}") from None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


# -- from words to a definition ---------------------------------------------------------------------------------------

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
    check_words(f"job {name!r}", given)
    zone, env = given.get("timezone"), given.get("env", {})
    if zone is not None:
        check_zone(f"job {name!r}", zone)
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
        env={key: _text(name, key, value) for key, value in env.items() if not isinstance(value, Secret)},
        secrets={key: _place(name, value.source) for key, value in env.items() if isinstance(value, Secret)},
        env_files=tuple(os.path.abspath(os.path.expanduser(path)) for path in _several(given.get("env_file"))),
        user=given.get("user"),
        umask=given.get("umask"),
        runs_on=parse_runs_on(given["runs_on"]) if "runs_on" in given else ANYWHERE,
    )


def _text(name: str, variable: Any, value: Any) -> str:
    """Return a variable's value as a process gets it; what is refused is not shown, because it may be a secret."""
    if not isinstance(variable, str):
        raise BadJob(f"job {name!r}: env has a variable named {variable!r}; give a text")
    if not isinstance(value, (str, int, float, os.PathLike)):
        kind = type(value).__name__
        raise BadJob(
            f"job {name!r}: env has a value of the type {kind} for {variable!r}; give a text, or a rota.Secret"
        )
    return str(value)


def _place(name: str, source: str) -> str:
    """Return where a secret is, with a file's path as it is seen from here."""
    scheme, colon, rest = str(source).partition(":")
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
    fields: dict[str, Any] = {word: read_span(f"job {name!r}", word, given) for word in _SPANS if word in given}
    fields |= {word: given[word] for word in ("max_instances", "pool") if word in given}
    for word, kind in (("overlap", Overlap), ("catch_up", CatchUp)):
        if word in given:
            fields[word] = _choice(name, word, kind, given[word])
    if "max_output" in given:  # of each stream, in bytes: its beginning and its end, as much of each as by default
        head = given["max_output"] // 4
        fields["output"] = Output(head, given["max_output"] - head)
    if "priority" in given:
        fields["priority"] = _priority(name, given["priority"])
    fields["retries"] = _retries(name, given)
    for word in ("not_before", "not_after"):
        if word in given:
            fields[word] = _instant(given[word], zone)
    return Policy(**fields)


def _instant(value: str | datetime, zone: str | None) -> datetime:
    """Return an instant; without an offset it is wall time in the zone, however it was given."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    return parse_instant(value if isinstance(value, str) else value.isoformat(sep=" "), zone)


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


def _retries(name: str, given: Mapping[str, Any]) -> Retries:
    retries = given.get("retries", 0)
    found = retries.retries() if isinstance(retries, Retry) else Retries(count=retries)
    if "retry_delay" not in given:
        return found
    return msgspec.structs.replace(found, delay=read_span(f"job {name!r}", "retry_delay", given))

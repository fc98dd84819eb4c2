"""The guided form of a job, and the job's document: each from the other, and nothing else.

The form shows less than a document can say. So it is laid over the document that a job has already: what a part of the
form says is put into the document only if it says something else than it did for that document. Whatever the form does
not show, or cannot show as it is written, stays as it is. What is wrong with a document its one reader tells; here is
told only what is no document at all, such as arguments that are no JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from rota.web.forms import Fields
from rota.web.guided_places import ANY, LABELS, ONE, where_said, where_shown, wrong_place
from rota.web.guided_times import cron_of, days_of, wrong_time

Document = dict[str, Any]
_INTERVAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])")
_ACTIONS = ("run", "python", "task", "uses", "args", "kwargs", "with")
_SCHEDULES = ("cron", "every", "at", "calendar", "custom", "schedules")
_ON_THE_WALL = ("days", "cron", "calendar", "once", "keep")
"""Of which schedules the zone matters."""
_ORDER = (
    "description",
    *_ACTIONS,
    *_SCHEDULES,
    "timezone",
    "runs_on",
    "enabled",
    "env",
    "env_file",
    "user",
    "umask",
    "tags",
)
_DEFAULTS = {"overlap": "skip", "catch_up": "latest", "priority": "medium", "max_instances": "1"}


class Guided(msgspec.Struct, frozen=True):
    """Every field of the form, as somebody has typed it; these are a job that has only a name."""

    name: str = ""
    description: str = ""
    what: str = "line"
    """`line` of shell, `argv`, `python`, or `keep` what cannot be shown here."""
    line: str = ""
    argv: str = ""
    python: str = ""
    args: str = ""
    kwargs: str = ""
    when: str = "hand"
    """`every`, `days`, `cron`, `calendar`, `once`, `boot`, `hand`, or `keep`."""
    every: str = ""
    unit: str = "m"
    from_end: bool = False
    times: str = ""
    days: str = "every"
    """On `every` day, on some of a `week` or of a `month`."""
    weekdays: tuple[str, ...] = ()
    month_days: str = ""
    cron: str = ""
    calendar: str = ""
    at: str = ""
    timezone: str = ""
    where: str = ANY
    """On `any` host, on one `host`, on hosts with some `labels`, or on `all`."""
    host: str = ""
    labels: str = ""
    enabled: bool = True
    timeout: str = ""
    retries: str = ""
    retry_delay: str = ""
    overlap: str = "skip"
    max_instances: str = "1"
    catch_up: str = "latest"
    grace: str = ""
    priority: str = "medium"
    pool: str = ""
    tags: str = ""
    cwd: str = ""
    user: str = ""
    env: str = ""
    secrets: str = ""


def guided_of(fields: Fields) -> Guided:
    """Return what somebody has typed."""
    flags: dict[str, Any] = {"from_end": fields.has("from_end"), "enabled": fields.has("enabled")}
    texts: dict[str, Any] = {
        name: fields.text(name)
        for name in Guided.__struct_fields__
        if name not in ("from_end", "enabled", "weekdays") and fields.has(name)
    }
    return Guided(**texts, **flags, weekdays=tuple(fields.all("weekdays")))


# -- from a document to the form --------------------------------------------------------------------------------------


def guided_from(name: str, document: Document) -> Guided:
    """Return the form of a job that has this document."""
    retries = _retries_said(document)
    env = document.get("env", {})
    plain: dict[str, Any] = {key: str(document[key]) for key in _PLAIN if key in document}
    return Guided(
        name=name,
        **plain,
        **_what_shown(document),
        **_when_shown(document),
        **where_shown(document),
        enabled=document.get("enabled", True),
        retries=str(retries.get("count", "")),
        retry_delay=str(retries.get("delay", "")),
        tags=", ".join(document.get("tags", ())),
        env="\n".join(f"{key}={value}" for key, value in env.items() if _is_line(value)),
        secrets="\n".join(f"{key}={value['from']}" for key, value in env.items() if isinstance(value, dict)),
    )


def _what_shown(document: Document) -> dict[str, Any]:
    run = document.get("run")
    if isinstance(run, str):
        return {"what": "line", "line": run}
    if isinstance(run, list) and not any("\n" in word or not word.strip() for word in run):
        return {"what": "argv", "argv": "\n".join(run)}
    if "python" in document:
        args, kwargs = document.get("args"), document.get("kwargs")
        return {
            "what": "python",
            "python": document["python"],
            "args": json.dumps(args, ensure_ascii=False) if args else "",
            "kwargs": json.dumps(kwargs, ensure_ascii=False) if kwargs else "",
        }
    return {"what": "keep"} if set(_ACTIONS) & document.keys() else {}


def _when_shown(document: Document) -> dict[str, Any]:
    keys = [key for key in _SCHEDULES if key in document]
    if not keys:
        return {"when": "hand"}
    said = document[keys[0]]
    if keys == ["every"]:
        return _every_shown(said)
    if keys == ["cron"]:
        shown = days_of([said] if isinstance(said, str) else said)
        if shown is not None:
            return {"when": "days", **shown}
    if len(keys) == 1 and isinstance(said, str) and keys[0] in ("cron", "calendar", "at"):
        if keys[0] == "at":
            return {"when": "boot"} if said == "boot" else {"when": "once", "at": said}
        return {"when": keys[0], keys[0]: said}
    return {"when": "keep"}


def _every_shown(said: Any) -> dict[str, Any]:
    more = said if isinstance(said, dict) else {"every": said}
    text = str(more["every"])
    found = _INTERVAL.fullmatch(text)
    number, unit = (found[1], found[2]) if found else (text, "")
    return {"when": "every", "every": number, "unit": unit, "from_end": more.get("from") == "end"}


# -- from the form to a document --------------------------------------------------------------------------------------


def document_of(form: Guided, base: Document) -> Document:
    """Lay the form over the document that there is already, or over none."""
    before, document = _as_sent(guided_from(form.name, base)), dict(base)
    for keys, part in _PARTS:
        said = part(form)
        if said is None or said == part(before):
            continue
        for key in keys:
            document.pop(key, None)
        document |= said
    for key, part, rest in (("retries", _retries, _retries_hidden(base)), ("env", _env, _env_hidden(base))):
        if part(form) == part(before):
            continue
        document.pop(key, None)
        merged = {**rest, **part(form)}
        document |= {key: merged} if merged else {}
    place = {key: number for number, key in enumerate(_ORDER)}
    return dict(sorted(document.items(), key=lambda item: place.get(item[0], len(place))))


def _as_sent(form: Guided) -> Guided:
    """Return a form as it comes back when nobody has touched it: without the spaces around its texts."""
    texts = {name: value.strip() for name, value in msgspec.structs.asdict(form).items() if isinstance(value, str)}
    return msgspec.structs.replace(form, **texts)


def _what(form: Guided) -> Document | None:
    """Return the action; None leaves it as it is."""
    match form.what:
        case "argv":
            return {"run": [word for word in form.argv.split("\n") if word.strip()]}
        case "python":
            args, kwargs = _json(form.args, []), _json(form.kwargs, {})
            return {"python": form.python} | ({"args": args} if args else {}) | ({"kwargs": kwargs} if kwargs else {})
        case "keep":
            return None
    return {"run": form.line}


def _when(form: Guided) -> Document | None:
    """Return the schedule; None leaves it as it is."""
    match form.when:
        case "every":
            interval = f"{form.every}{form.unit}" if form.every else ""
            return {"every": {"every": interval, "from": "end"} if form.from_end else interval}
        case "days":
            lines = cron_of(form.times, form.days, form.weekdays, form.month_days)
            return {"cron": lines[0] if len(lines) == 1 else lines}
        case "cron" | "calendar":
            return {form.when: getattr(form, form.when)}
        case "once":
            return {"at": form.at}
        case "boot":
            return {"at": "boot"}
        case "keep":
            return None
    return {}


def _zone(form: Guided) -> Document:
    return {"timezone": form.timezone} if form.timezone and form.when in _ON_THE_WALL else {}


def _where(form: Guided) -> Document:
    return where_said(form.where, form.host, form.labels)


def _env(form: Guided) -> Document:
    env: dict[str, Any] = dict(_assignments(form.env))
    return env | {name: {"from": value} for name, value in _assignments(form.secrets)}


def _env_hidden(document: Document) -> Document:
    """Return the variables that the form cannot show, because their values have several lines."""
    env = document.get("env", {})
    return {name: value for name, value in env.items() if not isinstance(value, dict) and not _is_line(value)}


def _is_line(value: Any) -> bool:
    return not isinstance(value, dict) and "\n" not in str(value)


def _tags(form: Guided) -> Document:
    tags = [tag.strip() for tag in form.tags.split(",") if tag.strip()]
    return {"tags": tags} if tags else {}


def _enabled(form: Guided) -> Document:
    return {} if form.enabled else {"enabled": False}


def _retries(form: Guided) -> Document:
    said = {"count": _number(form.retries), "delay": form.retry_delay}
    return {word: value for word, value in said.items() if value != ""}


def _retries_said(document: Document) -> Document:
    said = document.get("retries", {})
    return said if isinstance(said, dict) else {"count": said}


def _retries_hidden(document: Document) -> Document:
    return {word: value for word, value in _retries_said(document).items() if word not in ("count", "delay")}


def _word(key: str) -> Callable[[Guided], Document]:
    """Return the part of one field that is a key of the same name, without what is default."""

    def part(form: Guided) -> Document:
        text = getattr(form, key)
        return {} if text == _DEFAULTS.get(key, "") else {key: _number(text) if key in _NUMBERS else text}

    return part


_NUMBERS = ("max_instances", "priority")
_PLAIN = (
    *("description", "timezone", "timeout", "overlap", "max_instances", "catch_up", "grace"),
    *("priority", "pool", "cwd", "user"),
)
_PARTS: tuple[tuple[tuple[str, ...], Callable[[Guided], Document | None]], ...] = (
    (_ACTIONS, _what),
    (_SCHEDULES, _when),
    (("timezone",), _zone),
    (("runs_on",), _where),
    (("tags",), _tags),
    (("enabled",), _enabled),
    *(((key,), _word(key)) for key in _PLAIN if key != "timezone"),
)
"""The keys that a part of the form is about, and what it says of them."""


# -- what is wrong ----------------------------------------------------------------------------------------------------


def wrong_fields(form: Guided) -> dict[str, str]:
    """Return what can be no document, by field."""
    found: dict[str, str] = {} if form.name else {"name": "a job needs a name"}
    if form.what in _NOTHING and not getattr(form, form.what):
        found[form.what] = _NOTHING[form.what]
    if form.what == "python":
        found |= {"args": _NO_LIST} if not isinstance(_json(form.args, []), list) else {}
        found |= {"kwargs": _NO_MAPPING} if not isinstance(_json(form.kwargs, {}), dict) else {}
    if form.when == "days" and (wrong := wrong_time(form.times)):
        found["times"] = wrong
    if form.when == "days" and form.days == "week" and not form.weekdays:
        found["weekdays"] = "no day is chosen; tick at least one"
    if form.when == "days" and form.days == "month" and not form.month_days:
        found["month_days"] = "no day is given; write one or more, such as 1, 15, last"
    found |= wrong_place(form.where, form.host, form.labels)
    for field in ("env", "secrets"):
        lines = [line for line in getattr(form, field).split("\n") if line.strip() and "=" not in line]
        if lines:
            found[field] = f"{lines[0].strip()[:60]!r} has no '='; write NAME=VALUE, one to a line"
    return found


_NOTHING = {
    "line": "it has nothing to run yet; write a line of shell",
    "argv": "it has nothing to run yet; write a program",
    "python": "it has nothing to run yet; name a function, such as reports.daily:main",
}
_NO_LIST = 'this is no JSON list; write it such as ["daily", 7]'
_NO_MAPPING = 'this is no JSON object; write it such as {"year": 2027}'
_FIELDS: Mapping[str, str] = {
    "run": "line",
    "python": "python",
    "args": "args",
    "kwargs": "kwargs",
    "every": "every",
    "cron": "cron",
    "calendar": "calendar",
    "at": "at",
    "retries": "retries",
    "retries.delay": "retry_delay",
    "env": "env",
}


def field_of(place: str, problem: str, form: Guided) -> str:
    """Return the field beside which a fault of the document is told; none if no field is to blame."""
    key = place.partition(".")[0]
    if not key or key == "name":
        return form.what if problem.endswith("nothing to run") and form.what != "keep" else "name"
    if key == "run":
        return form.what if form.what in ("line", "argv") else ""
    if key == "cron" and form.when == "days":
        return "times"
    if key == "runs_on":
        return form.where if form.where in (ONE, LABELS) else "where"
    if key == "env" and any(name == place.partition(".")[2] for name, _ in _assignments(form.secrets)):
        return "secrets"
    field = _FIELDS.get(place) or _FIELDS.get(key) or key
    return field if field in Guided.__struct_fields__ else ""


def _assignments(text: str) -> list[tuple[str, str]]:
    parts = [line.partition("=") for line in text.split("\n") if "=" in line]
    return [(name.strip(), value) for name, _, value in parts]


def _json(text: str, empty: Any) -> Any:
    """Return what a text says as JSON; a text that is none is returned as it is, and is wrong there."""
    try:
        return json.loads(text) if text else empty
    except ValueError:
        return text


def _number(text: str) -> Any:
    """Return a whole number; what is none is left to the reader of documents."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text

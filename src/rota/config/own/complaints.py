"""From a document's refusal to problems with places: each error's path is followed through the nodes of the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from rota.config.own.documents import ACTIONS, JobDocument
from rota.config.own.quantities import said
from rota.config.problems import Problems
from rota.config.syntax.places import Places
from rota.config.syntax.yaml_reader import Mapping, Node, Scalar
from rota.errors import did_you_mean

_ELSEWHERE = {
    "command": "the command is `run`",
    "cmd": "the command is `run`",
    "script": "the command is `run`",
    "shell": "a text after `run` is a line of shell",
    "schedule": "write `cron`, `every`, `at` or `calendar`",
    "interval": "an interval is `every`",
    "tz": "the time zone is `timezone`",
    "retry_delay": "write retries: {count: 3, delay: 1m}",
    "max_retries": "write retries: 3",
    "backoff": "write retries: {count: 3, backoff: 2}",
    "max_delay": "write retries: {count: 3, max_delay: 1h}",
    "retry_on": "write retries: {count: 3, only_on: [75]}",
    "working_directory": "the directory is `cwd`",
    "working_dir": "the directory is `cwd`",
    "dir": "the directory is `cwd`",
    "environment": "variables are `env`",
    "disabled": "write enabled: false",
    "dst": "it belongs to an entry of schedules: [{calendar: '*-*-* 02:30', dst: skip}]",
    "from": "it belongs to an interval: every: {every: 5m, from: end}",
    "anchor": "it belongs to an interval: every: {every: 5m, anchor: 2027-01-01 00:00}",
    "name": "the name of a job is the key that it stands under",
    "id": "the name of a job is the key that it stands under",
    "tasks": "rota's own files have `jobs`",
    "secrets": 'a secret is a variable: env: {TOKEN: {from: "file:token"}}',
}
_OF_A_JOB = {field.alias or name for name, field in JobDocument.model_fields.items()} | _ELSEWHERE.keys()
_KINDS = {
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
    "list_type": "a list",
    "string_type": "a text",
}


def complain(error: ValidationError, node: Node, model: type[BaseModel], places: Places, problems: Problems) -> None:
    """Note everything that a document's refusal says, at the places where it is in the file."""
    found = error.errors(include_url=False)
    unknown = {each["loc"][:-1] for each in found if each["type"] == "extra_forbidden"}
    for each in found:
        path = each["loc"]
        kind, given = each["type"], each.get("input")
        if kind == "extra_forbidden":
            key = str(path[-1])
            known = sorted(_known(model, path[:-1]))
            problems.add(places.key(node, path), f"unknown key {key!r}", _ELSEWHERE.get(key) or _near(key, known))
        elif kind == "rota":
            context = each.get("ctx", {})
            problems.add(places.value(node, path), f"{_where(path)}{context['text']}", context["hint"])
        elif kind == "missing" and path[:-1] in unknown:
            continue  # it is there, misspelt
        elif kind == "missing":
            problems.add(places.value(node, path[:-1]), f"{_where(path[:-1])}{str(path[-1])!r} is missing")
        elif kind in _KINDS:
            problems.add(places.value(node, path), f"{_where(path)}{said(given)} is not {_KINDS[kind]}")
        else:
            problems.add(places.value(node, path), f"{_where(path)}{said(given)} cannot be read: {each['msg'].lower()}")


def tell_misplaced(node: Mapping, problems: Problems) -> list[tuple[str, ...]]:
    """Note the keys of jobs that stand where a job's name should be, for want of indentation.

    Return the paths of what cannot be judged then: those keys, and the jobs that are empty without them. A key that has
    keys below it may as well be a job of that name; it is taken for misplaced beside one that cannot be a job.
    """
    jobs = node.entries["jobs"].node if "jobs" in node.entries else None
    if not isinstance(jobs, Mapping):
        return []
    empty = {name for name, entry in jobs.entries.items() if isinstance(entry.node, Scalar) and not entry.node.text}
    keys = [key for key in jobs.entries if key in _OF_A_JOB and key not in empty]
    if all(isinstance(jobs.entries[key].node, Mapping) for key in keys):
        return []
    name = ""
    lost: list[tuple[str, ...]] = []
    for key, entry in jobs.entries.items():
        if key in empty:
            name = key
        elif key not in keys or (isinstance(entry.node, Mapping) and entry.node.entries.keys() & set(ACTIONS)):
            continue
        else:
            hint = f"indent it under its job, {name!r}" if name else "write the job's name above it, and indent it"
            problems.add(entry.key_mark, f"the key {key!r} stands where a job's name should be", hint)
        lost.append(("jobs", key))
    return lost


def is_action(key: str) -> bool:
    """Tell whether a key is what a job does, or was meant to be."""
    if key in ACTIONS or "`run`" in _ELSEWHERE.get(key, ""):
        return True
    return key not in _OF_A_JOB and bool(did_you_mean(key, ACTIONS))


def _where(path: tuple[int | str, ...]) -> str:
    """Return the last key of a path, as the beginning of a sentence."""
    keys = [part for part in path if isinstance(part, str)]
    return f"{keys[-1]}: " if keys else ""


def _near(key: str, known: Iterable[str]) -> str:
    known = list(known)
    return did_you_mean(key, known).removeprefix("; ") or f"known here: {', '.join(known)}"


def _known(model: type[BaseModel], path: tuple[int | str, ...]) -> set[str]:
    """Return the keys that the document at a path has."""
    here: Any = model
    for part in path:
        if _is_model(here):
            fields = [field for name, field in here.model_fields.items() if part in (name, field.alias)]
            here = fields[0].annotation if fields else None
            if getattr(here, "__origin__", None) in (dict, list):
                continue
        here = _first_model(here)
    return {field.alias or name for name, field in here.model_fields.items()} if _is_model(here) else set()


def _first_model(annotation: Any) -> Any:
    """Return the document inside of a type such as `list[Document] | None`."""
    if _is_model(annotation):
        return annotation
    inner = (_first_model(each) for each in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found is not None), None)


def _is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)

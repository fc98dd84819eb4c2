"""From a document's refusal to problems with places: each error's path is followed through the nodes of the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

from rota.config.places import Places
from rota.config.problems import Problems
from rota.config.quantities import said
from rota.config.yaml_reader import Node
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
    "name": "the name of a job is the key that it stands under",
    "id": "the name of a job is the key that it stands under",
    "tasks": "rota's own files have `jobs`",
    "secrets": 'a secret is a variable: env: {TOKEN: {from: "file:token"}}',
}
_ACTIONS = ("run", "python", "task")
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


def is_action(key: str) -> bool:
    """Tell whether a key is what a job does, or was meant to be."""
    return key in _ACTIONS or "`run`" in _ELSEWHERE.get(key, "") or bool(did_you_mean(key, _ACTIONS))


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

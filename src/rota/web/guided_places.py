"""Where a job may run, as the guided form asks for it: anywhere, on one host, by labels, or on each of all hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rota.model.host import ALL, ANYWHERE, Host, RunsOn, Terms, may_run

ANY, ONE, LABELS = "any", "host", "labels"
_MOST_NAMED = 10


def where_shown(document: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of the form for what a document says."""
    said = document.get("runs_on")
    if not said:
        return {}
    if isinstance(said, dict):
        return {"where": LABELS, "labels": "\n".join(f"{key}={value}" for key, value in said.items())}
    return {"where": ALL} if said == ALL else {"where": ONE, "host": said}


def where_said(where: str, host: str, labels: str) -> dict[str, Any]:
    """Return what a document says for these fields."""
    match where:
        case "all":
            return {"runs_on": ALL}
        case "host":
            return {"runs_on": host}
        case "labels":
            return {"runs_on": dict(_pair(line) for line in _lines(labels))}
    return {}


def wrong_place(where: str, host: str, labels: str) -> dict[str, str]:
    """Return what can be no place, by field."""
    if where == ONE and not host:
        return {"host": "no host is named; write its name, or choose another way"}
    if where == LABELS and not _lines(labels):
        return {"labels": "no label is given; write one or more, such as gpu=a100"}
    without = [line for line in _lines(labels) if "=" not in line] if where == LABELS else []
    return {"labels": f"{without[0][:60]!r} has no '='; write such as gpu=a100, one to a line"} if without else {}


def where_told(runs_on: RunsOn, hosts: Sequence[Host]) -> str:
    """Say where a job would run, among the hosts that are known; nothing for anywhere."""
    if runs_on == ANYWHERE:
        return ""
    if runs_on.all:
        return f"It runs once on each host: {_names(hosts)}." if hosts else "It runs once on each host."
    fit = [host for host in hosts if may_run(runs_on.needs, host.id, Terms(host.name, host.labels))]
    only = f"It runs only on {runs_on.words()}"
    if not fit:
        return f"{only}, and none is known now: its runs wait until one is."
    return f"{only}." if runs_on.host else f"{only}: {_names(fit)}."


def _names(hosts: Sequence[Host]) -> str:
    more = f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
    return ", ".join(host.name for host in hosts[:_MOST_NAMED]) + more


def _lines(labels: str) -> list[str]:
    return [line.strip() for line in labels.split("\n") if line.strip()]


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip(), value.strip()

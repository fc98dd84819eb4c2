"""Plug-ins: what other distributions offer under a name, found by their entry points.

`names(group)` tells what there is without importing any of it; `load(group, name)` imports one. What is missing or
cannot be imported is a BadPlugin that names the distribution, and whoever has asked decides what that means. Nothing is
looked up before somebody asks for a name: to look through what is installed takes some milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rota.errors import BadPlugin, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

SCHEDULES, ACTIONS, NOTIFIERS = "rota.schedules", "rota.actions", "rota.notifiers"


def names(group: str) -> list[str]:
    """Return the names that are installed in a group, each once."""
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group=group)})


def load(group: str, name: str) -> Any:
    """Return what a name in a group stands for."""
    from importlib.metadata import entry_points

    importlib.invalidate_caches()  # it may have been installed a moment ago
    found = list(entry_points(group=group, name=name))
    if not found:
        raise BadPlugin(f"no plug-in named {name!r} is installed", _hint(group, name))
    origins = sorted({_distribution(point) for point in found})
    if len({point.value for point in found}) > 1:
        raise BadPlugin(f"{name!r} is in {' and in '.join(origins)}", "uninstall all of them but one")
    try:
        return found[0].load()
    except (Exception, SystemExit) as error:
        problem = f"{name!r} of {origins[0]} cannot be imported: {type(error).__name__}: {error}"
        raise BadPlugin(problem, f"see it with: python -c 'import {found[0].module}'") from error


def _hint(group: str, name: str) -> str:
    known = names(group)
    near = did_you_mean(name, known).removeprefix("; ")
    if near or not known:
        return near or f"there is none in the group {group}; install its distribution where rota is installed"
    return f"there are: {', '.join(known)}"


def _distribution(point: EntryPoint) -> str:
    return "an unknown distribution" if point.dist is None else f"{point.dist.name} {point.dist.version}"

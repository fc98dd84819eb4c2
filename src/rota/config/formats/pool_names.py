"""Names of pools that a file asks for without naming them: AutoCron's workers, the places of tasks_loop.

Pools are shared by name, so such a pool is named by the file's or project's own path: two files never share one by
accident, and whoever reads `rota show` sees whose it is. A file that is imported is its user's from then on, and gets a
short name, if that is the only one of its kind.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

_LABELS = ("autocron", "tasks-loop")
_SUFFIXES = (".yaml", ".yml", ".json")


def pool_of(label: str, path: str) -> str:
    """Return the name of the pool of a file or a project, by its absolute path."""
    assert label in _LABELS, "or its name could not be made short"
    return f"{label}:{path}"


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return how the pools are called in a file of the user's own."""
    short = {name: _short(name) for name in names}
    times = Counter(short.values())
    return {name: found if times[found] == 1 else name for name, found in short.items()}


def _short(name: str) -> str:
    """Return the label and the directory of a pool that is named by a path; another keeps its name."""
    label, _, path = name.partition(":")
    if label not in _LABELS or not os.path.isabs(path):
        return name
    place = os.path.dirname(path) if path.lower().endswith(_SUFFIXES) else path
    directory = os.path.basename(place)
    return directory if directory.startswith(label) else f"{label}-{directory}".rstrip("-")

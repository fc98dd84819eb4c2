"""What a task is told is looked at when it is said, and not when it is due."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

OVERLAPS = ("skip", "queue", "allow", "replace")
_WHOLE = {"retries": 0, "max_memory_mb": 1, "max_instances": 1, "max_output_bytes": 1}
_NUMBERS = {"retry_delay": 0.0, "timeout": 0.001, "max_cpu_percent": 0.001, "misfire_grace_time": 0.0}
_MAY_BE_NONE = ("timeout", "max_memory_mb", "max_cpu_percent", "misfire_grace_time")
_YES_OR_NO = ("safe_mode", "coalesce", "clean_env")
_CALLED = ("func", "on_success", "on_failure")


def check(said: Mapping[str, Any]) -> None:
    """Raise a ValueError for what cannot mean anything."""
    name = said["name"]
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a task needs a name, and {name!r} is none")
    if not name.strip().isprintable():
        raise ValueError(
            f"task {name!r}: a name has printable characters only, because it stands in every line of the log"
        )
    _check_choices(name, said)
    for word in _CALLED:
        if said[word] is not None and not callable(said[word]):
            raise ValueError(f"task {name!r}: {word} is {said[word]!r}, which cannot be called")
    if said["script"] is not None and not (isinstance(said["script"], str) and said["script"].strip()):
        raise ValueError(f"task {name!r}: script must be a path, and {said['script']!r} is none")
    for word, least in {**_WHOLE, **_NUMBERS}.items():
        _check_number(name, word, said[word], least)
    for word in _YES_OR_NO:
        if not isinstance(said[word], bool):
            text = f"task {name!r}: {word} must be True or False, not {said[word]!r}"
            raise ValueError(text)  # noqa: TRY004 -- a ValueError, like everything that is wrong with a task
    if said["overlap_policy"] not in OVERLAPS:
        raise ValueError(
            f"task {name!r}: overlap_policy is {said['overlap_policy']!r}; it may be {', '.join(OVERLAPS)}"
        )
    if said["email_config"] is not None and not isinstance(said["email_config"], dict):
        raise ValueError(f"task {name!r}: email_config must be a dictionary")
    if said["notifier"] is not None and not callable(getattr(said["notifier"], "notify", None)):
        raise ValueError(f"task {name!r}: the notifier {said['notifier']!r} has no method notify(message)")


def _check_choices(name: str, said: Mapping[str, Any]) -> None:
    """Look at what excludes each other; a task without a schedule is one that runs when somebody asks for it."""
    what = [word for word in ("func", "script") if said[word] is not None]
    if len(what) != 1:
        found = "both are given" if what else "neither is given"
        raise ValueError(f"task {name!r} needs either func or script, and {found}")
    if said["every"] is not None and said["cron"] is not None:
        raise ValueError(f"task {name!r} needs either every or cron, and both are given")


def _check_number(name: str, word: str, value: Any, least: float) -> None:
    if value is None and word in _MAY_BE_NONE:
        return
    wanted = int if word in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(value) or value < least:
        kind = "a whole number" if word in _WHOLE else "a number"
        raise ValueError(f"task {name!r}: {word} must be {kind} of at least {least:g}, not {value!r}")
    if word == "max_cpu_percent" and value > 100:
        raise ValueError(f"task {name!r}: max_cpu_percent must be at most 100, not {value!r}")

"""Open files: what the engine may have, what its jobs are to have, and what they must not inherit."""

from __future__ import annotations

import contextlib
import os
import resource

_RESERVE = 64
_A_PLACE = 3
"""Descriptors of an attempt in flight: its two files, and its process."""
_LAST_STANDARD = 2


def keep_descriptors() -> None:
    """Give no job what the engine itself was started with: a pipe that it held open would keep somebody waiting."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    for name in os.listdir(folder):
        if int(name) > _LAST_STANDARD:
            with contextlib.suppress(OSError):  # the listing's own
                os.set_inheritable(int(name), False)


def raise_file_limit() -> str:
    """Let the engine itself open as many files as it may, and return the limit that its jobs are to have again."""
    before = file_limit()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return before


def file_limit() -> str:
    """Return how many files this process may open, as a shell says it."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return "unlimited" if soft == resource.RLIM_INFINITY else str(soft)


def most_places() -> int:
    """Return how many attempts can be in flight at once."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 10_000 if soft == resource.RLIM_INFINITY else max(1, (soft - _RESERVE) // _A_PLACE)


def files_needed(places: int) -> int:
    """Return how many files an engine must be able to open for so many attempts in flight."""
    return _RESERVE + places * _A_PLACE

"""Which engines of this user are alive on this machine, whatever their homes."""

from __future__ import annotations

import os

_LOCK = "/engine.lock"


def find_engines() -> list[tuple[int, str]]:
    """Return the pid and the home of each engine of this user: of the processes that look like one, those with a lock.

    Where there is no /proc (macOS) nothing is found.
    """
    found = []
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for pid in pids:
        home = _home_of(pid)
        if home is not None:
            found.append((int(pid), home))
    return sorted(found)


def _home_of(pid: str) -> str | None:
    """Return the home of the engine that a process is, or None."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
        if b"rota" not in words or os.stat(f"/proc/{pid}").st_uid != os.geteuid():
            return None
        for fd in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
            if target.endswith(_LOCK):
                return target.removesuffix(_LOCK)
    except OSError:
        return None  # it has ended, or is somebody else's
    return None


def is_here(pid: int, home: str) -> bool:
    """Tell whether a pid, as a home's lock names it, is that engine here: a container counts its own pids.

    Where there is no /proc (macOS) there is only one way to count them.
    """
    if not os.path.isdir("/proc/self"):
        return True
    try:
        lock = os.stat(home + _LOCK)
        return any(os.path.samestat(lock, os.stat(f"/proc/{pid}/fd/{fd}")) for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False  # it is somebody else's, or none of ours at all

"""Who is who among processes: the boot, the pid namespace, and the mark that every process of an attempt carries.

A container that is started anew is a machine that starts. The number of its pid namespace does not show that, because
numbers are used again, often at once; what does is when its first process began, in ticks that nobody can set.

The mark is an environment variable of the shim, inherited by everything that the job starts. A pid alone proves
nothing, because pids are used again; a pid whose environment holds the attempt's mark is a process of the attempt.
Always open the pidfd first and look at the mark after: what was looked at is then what will be signalled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from rota.clock import up_for

MARK = "ROTA_MARK"
_AND = "+"


def boot_identity() -> str:
    """Return what changes when pids lose their meaning: the boot, the pid namespace, and when its process 1 began."""
    began = _began(1)
    return f"{_boot_id()}.{_pid_namespace()}.{'' if began is None else began}"


def machine_started(now: datetime) -> datetime:
    """Return when this machine, or the container that is one, started; now, where nobody can tell.

    It is counted back from now, so a wall clock that was set in between moves both. Where others' processes are hidden
    (hidepid), the first process of a container is too, and the start of the whole machine has to do.
    """
    if not _HAS_PROC:
        seconds = _boot_second()
        return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else now
    age = age_of(1)
    if age is None:
        age = up_for()
    return now if age is None else now - timedelta(seconds=max(0.0, age))


def mark_of(home_id: str, run_id: str, attempt: int) -> str:
    """Return the mark of one attempt, so that one attempt's kill never meets another's processes."""
    return f"{home_id}/{run_id}/{attempt}"


def marked_within(environment: Mapping[str, str], mark: str) -> str:
    """Return what a process carries that is of a tree of its own, and of the tree that it is started in, if any."""
    around = environment.get(MARK)
    return f"{around}{_AND}{mark}" if around else mark


def innermost(environment: Mapping[str, str]) -> str:
    """Return the mark of the innermost tree that a process is of."""
    return environment.get(MARK, "").rpartition(_AND)[2]


def has_mark(pid: int, mark: str) -> bool:
    """Tell whether a process is of the tree of a mark, or of one within it."""
    carried = mark_in(pid)
    return carried is not None and mark in carried.split(_AND)


def marked_processes(home_id: str) -> dict[tuple[str, int], list[int]]:
    """Search the machine for processes that carry a mark of this home, by run and attempt."""
    found: dict[tuple[str, int], list[int]] = {}
    for pid, mark in _marks():
        if pid == os.getpid():
            continue  # an engine that was started by a job
        for each in mark.split(_AND):
            home, run_id, attempt = (*each.split("/"), "", "")[:3]
            if home == home_id and attempt.isdigit():
                found.setdefault((run_id, int(attempt)), []).append(pid)
    return found


def mark_in(pid: int) -> str | None:
    """Return the mark that a process carries, or its marks joined; None without one, or when it cannot be read."""
    if not _HAS_PROC:
        return next((mark for marked, mark in _marks_from_ps(["-p", str(pid)]) if marked == pid), None)
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return _find(file.read())
    except OSError:
        return None


def group_and_session(pid: int) -> tuple[int, int]:
    """Return a process's group and session; zeros when it is gone."""
    try:
        return os.getpgid(pid), os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0, 0


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits to be collected."""
    return _state_of(pid) in (b"Z", b"X")


def is_stopped(pid: int) -> bool:
    """Tell whether a process was stopped, by SIGSTOP or a debugger, and does nothing until somebody lets it go on."""
    return _state_of(pid) in (b"T", b"t")


def age_of(pid: int) -> float | None:
    """Return for how many seconds a process has existed, by a clock that nobody can set; None where that is unknown."""
    began, up = _began(pid), up_for()
    if began is None or up is None:
        return None
    tick = 1 / os.sysconf("SC_CLK_TCK")
    return up - began * tick - tick  # counted in ticks; rather too young than too old


def all_pids() -> list[int]:
    """Return the pids of all processes that can be seen."""
    if _HAS_PROC:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import subprocess

    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in listing.split()]


def _state_of(pid: int) -> bytes:
    """Return the letter that the kernel has for what a process does; nothing where there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0]
    except OSError:
        return b""


_HAS_PROC = os.path.isdir("/proc/self")
_FIELD = MARK.encode() + b"="


def _find(environment: bytes) -> str | None:
    start = 0 if environment.startswith(_FIELD) else environment.find(b"\0" + _FIELD) + 1
    if not start and not environment.startswith(_FIELD):
        return None
    return environment[start + len(_FIELD) :].partition(b"\0")[0].decode("ascii", "replace")


def _marks() -> Iterator[tuple[int, str]]:
    if not _HAS_PROC:
        yield from _marks_from_ps(["-ax"])
        return
    for pid in all_pids():
        mark = mark_in(pid)
        if mark is not None:
            yield pid, mark


def _marks_from_ps(which: list[str]) -> Iterator[tuple[int, str]]:
    """Read environments through `ps -E`, as macOS allows for one's own processes."""
    import subprocess

    listing = subprocess.run(
        ["ps", "-Eww", *which, "-o", "pid=,command="], capture_output=True, text=True, check=False, errors="replace"
    ).stdout
    for line in listing.splitlines():
        pid, _, rest = line.strip().partition(" ")
        _, found, after = rest.partition(f" {MARK}=")
        if found and pid.isdigit():
            yield int(pid), after.split(" ", 1)[0]


def _began(pid: int) -> int | None:
    """Return when a process began, in ticks since the boot; None where that is unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except OSError:
        return None


def _boot_id() -> str:
    if _HAS_PROC:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    # The time of the boot changes with the wall clock, so it is only the second choice.
    return _sysctl("kern.bootsessionuuid") or _boot_second() or "unknown"


def _boot_second() -> str:
    """Return when the machine started where there is no /proc, in seconds since 1970; nothing if that is unknown."""
    return _sysctl("kern.boottime").partition("sec = ")[2].partition(",")[0]


def _sysctl(name: str) -> str:
    import subprocess

    try:
        return subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return "0"

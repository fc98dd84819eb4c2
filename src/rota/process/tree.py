"""Ending an attempt: everything that it started, however it was started.

The tree is the shim's session, its process group, and every process that carries the attempt's mark; a daemon that has
left session and group still has the mark, and a child that has cleared its environment is still in the session. The
shim itself is spared until all others are gone, because it writes down how the attempt ended.
"""

from __future__ import annotations

import contextlib
import os
import signal

from rota.process.identity import all_pids, group_and_session, has_mark, is_zombie

_ROUNDS = 50
"""Against a tree that forks faster than it is killed; the engine comes back a second later."""
_DYING = 15
"""Looks at what was killed and is still there: the kernel takes a moment, and longer for one that waits for a disk."""


def members(mark: str, shim: int | None, *, spare: bool = True) -> list[int]:
    """Return the pids of the attempt's tree, without those that have ended, and without the shim if it is spared."""
    found = []
    spared = (shim, os.getpid()) if spare else (os.getpid(),)
    for pid in all_pids():
        if pid in spared:
            continue
        if belongs(pid, mark, shim) and not is_zombie(pid):
            found.append(pid)
    return found


def signal_tree(mark: str, shim: int | None, number: signal.Signals, *, spare: bool = True) -> int:
    """Send a signal to the whole tree but the shim, and return how many processes it reached."""
    return len(_signal_members(mark, shim, number, spare=spare))


def kill_tree(mark: str, shim: int | None, *, spare: bool = True) -> int:
    """Kill the tree: look, kill, and look again until nothing new has appeared and what was killed is gone.

    A look that finds nothing is made twice: for an instant during exec a process shows no environment.
    """
    killed: set[int] = set()
    calm = 0
    for _ in range(_ROUNDS):
        reached = _signal_members(mark, shim, signal.SIGKILL, spare=spare)
        calm = 0 if reached - killed else calm + 1  # what is new was forked while we were looking
        killed |= reached
        if calm >= (_DYING if reached else 2):
            break
    return len(killed)


def _signal_members(mark: str, shim: int | None, number: signal.Signals, *, spare: bool) -> set[int]:
    return {pid for pid in members(mark, shim, spare=spare) if _signal_if_member(pid, mark, shim, number)}


def kill_shim(shim: int, mark: str) -> None:
    """Kill the shim itself: the last resort, when it does not end although all others have."""
    _signal_if_member(shim, mark, shim, signal.SIGKILL)


def belongs(pid: int, mark: str, shim: int | None) -> bool:
    """Tell whether a process is of an attempt: by its session or group, or by its mark."""
    if shim is not None and shim in group_and_session(pid):
        return True
    return has_mark(pid, mark)


def _signal_if_member(pid: int, mark: str, shim: int | None, number: signal.Signals) -> int:
    """Open the process, look again that it is the one that was meant, and signal exactly that one."""
    if not hasattr(signal, "pidfd_send_signal"):
        if not belongs(pid, mark, shim):
            return 0
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
            return 1
        return 0
    try:
        fd = os.pidfd_open(pid)
    except (ProcessLookupError, OSError):
        return 0
    try:
        if not belongs(pid, mark, shim):
            return 0
        signal.pidfd_send_signal(fd, number)
    except (ProcessLookupError, PermissionError):
        return 0
    finally:
        os.close(fd)
    return 1

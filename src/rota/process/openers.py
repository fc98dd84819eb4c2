"""Who else has a file open: the kernel knows, and grants a write lease only to a file's one and only opener."""

from __future__ import annotations

import fcntl

CAN_TELL_OPENERS = hasattr(fcntl, "F_SETLEASE")
"""There are no leases on macOS."""


def is_only_opener(fd: int) -> bool:
    """Tell whether nobody else has this file open; False where that cannot be told."""
    if not CAN_TELL_OPENERS:
        return False
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError:
        return False
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True

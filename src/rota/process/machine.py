"""Facts about this machine that a check-up looks at."""

from __future__ import annotations

import os
import resource
import stat

from rota.model.machine import MachineFacts

_SHELL = "/bin/sh"


def machine_facts(home: str, store: str) -> MachineFacts:
    """Gather them for a home and its store's file."""
    home_owner, home_mode = _owner_and_mode(home)
    store_owner, store_mode = _owner_and_mode(store)
    free, size, files = _room(home)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MachineFacts(
        user=os.geteuid(),
        home_owner=home_owner,
        home_mode=home_mode,
        store_owner=store_owner,
        store_mode=store_mode,
        disk_free=free,
        disk_size=size,
        files_free=files,
        has_shell=os.access(_SHELL, os.X_OK),
        open_files=tuple(-1 if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)),  # type: ignore[arg-type]
    )


def _owner_and_mode(path: str) -> tuple[int | None, int | None]:
    try:
        found = os.stat(path)
    except OSError:
        return None, None
    return found.st_uid, stat.S_IMODE(found.st_mode)


def _room(path: str) -> tuple[int | None, int | None, int | None]:
    """Return free and whole bytes of the disk, and how many files can still be made."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return None, None, None
    files = disk.f_favail if disk.f_files else None
    return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize, files

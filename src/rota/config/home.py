"""Where a home is: the directory that holds a store, its spool, its log and its engine's lock."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from rota.errors import BadHome

HOME_NAME = ".rota"


def find_home(flag: str | None, environment: Mapping[str, str], directory: str, file: str | None = None) -> str:
    """Return the home to use.

    It is the flag, ROTA_HOME, or the nearest `.rota` beside the job file in use (else in this directory) or above.
    Where there is none yet, it will be beside the job file, and without one it is the user's state directory.
    """
    chosen = flag or environment.get("ROTA_HOME")
    if chosen:
        return os.path.realpath(os.path.expanduser(chosen))
    start = directory if file is None else os.path.dirname(os.path.join(directory, os.path.normpath(file)))
    here = start = os.path.realpath(start)
    while True:
        candidate = os.path.join(here, HOME_NAME)
        if os.path.isdir(candidate):
            return candidate
        above = os.path.dirname(here)
        if above == here:
            break
        here = above
    if file is not None:
        return os.path.join(start, HOME_NAME)
    state = environment.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.realpath(os.path.join(state, "rota"))


def prepare_home(path: str) -> None:
    """Make the directory if it is not there, for its owner alone; refuse one that cannot serve."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        owner = os.stat(path)
        if stat.S_IMODE(owner.st_mode) & 0o077:
            os.chmod(path, 0o700)
        os.makedirs(os.path.join(path, "spool"), mode=0o700, exist_ok=True)
        ignore = os.path.join(path, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="ascii") as file:
                file.write("*\n")
    except OSError as error:
        raise BadHome(
            f"cannot use {path} as a home: {error.strerror or error}; choose another with --home or ROTA_HOME"
        ) from error

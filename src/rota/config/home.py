"""Where a home is: the directory that holds a store, its spool, its log and its engine's lock."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from rota.errors import BadHome

HOME_NAME = ".rota"
_STORE = "rota.db"
STORE_RECORD = "rota.store"
"""Which store a home uses that is not in it."""
HOST_RECORD = "rota.host"
"""Who a home is whose store is not in it."""
_OWN = (
    "rota.db",
    STORE_RECORD,
    HOST_RECORD,
    "rota.log",
    "spool",
    "engine.lock",
    "poke.sock",
    "web.",
    ".gitignore",
    "lost+found",
)
"""How the names of what a home holds begin; a disk's own directory may lie beside them."""


def find_home(flag: str | None, environment: Mapping[str, str], directory: str, file: str | None = None) -> str:
    """Return the home to use.

    It is the flag, ROTA_HOME, or the nearest `.rota` beside the job file in use (else in this directory) or above.
    Where there is none yet, it will be beside the job file, and without one it is the user's state directory.
    """
    chosen = flag or environment.get("ROTA_HOME")
    if chosen:
        return os.path.realpath(os.path.expanduser(chosen))
    start = directory if file is None else os.path.dirname(os.path.join(directory, os.path.normpath(file)))
    start = os.path.realpath(start)
    found = _nearest(start)
    if found is not None:
        return found
    if file is not None:
        return os.path.join(start, HOME_NAME)
    return user_home(environment)


def _nearest(directory: str) -> str | None:
    """Return the home in a directory or the nearest one above that has one."""
    here = directory
    while True:
        candidate = os.path.join(here, HOME_NAME)
        if os.path.isdir(candidate):
            return candidate
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def is_home_for(home: str, directory: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a home is the one for the user's own files in a directory: the nearest one there, or the user's."""
    return home == (_nearest(os.path.realpath(directory)) or user_home(environment))


def user_home(environment: Mapping[str, str]) -> str:
    """Return the user's own home, which belongs to no directory of job files."""
    state = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):  # the XDG rules: a relative one is to be ignored
        state = os.path.join(_user_directory(), ".local", "state")
    return os.path.realpath(os.path.join(state, "rota"))


def _user_directory() -> str:
    """Return the user's own directory: HOME, or what the password file says where HOME says nothing."""
    directory = os.environ.get("HOME", "")
    if os.path.isabs(directory):
        return directory
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise BadHome("this user has no directory of its own; name a home with --home or ROTA_HOME") from None


def prepare_home(path: str) -> None:
    """Make the directory if it is not there, for its owner alone; leave one alone that cannot serve."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        _refuse_foreign(path)
        if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
            os.chmod(path, 0o700)
        os.makedirs(os.path.join(path, "spool"), mode=0o700, exist_ok=True)
        ignore = os.path.join(path, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="ascii", opener=_private) as file:
                file.write("*\n")
    except OSError as error:
        raise BadHome(
            f"cannot use {path} as a home: {error.strerror or error}; choose another with --home or ROTA_HOME"
        ) from error


def _refuse_foreign(path: str) -> None:
    """Refuse a directory that is something else: making it a home would lock others out of it."""
    names = os.listdir(path)
    if _STORE in names or STORE_RECORD in names or os.path.basename(path) == HOME_NAME:
        return
    if os.stat(path).st_mode & stat.S_ISVTX:
        raise BadHome(f"{path} is shared by all users, so it cannot be a home; name a directory in it with --home")
    others = sorted(name for name in names if not name.startswith(_OWN))
    if others:
        some = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        raise BadHome(
            f"{path} is no home of rota: it holds other things ({some}); name a new or an empty directory with --home"
        )


def write_private(path: str, text: str) -> None:
    """Write a small file of a home as a whole, for its owner alone."""
    draft = f"{path}.{os.getpid()}"
    with open(draft, "w", encoding="utf-8", opener=_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)

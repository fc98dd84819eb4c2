"""Where job files are when nobody names them. Every verb asks this, so it imports nothing that reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from rota.errors import UsageError

DEFAULT_NAMES = ("rota.yaml", "rota.yml", "rota.d")


def chosen(given: Sequence[str], environment: Mapping[str, str], directory: str, *, own: bool) -> list[str]:
    """Return the files and directories that are meant: those that were named, or the first of the usual places."""
    if given:
        return list(given)
    found = usual(environment, directory, own=own)
    if found is None:
        raise UsageError(
            f"there is no {', '.join(DEFAULT_NAMES[:-1])} or {DEFAULT_NAMES[-1]} in {directory}; "
            "`rota init` writes a starter, or name a file with -f"
        )
    return [found]


def usual(environment: Mapping[str, str], directory: str, *, own: bool) -> str | None:
    """Return the job file, or directory of them, that is in the current directory, or else in the user's own.

    The user's own files are for the user's own home (`own`): in the home of a project they would be a stranger's jobs,
    and run by two engines.
    """
    here = default_in(directory)
    if here is not None:
        return os.path.basename(here)
    return default_in(config_directory(environment)) if own else None


def default_in(directory: str) -> str | None:
    """Return the job file, or directory of job files, that a directory has."""
    paths = (os.path.join(directory, name) for name in DEFAULT_NAMES)
    return next((path for path in paths if os.path.exists(path)), None)


def config_directory(environment: Mapping[str, str]) -> str:
    """Return the user's own directory for job files."""
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "rota")

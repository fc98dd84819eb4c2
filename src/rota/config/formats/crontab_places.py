"""Where cron keeps crontabs, and what a file's place says of it.

Three things follow from the place, and all of them decide who runs a command, so links are followed first:

1. In cron's spool a file is named after the user whose lines are in it. cron runs them as that user, and whoever wrote
   them could choose neither another name nor a user column. A directory called `crontabs` is taken for a spool wherever
   it is, for it may be a copy of one.
2. `/etc/crontab` and the files of a `cron.d` have a user column.
3. In a `cron.d` cron reads names of letters, digits, `_` and `-` alone; what packages leave behind (`x.dpkg-old`) has a
   dot. In the spool it reads every name but hidden ones and the `tmp.` that crontab(1) writes before it renames; rota
   leaves out those that would make a file YAML, in which users are a matter of its text.
"""

from __future__ import annotations

import os
import re

_SPOOL = r"(?:spool/cron|(?:spool/)?cron/(?:crontabs|tabs)|at/tabs|crontabs)"
_SPOOLS = re.compile(rf"(?:^|/){_SPOOL}$")
_SYSTEM_FILE = re.compile(r"(?:^|/)(?:etc/crontab|cron\.d/[^/]+)$")
_NAME_IN_CRON_D = re.compile(r"[A-Za-z0-9_-]+")
_CRON_D = "cron.d"


def holds_crontabs(directory: str) -> bool:
    """Tell a directory whose files are crontabs, whatever they are called."""
    return _is_cron_d(directory) or _is_spool(directory)


def cron_reads(directory: str, name: str) -> bool:
    """Tell whether cron would read a file of this name in a directory of crontabs."""
    if _is_cron_d(directory):
        return bool(_NAME_IN_CRON_D.fullmatch(name))
    return not name.startswith((".", "tmp.")) and not name.lower().endswith((".yaml", ".yml", ".json"))


def owner_of(path: str) -> str | None:
    """Return the user after whom a file of cron's spool is named; None for a file elsewhere."""
    directory, name = os.path.split(os.path.realpath(path))
    if _is_spool(directory):
        return name
    directory, name = os.path.split(os.path.abspath(path))
    return name if _is_spool(directory) else None


def has_user_column(path: str) -> bool:
    """Tell a system crontab by its place."""
    return bool(_SYSTEM_FILE.search(path) or _SYSTEM_FILE.search(os.path.realpath(path)))


def group_of(path: str) -> str:
    """Return what is put in front of the names of a file's jobs: the file's own name, where many lie side by side."""
    directory, name = os.path.split(os.path.abspath(path))
    return name if holds_crontabs(directory) else ""


def _is_cron_d(directory: str) -> bool:
    return _CRON_D in (os.path.basename(os.path.abspath(directory)), os.path.basename(os.path.realpath(directory)))


def _is_spool(directory: str) -> bool:
    return any(_SPOOLS.search(each) for each in (os.path.abspath(directory), os.path.realpath(directory)))

"""As whom the lines of a crontab run, and where: the user of cron's spool or of the user column, or who runs rota.

A wrong answer here runs somebody's commands as root, so whoever is not known is an error and never root.
"""

from __future__ import annotations

import os
import pwd
from typing import NamedTuple

from rota.config.formats.crontab_lines import JobLine
from rota.config.formats.crontab_places import owner_of
from rota.config.formats.fields import Faults
from rota.config.formats.registry import Source
from rota.config.problems import Mark
from rota.errors import did_you_mean

_NO_HOME = "/"
_OWN_CRONTAB = "crontab"


class Account(NamedTuple):
    """As whom a job runs."""

    user: str | None
    """None: as whoever runs the engine."""
    home: str
    is_ours: bool


class Accounts:
    """Looks up whose the lines of one crontab are."""

    def __init__(self, source: Source, faults: Faults) -> None:
        self._source, self._faults = source, faults
        self._told: set[str] = set()
        self._owner = spool_owner(source)

    def check(self) -> bool:
        """Tell whether the crontab of cron's spool may run, or say why not; any other may."""
        owner, mark = self._owner, Mark(self._source.path, 1, 1)
        if owner is None:
            return True
        if _entry(owner) is None:
            what = f"a file in cron's spool is called as its user, and there is no user named {owner!r} on this machine"
            self._faults.add(mark, what, "if this is no crontab of cron's, move it out of this directory")
            return False
        if owner != _own_name() and os.geteuid() != 0:
            what = f"this is the crontab of {owner}, and {_own_name()} cannot run jobs as another user"
            self._faults.add(mark, what, "run rota as root, or as that user")
            return False
        return True

    def of(self, line: JobLine) -> Account | None:
        """Return the account of a line; None, with the reason told, when there is none."""
        name = self._owner or line.user
        if not name:
            return Account(None, os.path.expanduser("~"), is_ours=True)
        entry = _entry(name)
        if entry is None:
            mark = Mark(self._source.path, line.line, line.user_column or line.column)
            near = did_you_mean(name, [each.pw_name for each in pwd.getpwall()]).removeprefix("; ")
            hint = near or "the word behind the schedule is the user, in a system crontab"
            self._faults.add(mark, f"there is no user named {name!r} on this machine", hint)
            return None
        ours = name == _own_name()
        return Account(None if ours else name, entry.pw_dir, is_ours=ours)

    def directory(self, account: Account, home: str, mark: Mark) -> str:
        """Return where a job runs: its home, or the root directory where that is missing."""
        # Without root's rights another user's home may look missing.
        if os.path.isdir(home) or not (account.is_ours or os.geteuid() == 0):
            return home
        if home not in self._told:
            self._told.add(home)
            whose = account.user or _own_name() or "this user"
            what = f"{home or 'the directory without a name'}, which is the home of {whose} here, is not there"
            hint = "cron runs such jobs in a directory of its own; make this one, or set HOME to another"
            self._faults.tell(mark, f"{what}, so the job runs in {_NO_HOME}", hint)
        return _NO_HOME


def spool_owner(source: Source) -> str | None:
    """Return the user after whom a file of cron's spool is named."""
    if source.path == _OWN_CRONTAB:
        return None  # what `crontab -l` printed, which lies nowhere
    return owner_of(os.path.join(source.directory, os.path.basename(source.path)))


def is_user(name: str) -> bool:
    """Tell whether a user of this name exists here."""
    return _entry(name) is not None


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except (KeyError, ValueError):
        return None


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""

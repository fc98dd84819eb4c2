"""The settings of a crontab that is written: which variables cron can set, and above which line.

A setting holds for all lines below it and cannot be taken back, so a variable is set above a job only if every later
job has it, too, and the next one with the same value. What a single job has is exported in its line.

Some names cron acts upon instead of passing them on (MAILTO, CRON_TZ, …). Lifted out of a job's environment they would
send mail or move times, which nobody asked for, so they stay in the line. With SHELL and HOME cron does act as it
should: SHELL is set where a job is a line for that shell, and cron starts in HOME, which `value` tells.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from rota.model.job import Job

SHELL = "/bin/sh"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "mksh", "zsh"})
"""Those that read `cd … || exit` and `export` as /bin/sh does."""
_CRON_ACTS = frozenset(
    {"MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "LOGNAME", "USER"}
    | {"CRON_TZ", "CRON_WITHIN", "RANDOM_DELAY", "START_HOURS_RANGE", "CRON_SEND_MAIL"}
)
_OTHERWISE = frozenset({"SHELL", *_CRON_ACTS})


class Settings:
    """What is set, line after line."""

    def __init__(self, jobs: Sequence[Job], shells: Sequence[str], homes: Sequence[str], path: str) -> None:
        self._jobs, self._shells = jobs, shells
        self._set = {"SHELL": shells[0] if len(set(shells)) == 1 else SHELL, "PATH": path}
        # cron sets HOME itself, and jobs that were a crontab's have it as cron sets it.
        self._has_own_home = any(job.env.get("HOME", home) != home for job, home in zip(jobs, homes, strict=True))
        self._later = _names_of_all_later(jobs)

    def head(self) -> list[str]:
        """Return what stands at the top: what all jobs have alike, in the order of the first."""
        if self._jobs:
            first, *others = self._jobs
            same = [name for name, value in first.env.items() if all(job.env.get(name) == value for job in others)]
            self._set |= {name: first.env[name] for name in same if self._is_new(name, first.env[name])}
        return [f"{name}={value}" for name, value in self._set.items() if value]

    def above(self, index: int) -> list[str]:
        """Return what is to be set above the job of this number."""
        shell = self._shells[index]
        new = {} if shell == self._set["SHELL"] else {"SHELL": shell}
        later = self._jobs[index + 1 :]
        shared = {} if not later else dict(self._jobs[index].env.items() & later[0].env.items())
        for name in self._jobs[index].env:  # in their order
            if name in shared and name in self._later[index] and self._is_new(name, shared[name]):
                new |= {name: shared[name]}
        self._set |= new
        return [f"{name}={value}" for name, value in new.items()]

    def _is_new(self, name: str, value: str) -> bool:
        is_needed = name != "HOME" or self._has_own_home
        return is_needed and self._set.get(name) != value and _may_be_set(name, value)

    def value(self, name: str, account: Mapping[str, str]) -> str | None:
        """Return what a variable is for the lines from here on; cron sets some by the account."""
        return self._set.get(name, account.get(name))


def is_shell(program: str) -> bool:
    """Tell a shell in which a line can begin as in /bin/sh."""
    return os.path.basename(program) in _SHELLS


def _names_of_all_later(jobs: Sequence[Job]) -> list[set[str]]:
    """Return for each job the variables that it and every later one have."""
    found: list[set[str]] = []
    for job in reversed(jobs):
        found.append(set(job.env) & found[-1] if found else set(job.env))
    return found[::-1]


def _may_be_set(name: str, value: str) -> bool:
    """Tell what may stand as NAME=value: crons differ in quotes, and act upon some names."""
    plain = bool(value) and value == value.strip() and value.isprintable() and not set(value) & set("'\"\\")
    return plain and bool(_NAME.fullmatch(name)) and name not in _OTHERWISE

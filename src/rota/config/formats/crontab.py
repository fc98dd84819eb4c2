"""Crontabs: a user's own, those of cron's spool, and those with a user column (/etc/crontab, /etc/cron.d).

A line is a job with the settings above it. It runs as cron ran it: its line of shell by SHELL, in the home directory,
with what follows '%' as its input. Where cron let a job start beside itself and forgot what was due while the machine
was off, rota's defaults hold instead: one at a time, and what was missed runs once.

cron's jobs have no names. They get one from the command (see `crontab_names`), and the comment above as description.

Of the variables that cron sets, SHELL and HOME stand in the job; LOGNAME is the engine's own, or comes with `user`.
cron also makes PATH short; here it is the engine's, and a program that was found when somebody tried it is found.

`@reboot` is `at: boot`: once for each start of the machine, and not again when only the engine starts again.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from shutil import which

from rota.config.formats.building import finished
from rota.config.formats.crontab_accounts import Accounts, is_user, spool_owner
from rota.config.formats.crontab_comments import Description
from rota.config.formats.crontab_lines import (
    Comment,
    JobLine,
    Line,
    OddLine,
    Setting,
    looks_like_crontab,
    read_lines,
)
from rota.config.formats.crontab_names import names_of
from rota.config.formats.crontab_places import group_of, has_user_column
from rota.config.formats.crontab_times import BadTimes, Times, times_of
from rota.config.formats.fields import Faults
from rota.config.formats.registry import Source
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.syntax.yaml_reader import Node
from rota.errors import BadSchedule
from rota.model.action import Action, Command, Shell
from rota.model.job import Job
from rota.model.policy import Policy
from rota.schedule.zones import zone as find_zone

SHELL = "/bin/sh"
_USER_PATHS = re.compile(r"(?:^|/)(?:crontab|crontab\.[\w-]+|[^/]+\.(?:cron|crontab))$")
_MAIL = {
    "MAILTO": "mail comes with notifications; `rota logs` shows the output until then",
    "MAILFROM": "mail comes with notifications",
    "CONTENT_TYPE": "mail comes with notifications",
    "CONTENT_TRANSFER_ENCODING": "mail comes with notifications",
}
_USERS_LIKE_PROGRAMS = frozenset({"backup", "bin", "games", "list", "mail", "man", "news", "proxy", "sync"})
_END = "INPUT"


class Crontab:
    """Reads crontabs; `users` is None where the text itself has to tell whether there is a user column."""

    def __init__(self, name: str, *, users: bool | None = None) -> None:
        self.name, self._users = name, users

    def recognises(self, path: str, node: Node) -> bool:  # noqa: ARG002 -- the registry's signature
        """Tell nothing of YAML: a crontab is recognised by its text."""
        return False

    def recognises_text(self, path: str, text: str) -> bool:
        """Tell a crontab by its name, or by its lines."""
        if path.lower().endswith((".yaml", ".yml", ".json")):
            return False
        return (
            bool(_USER_PATHS.search(path)) or bool(group_of(path)) or has_users(path, text) or looks_like_crontab(text)
        )

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the lines as jobs, in their order."""
        users = self._has_users(source)
        lines = list(read_lines(source.text, users=users))
        jobs = [line for line in lines if isinstance(line, JobLine)]
        reader = _Reader(source, Faults(problems), Jobset(self.name))
        if not reader.accounts.check():
            return reader.found
        reader.names = dict(zip(jobs, names_of(jobs, group_of(_path(source))), strict=True))
        for line in lines:
            reader.take(line)
        if not reader.jobs_seen:
            problems.add(
                Mark(source.path, 1, 1), "there are no jobs in this crontab", "a line is five fields and a command"
            )
        return reader.found

    def _has_users(self, source: Source) -> bool:
        """Tell whether there is a user column; never in cron's spool, where a word is no way to become that user."""
        if spool_owner(source) is not None:
            return False
        return self._users if self._users is not None else has_users(_path(source), source.text)


def has_users(path: str, text: str) -> bool:
    """Tell whether the word behind the schedule is a user: by the path, or because it is one in every line.

    Some users are called like programs, so one of the words must be a user's and no program's.
    """
    if has_user_column(path):
        return True
    commands = [line.command for line in read_lines(text, users=False) if isinstance(line, JobLine)]
    words = [command.partition(" ")[0].partition("\t")[0] for command in commands]
    known = any(word == "root" or (word not in _USERS_LIKE_PROGRAMS and which(word) is None) for word in words)
    return known and all(map(is_user, words))


def _path(source: Source) -> str:
    return os.path.join(source.directory, os.path.basename(source.path))


class _Reader:
    """Takes line after line; settings are for those below them."""

    def __init__(self, source: Source, faults: Faults, found: Jobset) -> None:
        self.source, self.faults, self.found = source, faults, found
        self.accounts = Accounts(source, faults)
        self.jobs_seen = 0
        self.names: dict[JobLine, str] = {}
        self._env: dict[str, str] = {}
        self._zone: str | None = None
        self._zone_is_bad = False
        self._delay = timedelta(0)
        self._description = Description()

    def take(self, line: Line) -> None:
        """Take one line."""
        if isinstance(line, Comment):
            self._description.take(line)
            return
        if isinstance(line, Setting):
            self._take_setting(line)
        elif isinstance(line, OddLine):
            self.jobs_seen += 1
            tell = self.faults.tell if line.is_harmless else self.faults.add
            tell(self._mark(line.line, line.column), line.problem, line.hint)
        else:
            self.jobs_seen += 1
            job = self._job(line)
            if job is not None:
                self.found.jobs.append(job)
        self._description.end()

    def _mark(self, line: int, column: int) -> Mark:
        return Mark(self.source.path, line, column)

    def _take_setting(self, line: Setting) -> None:
        mark = self._mark(line.line, line.column)
        if line.name in _MAIL:
            if line.value:
                self._note(mark, line.name, _MAIL[line.name])
        elif line.name == "CRON_TZ":
            self._zone = self._checked_zone(line, mark)
        elif line.name == "RANDOM_DELAY":
            if line.value.isascii() and line.value.isdigit() and len(line.value) < 6:
                self._delay = timedelta(minutes=int(line.value))
            else:
                self.faults.add(mark, f"RANDOM_DELAY must be a number of minutes, not {line.value!r}")
        elif line.name == "START_HOURS_RANGE":
            self._note(mark, line.name, "it is anacron's; write the hours into the schedules")
        elif line.name != "LOGNAME":
            self._env[line.name] = line.value

    def _note(self, mark: Mark, name: str, text: str) -> None:
        self.found.notes.append((mark, f"{name}: {text}"))
        self.faults.tell(mark, f"{name} is not carried over: {text}")

    def _checked_zone(self, line: Setting, mark: Mark) -> str | None:
        self._zone_is_bad = False
        if not line.value:
            return None
        try:
            find_zone(line.value)
        except BadSchedule as error:
            self.faults.add(mark, f"CRON_TZ: {error.problem}", error.hint)
            self._zone_is_bad = True
            return None
        return line.value

    def _job(self, line: JobLine) -> FoundJob | None:
        mark = self._mark(line.line, line.column)
        account, times = self.accounts.of(line), self._times(line)
        if account is None or times is None or self._zone_is_bad:
            return None
        home = self._env.get("HOME") or account.home
        env = {"SHELL": SHELL} if account.user else {"SHELL": SHELL, "HOME": home}
        job = Job(
            name=self.names[line],
            action=self._action(line),
            schedules=times.specs,
            policy=Policy(jitter=self._delay),
            timezone=self._zone,
            description=self._description.text,
            cwd=self.accounts.directory(account, home, mark),
            env=env | self._env,
            user=account.user,
        )
        return finished(job, mark, Faults(self.faults.problems))

    def _times(self, line: JobLine) -> Times | None:
        """Return when a line is due, or tell why it cannot be."""
        try:
            times = times_of(line, self._zone)
        except BadTimes as error:
            self.faults.add(self._mark(line.line, error.column), error.problem, error.hint)
            return None
        mark = self._mark(line.line, line.column)
        for lost in times.lost:
            self.faults.tell(mark, lost)
            self.found.notes.append((mark, lost))
        if times.remark:
            self.faults.tell(mark, times.remark)
        return times

    def _action(self, line: JobLine) -> Action:
        """Return the line of shell with its input; a SHELL of its own runs it."""
        text = line.command
        if line.input is not None:
            end = _END
            lines = line.input.split("\n")
            while end in lines:
                end += "_"
            given = "\n".join(lines if lines[-1] else lines[:-1])
            text = f"{{ {text}\n}} <<'{end}'\n{given}{chr(10) if given else ''}{end}"
        shell = self._env.get("SHELL") or SHELL
        return Shell(text) if shell == SHELL else Command((shell, "-c", text))


FORMAT = Crontab("crontab")

"""Crontabs: a user's own, and those with a user column (/etc/crontab, /etc/cron.d).

A line is a job with the settings above it. It runs as cron ran it: its line of shell by SHELL, in the home directory,
with what follows '%' as its input. Where cron let a job start beside itself and forgot what was due while the machine
was off, rota's defaults hold instead: one at a time, and what was missed runs once.

cron's jobs have no names. They get one from the command (see `crontab_names`), and the comment above as description.

`@reboot` is refused by name: the engine may start again without the machine, and a job that would then run twice, or
not at all, is worse than a line that stays in the crontab.
"""

from __future__ import annotations

import os
import pwd
import re
from datetime import timedelta
from shutil import which

from rota.config.formats.building import finished
from rota.config.formats.crontab_lines import Comment, JobLine, OddLine, Setting, looks_like_crontab, read_lines
from rota.config.formats.crontab_names import CommandNames
from rota.config.formats.fields import Faults
from rota.config.formats.registry import Source
from rota.config.jobset import FoundJob, Jobset
from rota.config.problems import Mark, Problems
from rota.config.yaml_reader import Node
from rota.errors import BadSchedule
from rota.model.action import Action, Command, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.schedule.parse import parse
from rota.schedule.zones import zone as find_zone

SHELL = "/bin/sh"
_SYSTEM_PATHS = re.compile(r"(?:^|/)(?:etc/crontab|cron\.d/[^/]+)$")
_USER_PATHS = re.compile(r"(?:^|/)(?:crontab|crontab\.[\w-]+|[^/]+\.(?:cron|crontab)|spool/cron/(?:crontabs/)?[^/]+)$")
_MAIL = {
    "MAILTO": "mail comes with notifications; `rota logs` shows the output until then",
    "MAILFROM": "mail comes with notifications",
    "CONTENT_TYPE": "mail comes with notifications",
    "CONTENT_TRANSFER_ENCODING": "mail comes with notifications",
}
_NOT_FOR_JOBS = {*_MAIL, "CRON_TZ", "RANDOM_DELAY", "START_HOURS_RANGE", "LOGNAME"}
_HEADING = re.compile(
    r"[^\w]*"
    r"|[^\w]*(?:m|min|minute)\s+(?:h|hour)\b.*"
    r"|[^\w]*(?:minute|hour|day of (?:the )?(?:month|week)|month)\b.*[(:].*",
    re.IGNORECASE,
)
"""A drawn line, or the names of cron's fields."""
_MACRO_TEXTS = {"@every_minute": "* * * * *"}
_LONGEST_DESCRIPTION = 300
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
        return bool(_SYSTEM_PATHS.search(path) or _USER_PATHS.search(path)) or looks_like_crontab(text)

    def read(self, source: Source, problems: Problems) -> Jobset:
        """Return the lines as jobs, in their order."""
        users = self._users if self._users is not None else has_users(source.path, source.text)
        reader = _Reader(source, Faults(problems), Jobset(self.name), users=users)
        for line in read_lines(source.text, users=users):
            reader.take(line)
        if not reader.jobs_seen:
            problems.add(
                Mark(source.path, 1, 1), "there are no jobs in this crontab", "a line is five fields and a command"
            )
        return reader.found


def has_users(path: str, text: str) -> bool:
    """Tell whether the word behind the schedule is a user: by the path, or because it is one in every line.

    Some users are called like programs, so one of the words must be a user's and no program's.
    """
    if _SYSTEM_PATHS.search(path):
        return True
    commands = [line.command for line in read_lines(text, users=False) if isinstance(line, JobLine)]
    words = [command.partition(" ")[0].partition("\t")[0] for command in commands]
    known = any(word == "root" or (word not in _USERS_LIKE_PROGRAMS and which(word) is None) for word in words)
    return known and all(map(_is_user, words))


def _is_user(word: str) -> bool:
    try:
        pwd.getpwnam(word)
    except (KeyError, ValueError):
        return word == "root"
    return True


class _Reader:
    """Takes line after line; settings are for those below them."""

    def __init__(self, source: Source, faults: Faults, found: Jobset, *, users: bool) -> None:
        self.source, self.faults, self.found, self.users = source, faults, found, users
        self.jobs_seen = 0
        self._names = CommandNames()
        self._env: dict[str, str] = {}
        self._zone: str | None = None
        self._zone_is_bad = False
        self._delay = timedelta(0)
        self._comment: list[str] = []

    def take(self, line: Setting | Comment | JobLine | OddLine) -> None:
        """Take one line."""
        if isinstance(line, Comment):
            self._take_comment(line.text)
            return
        if isinstance(line, Setting):
            self._take_setting(line)
        elif isinstance(line, OddLine):
            self.jobs_seen += 1
            self.faults.add(self._mark(line.line, line.column), line.problem, line.hint)
        else:
            self.jobs_seen += 1
            job = self._job(line)
            if job is not None:
                self.found.jobs.append(job)
        self._comment = []

    def _mark(self, line: int, column: int) -> Mark:
        return Mark(self.source.path, line, column)

    def _take_comment(self, text: str | None) -> None:
        """Keep the lines of comment right above a job; headings and jobs that are commented out describe nothing."""
        if text is None or looks_like_crontab(text):
            self._comment = []
        elif not _HEADING.fullmatch(text) and "=" not in text.split(" ")[0]:
            self._comment.append(text)

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
        name = self._names.name(line.command)
        spec = self._schedule(line)
        if not line.command:
            self.faults.add(
                self._mark(line.line, line.command_column),
                "there is no command before the '%'",
                "write \\% for a plain %",
            )
            return None
        if spec is None or self._zone_is_bad:
            return None
        user = line.user if line.user and line.user != _own_name() else None
        env = dict(self._env)
        home = env.get("HOME") or os.path.expanduser(f"~{user or ''}")
        if user:
            env = {"HOME": home, "LOGNAME": user, "USER": user, **env}
        job = Job(
            name=name,
            action=self._action(line),
            schedules=(spec,),
            policy=Policy(jitter=self._delay),
            timezone=self._zone,
            description=" ".join(self._comment)[:_LONGEST_DESCRIPTION],
            cwd=home,
            env=env,
            user=user,
        )
        return finished(job, mark, Faults(self.faults.problems))

    def _schedule(self, line: JobLine) -> ScheduleSpec | None:
        text, mark = " ".join(line.schedule.split()), self._mark(line.line, line.column)
        text = _MACRO_TEXTS.get(text.lower(), text)
        if text.lower() == "@reboot":
            hint = "keep this line in the crontab, or start it with systemd; here, comment it out"
            self.faults.add(mark, "@reboot: rota cannot start a job with the machine", hint)
            return None
        if text[1:].isdigit() and text.startswith("@"):
            self.faults.add(mark, f"{text} is FreeBSD's interval", f"in rota.yaml write every: {text[1:]}s")
            return None
        if "~" in text:
            column = line.column + line.schedule.index("~")
            hint = "write a plain value, and jitter in rota.yaml, which is always the same for one job"
            self.faults.add(
                self._mark(line.line, column), f"{text!r} has a random range '~', which cannot be kept", hint
            )
            return None
        try:
            parse("cron", text, zone=self._zone)
        except BadSchedule as error:
            column = _column(line, text, error.column)
            self.faults.add(self._mark(line.line, column), f"cron {text!r}: {error.problem}", error.hint)
            return None
        return ScheduleSpec("cron", text)

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
        shell = self._env.get("SHELL", SHELL)
        return Shell(text) if shell == SHELL else Command((shell, "-c", text))


def _column(line: JobLine, text: str, column: int) -> int:
    """Return the column in the file of a column in the schedule, whose words may stand further apart in the file."""
    if column < 1:
        return line.column
    word = text[: column - 1].count(" ")
    starts = [found.start() for found in re.finditer(r"[^ \t]+", line.schedule)]
    if word >= len(starts):
        return line.column
    return line.column + starts[word] + column - 1 - (text[: column - 1].rfind(" ") + 1)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


FORMAT = Crontab("crontab")

"""Jobs as a crontab: what cron can express, and by name what it cannot.

A job becomes one line for each of its schedules: `cd DIR && COMMAND`, or `cd DIR || exit; LINE` where the line is more
than one command. Variables that several jobs share stand above them (see `crontab_settings`). A job that cron would run
at other times, as somebody else, or without what it needs is left out and named; of the others the policies that cron
does not have are named. Both stand as comments in the text, too.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from rota.config.syntax.yaml_writer import comment
from rota.config.writers.crontab_schedules import AT_BOOT, Lines, cron_lines
from rota.config.writers.crontab_settings import SHELL, Settings, is_shell
from rota.model.action import Command, Function, Python, Shell
from rota.model.job import Job
from rota.model.policy import Policy, Retries
from rota.schedule.duration import format_duration

_INPUT = re.compile(r"\{ (?P<command>.*)\n\} <<'(?P<end>INPUT_*)'\n(?P<text>(?:.*\n)*?)(?P=end)")
_SEVERAL = re.compile(r"[;&|\n#<]")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST = 900
"""Debian's cron reads lines of up to 998 letters."""
_NEEDED = {
    "not_before": "it is due from a date on, which cron does not know",
    "not_after": "it is due until a date, which cron does not know",
}
_LOST = {
    "timeout": "timeout",
    "retries": "retries",
    "start_by": "start_by",
    "pool": "pool",
    "jitter": "jitter",
    "max_instances": "max_instances",
    "overlap": "overlap",
    "catch_up": "catch_up",
    "priority": "priority",
}


class Told(NamedTuple):
    """What people should know of one job."""

    job: str
    text: str


class Written(NamedTuple):
    """A crontab, and what is not in it."""

    text: str
    left_out: list[Told]
    differs: list[Told]


class Place(NamedTuple):
    """Where the crontab will be used."""

    home: str
    """cron's own directory."""
    path: str
    """The PATH that jobs have had so far; cron's own is short."""
    zone: str
    """The host's zone."""
    offset: timedelta = timedelta(0)
    users: bool = False
    """A system crontab: with a user column."""
    user: str = "root"
    """Who runs the jobs that name nobody, in a system crontab."""


class CannotWrite(Exception):
    """Why cron cannot have a job."""


def write_crontab(jobs: Sequence[Job], place: Place) -> Written:
    """Return the crontab of some jobs."""
    shells, homes = [_shell_of(job) for job in jobs], [_home(job, place) for job in jobs]
    settings = Settings(jobs, shells, homes, place.path)
    lines = [*comment("Made by `rota export crontab`."), *settings.head()]
    left_out, differs = [], []
    for index, job in enumerate(jobs):
        lines.append("")
        try:
            _check(job, place)
            if above := settings.above(index):
                lines += [*above, ""]
            own, remarks = _job(job, place, settings)
        except CannotWrite as reason:
            left_out.append(Told(job.name, str(reason)))
            lines += comment(f"NOT HERE: {job.name}: {reason}")
            continue
        differs += [Told(job.name, remark) for remark in remarks]
        lines += comment(job.name + (f": {job.description}" if job.description else ""))
        lines += [line for remark in remarks for line in comment(f"  not the same: {remark}")]
        lines += own if job.enabled else [f"# disabled: {line}" for line in own]
    return Written("\n".join(lines) + "\n", left_out, differs)


def _job(job: Job, place: Place, settings: Settings) -> tuple[list[str], list[str]]:
    """Return a job's lines, and what is not the same; raises CannotWrite."""
    command = _command(job, place, settings)
    user = f"{job.user or place.user} " if place.users else ""
    lines, remarks = [], _lost(job.policy)
    for spec in job.schedules:
        found: Lines = cron_lines(spec, place.offset)
        if found.refusal:
            raise CannotWrite(f"{spec.describe()}: {found.refusal}")
        remarks += [found.remark] if found.remark else []
        zone = found.zone or job.timezone
        if zone and zone != place.zone and not _same_everywhere(found.fields):
            lines.append(f"CRON_TZ={zone}")
            remarks.append(f"its times are of {zone}; only some crons (cronie) read CRON_TZ, Debian's does not")
            lines += [f"{fields} {user}{command}" for fields in found.fields]
            lines.append(f"CRON_TZ={place.zone}")
        else:
            lines += [f"{fields} {user}{command}" for fields in found.fields]
    if max(map(len, lines)) > _LONGEST:
        raise CannotWrite(
            f"its line is longer than {_LONGEST} letters, which not every cron reads; put it into a script"
        )
    return lines, list(dict.fromkeys(remarks))


def _same_everywhere(fields: Sequence[str]) -> bool:
    """Tell a schedule that means the same in each zone of whole hours: it restricts minutes alone, or asks no clock."""
    return all(each == AT_BOOT or each.split(" ", 1)[1] == "* * * *" for each in fields)


def _check(job: Job, place: Place) -> None:
    """Refuse what would run at other times, as somebody else, or without what it needs."""
    if not job.schedules:
        raise CannotWrite("it has no schedule, and runs by hand only")
    if job.user and not place.users:
        raise CannotWrite(f"it runs as {job.user}, for which a system crontab is needed; see --system")
    if job.secrets:
        raise CannotWrite(
            f"it has secrets in its environment ({', '.join(sorted(job.secrets))}), which cron cannot look up"
        )
    if job.env_files:
        raise CannotWrite("it has env_file, which cron cannot read")
    for key, text in _NEEDED.items():
        if getattr(job.policy, key) is not None:
            raise CannotWrite(text)


def _lost(policy: Policy) -> list[str]:
    """Name the policies that cron does not have."""
    default, words = Policy(), []
    for key, name in _LOST.items():
        value = getattr(policy, key)
        if value == getattr(default, key):
            continue
        shown = format_duration(value) if isinstance(value, timedelta) else value
        words.append(f"{name} {shown.count if isinstance(shown, Retries) else shown}")
    return [f"cron has no {', '.join(words)}"] if words else []


def _command(job: Job, place: Place, settings: Settings) -> str:
    """Return the line of shell for a job, with `%` escaped and its input behind it."""
    line, given = _line(job)
    if "\n" in line or "\r" in line:
        raise CannotWrite("its line of shell has several lines; put them into a script")
    home, user = _home(job, place), job.user or place.user
    parts = []
    if job.umask is not None:
        parts.append(f"umask {job.umask:03o}; ")
    for name, value in job.env.items():
        if value == settings.value(name, {"HOME": home, "LOGNAME": user}):
            continue
        if not _ENV_NAME.fullmatch(name) or "\n" in value:
            raise CannotWrite(f"its variable {name} cannot be written in one line")
        parts.append(f"export {name}={shlex.quote(value)}; ")
    start = settings.value("HOME", {"HOME": home})
    if job.cwd and os.path.normpath(os.path.expanduser(job.cwd)) != start and not _goes_there(line, job.cwd):
        is_line = isinstance(job.action, Shell) or _shell_of(job) != SHELL
        several = is_line and _SEVERAL.search(line)
        parts.append(f"cd {shlex.quote(job.cwd)} {'|| exit; ' if several else '&& '}")
    text = "".join(parts) + line
    return _escaped(text) + ("" if given is None else "%" + "%".join(_escaped(each) for each in given))


def _home(job: Job, place: Place) -> str:
    """Return the directory in which cron starts a job: that of its user."""
    if not job.user or job.user == place.user:
        return place.home
    try:
        return pwd.getpwnam(job.user).pw_dir
    except (KeyError, ValueError):
        return ""


def _goes_there(line: str, cwd: str) -> bool:
    """Tell whether a line begins with its own way to an absolute directory, as what was exported before does."""
    return os.path.isabs(cwd) and line.startswith((f"cd {shlex.quote(cwd)} ||", f"cd {shlex.quote(cwd)} &&"))


def _shell_of(job: Job) -> str:
    """Return the shell that runs a job's line in a crontab: the job's own SHELL, if the job is a line for it."""
    if isinstance(job.action, Command) and len(job.action.argv) == 3:
        shell, option, _ = job.action.argv
        if option == "-c" and shell == job.env.get("SHELL") and is_shell(shell):
            return shell
    return SHELL


def _line(job: Job) -> tuple[str, list[str] | None]:
    """Return a job's action as a line of shell, and the lines of its input."""
    match job.action:
        case Shell(line=line):
            return _with_input(line.strip() if _INPUT.fullmatch(line) is None else line)
        case Function(target=target, args=args, kwargs=kwargs):
            if not target:
                raise CannotWrite("it is a function that lives in a program, which cron cannot call")
            return shlex.join(_call(sys.executable, target, args, kwargs)), None
        case Command(argv=(_, _, line)) if _shell_of(job) != SHELL:
            return _with_input(line)
        case Command(argv=(shell, "-c", line)) if is_shell(shell):
            line, given = _with_input(line)
            return shlex.join((shell, "-c", line)), given
        case Command(argv=argv):
            return shlex.join(argv), None
        case Python(target=target, args=args, kwargs=kwargs, interpreter=interpreter):
            return shlex.join(_call(interpreter or sys.executable, target, args, kwargs)), None


def _call(interpreter: str, target: str, args: Sequence[object], kwargs: Mapping[str, object]) -> list[str]:
    told = {"args": args, "kwargs": kwargs}
    return [interpreter, "-m", "rota.call", target, msgspec.json.encode(told).decode()]


def _with_input(line: str) -> tuple[str, list[str] | None]:
    """Split what `%` became when a crontab was read into the command and the lines of its input."""
    found = _INPUT.fullmatch(line)
    if found is None or "\n" in found["command"]:
        return line, None
    return found["command"], found["text"].split("\n")[:-1]


def _escaped(text: str) -> str:
    """Return a text in which cron finds no '%' of its own."""
    if "\\%" in text or "\\\\" in text:
        raise CannotWrite(
            "it has a backslash before a '%' or another backslash, which crons read in different ways; put it into a "
            "script"
        )
    return text.replace("%", "\\%")

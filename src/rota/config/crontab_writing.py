"""Jobs as a crontab: what cron can express, and by name what it cannot.

A job becomes one line for each of its schedules: `cd DIR && COMMAND`, or `cd DIR || exit; LINE` where the line is more
than one command. A job that cron would run at other times, as somebody else, or without what it needs is left out and
named; of the others the policies that cron does not have are named. Both stand as comments in the text, too.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import msgspec

from rota.config.crontab_schedules import Lines, cron_lines
from rota.config.yaml_writer import comment
from rota.model.action import Command, Python, Shell
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
    lines = comment("Made by `rota export crontab`.")
    shared = {"SHELL": "/bin/sh", "PATH": place.path} | _shared(jobs)
    lines += [f"{name}={value}" for name, value in shared.items() if _is_setting(name, value)]
    left_out, differs = [], []
    for job in jobs:
        lines.append("")
        try:
            own, remarks = _job(job, place, shared)
        except CannotWrite as reason:
            left_out.append(Told(job.name, str(reason)))
            lines += comment(f"NOT HERE: {job.name}: {reason}")
            continue
        differs += [Told(job.name, remark) for remark in remarks]
        lines += comment(job.name + (f": {job.description}" if job.description else ""))
        lines += [line for remark in remarks for line in comment(f"  not the same: {remark}")]
        lines += own if job.enabled else [f"# disabled: {line}" for line in own]
    return Written("\n".join(lines) + "\n", left_out, differs)


def _shared(jobs: Sequence[Job]) -> dict[str, str]:
    """Return the variables that all jobs have, and that every cron reads alike."""
    if not jobs:
        return {}
    same = set(jobs[0].env.items()).intersection(*(job.env.items() for job in jobs))
    return {name: value for name, value in jobs[0].env.items() if (name, value) in same and _is_setting(name, value)}


def _is_setting(name: str, value: str) -> bool:
    """Tell what may stand as NAME=value: crons differ in quotes, and the SHELL there would run all lines."""
    plain = bool(value) and value == value.strip() and value.isprintable() and not set(value) & set("'\"\\")
    return plain and bool(_ENV_NAME.fullmatch(name)) and (name != "SHELL" or value == "/bin/sh")


def _job(job: Job, place: Place, shared: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return a job's lines, and what is not the same; raises CannotWrite."""
    _check(job, place)
    command = _command(job, place, shared)
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
    """Tell a schedule that means the same in each zone of whole hours: nothing but minutes is restricted."""
    return all(each.split(" ", 1)[1] == "* * * *" for each in fields)


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


def _command(job: Job, place: Place, shared: Mapping[str, str]) -> str:
    """Return the line of shell for a job, with `%` escaped and its input behind it."""
    line, given = _line(job)
    if "\n" in line or "\r" in line:
        raise CannotWrite("its line of shell has several lines; put them into a script")
    parts = []
    if job.umask is not None:
        parts.append(f"umask {job.umask:03o}; ")
    for name, value in job.env.items():
        if shared.get(name) == value:
            continue
        if not _ENV_NAME.fullmatch(name) or "\n" in value:
            raise CannotWrite(f"its variable {name} cannot be written in one line")
        parts.append(f"export {name}={shlex.quote(value)}; ")
    if job.cwd and os.path.normpath(os.path.expanduser(job.cwd)) != place.home:
        several = isinstance(job.action, Shell) and _SEVERAL.search(line)
        parts.append(f"cd {shlex.quote(job.cwd)} {'|| exit; ' if several else '&& '}")
    text = "".join(parts) + line
    return _escaped(text) + ("" if given is None else "%" + "%".join(_escaped(each) for each in given))


def _line(job: Job) -> tuple[str, list[str] | None]:
    """Return a job's action as a line of shell, and the lines of its input."""
    match job.action:
        case Shell(line=line):
            with_input = _INPUT.fullmatch(line)
            if with_input is not None and "\n" not in with_input["command"]:
                return with_input["command"], with_input["text"].split("\n")[:-1]
            return line.strip(), None
        case Command(argv=argv):
            return shlex.join(argv), None
        case Python(target=target, args=args, kwargs=kwargs, interpreter=interpreter):
            given: Mapping[str, object] = {"args": args, "kwargs": kwargs}
            words = [interpreter or sys.executable, "-m", "rota.call", target, msgspec.json.encode(given).decode()]
            return shlex.join(words), None


def _escaped(text: str) -> str:
    """Return a text in which cron finds no '%' of its own."""
    if "\\%" in text:
        raise CannotWrite("it has a backslash before a '%', which crons read in different ways; put it into a script")
    return text.replace("%", "\\%")

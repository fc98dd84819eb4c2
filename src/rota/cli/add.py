"""`rota add`: a job made by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from rota.cli.options import home_option, pointed_at
from rota.cli.policies import build_policy, policy_options, pool_of
from rota.cli.session import Session, here
from rota.errors import UsageError

if TYPE_CHECKING:
    from rota.model.action import Action
    from rota.model.job import Job, ScheduleSpec

_MOMENTS = timedelta(seconds=10)
_DEEPEST = 100
"""Far below what readers of JSON on the way to the function can take."""
_SHELL_SIGNS = frozenset("|&;<>()$`*?[]{}~#\"'\\\n\t ")


@click.command("add")
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- CMD...]")
@click.option("--cron", multiple=True, metavar="EXPR", help="When, as in cron: '30 2 * * *', '@daily'.")
@click.option("--every", multiple=True, metavar="TIME", help="At an interval: 90s, 5m, 1h30m.")
@click.option(
    "--at",
    multiple=True,
    metavar="TIME",
    help="Once: '2027-01-31 10:00', 'in 5m'; or 'boot': at each start of the machine.",
)
@click.option("--calendar", multiple=True, metavar="EXPR", help="When, as in systemd: 'Mon..Fri 09:00'.")
@click.option("--custom", multiple=True, metavar="NAME TEXT", help="A schedule of a plug-in: 'sunset Berlin'.")
@click.option("--from-end", is_flag=True, help="With --every: count from the end of the run before.")
@click.option("--tz", metavar="ZONE", help="The time zone of these, such as Europe/Berlin  [this machine's].")
@click.option("--shell", metavar="LINE", help="Run a line of shell.")
@click.option("--python", metavar="PKG.MOD:FUNC", help="Call a Python function.")
@click.option("--args", metavar="JSON", help="Its arguments, as a JSON array.")
@click.option("--kwargs", metavar="JSON", help="Its named arguments, as a JSON object.")
@click.option("--cwd", metavar="DIR", help="Where it runs  [the current directory].")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Set a variable; may be given again.")
@click.option("--user", metavar="NAME", help="Run as this user; the engine must be root.")
@click.option("--umask", metavar="OCTAL", help="Set the umask, such as 027.")
@click.option("--runs-on", metavar="WHERE", help="A host's name, labels (KEY=VALUE,…), or all  [any host].")
@click.option("--tag", multiple=True, metavar="TAG", help="Tag it; may be given again.")
@click.option("--description", default="", metavar="TEXT", help="Say what it is for.")
@click.option("--disabled", is_flag=True, help="Make it, but let it never be due.")
@policy_options
@home_option
@click.pass_obj
def add_command(session: Session, /, name: str, command: tuple[str, ...], **given: Any) -> None:
    """Make a job that runs CMD.

    With one or more of --cron, --every, --at, --calendar and --custom it runs by itself; without, only by `rota run`.
    Put `--` before the command, so that its options stay its own:

    \b
      rota add backup --cron "30 2 * * *" -- pg_dump -f /backup/db.sql db
      rota add poll --every 5m --timeout 1m --shell "curl -fsS https://example.org | grep ok"
    """
    from rota.clock import SystemClock

    now = SystemClock().now()
    job = _build_job(name, command, given, now)
    pool = pool_of(given["pool"]) if given["pool"] else None
    client = session.client(make=True)
    new_pool = pool is not None and pool[0] not in client.store.jobs.pools()
    applied = client.verbs.add(job)
    if pool is not None and pool[1] is not None:
        client.verbs.set_pool(pool[0], pool[1])
    from rota.cli.show import print_new_job

    print_new_job(session, applied.stored, now)
    warnings = [*applied.warnings, *_warn_of_command(job)]
    if pool is not None and pool[1] is None and new_pool:
        warnings.append(f"pool {pool[0]!r} is new and takes one run at a time; --pool {pool[0]}=N makes it larger")
    warnings += [client.zone_warning] if client.zone_warning else []
    for warning in warnings:
        click.echo(f"rota: warning: {warning}", err=True)
    session.say_without_engine("nothing starts until: rota serve")


def _build_job(name: str, command: tuple[str, ...], given: dict[str, Any], now: datetime) -> Job:
    from rota.model.job import Job
    from rota.schedule.zones import zone

    tz = given["tz"]
    if tz is not None:
        pointed_at("--tz", zone, tz)
    from rota.model.host import ANYWHERE, parse_runs_on

    cwd = os.path.realpath(os.path.expanduser(given["cwd"])) if given["cwd"] else here()
    if given["cwd"] and not os.path.isdir(cwd):
        raise UsageError(f"--cwd: there is no directory {cwd}")
    return Job(
        name=name,
        action=_action(name, command, given, cwd),
        schedules=tuple(_schedules(given, tz, now)),
        policy=build_policy(given, tz, now),
        timezone=tz,
        description=given["description"],
        tags=tuple(dict.fromkeys(given["tag"])),
        enabled=not given["disabled"],
        cwd=cwd,
        env=_environment(given["env"]),
        user=given["user"],
        umask=_umask(given["umask"]),
        runs_on=parse_runs_on(given["runs_on"]) if given["runs_on"] else ANYWHERE,
    )


def _schedules(given: dict[str, Any], tz: str | None, now: datetime) -> Iterable[ScheduleSpec]:
    """Yield the schedules; each is read once here, so that what is wrong is pointed at with its option."""
    from rota.model.job import ScheduleSpec
    from rota.schedule.parse import KINDS, parse

    if given["from_end"] and not given["every"]:
        raise UsageError("--from-end says from where --every counts; there is no --every")
    kind: Any  # one of the kinds
    for kind in KINDS:
        for said in given[kind]:
            text = _fixed(said, tz, now) if kind == "at" else said
            pointed_at(f"--{kind}", parse, kind, text, zone=tz, anchor=now)
            yield ScheduleSpec(kind, text, from_end=kind == "every" and given["from_end"])


def _fixed(text: str, tz: str | None, now: datetime) -> str:
    """Return an instant as it is written, or, if it is relative to now, the instant that it means.

    The start of the machine is no instant, and neither is what cron calls it; that is for the schedule to refuse.
    """
    from rota.control.views import instant_view
    from rota.errors import BadSchedule
    from rota.schedule.boot import as_kept, is_boot, is_crons_word
    from rota.schedule.instant import parse_instant

    if is_boot(text) or is_crons_word(text):
        return as_kept(text)
    try:
        parse_instant(text, tz)
    except BadSchedule:
        instant = pointed_at("--at", parse_instant, text, tz, now)
        if instant - now > _MOMENTS:
            instant = instant.replace(microsecond=0)  # nobody who says 'in 5m' means the fraction of a second
        return str(instant_view(instant))
    return text


def _action(name: str, command: tuple[str, ...], given: dict[str, Any], cwd: str) -> Action:
    from rota.model.action import Command, Python, Shell

    asked = [option for option in ("shell", "python") if given[option] is not None]
    if len(asked) + bool(command) > 1:
        ways = [f"--{option}" for option in asked] + (["a command after `--`"] if command else [])
        raise UsageError(f"a job does one thing, and {' and '.join(ways)} are given; choose one")
    if given["python"] is None and (given["args"] is not None or given["kwargs"] is not None):
        raise UsageError("--args and --kwargs are for --python PKG.MOD:FUNC")
    if given["shell"] is not None:
        return Shell(given["shell"])
    if given["python"] is not None:
        args = _json("--args", given["args"], list, "an array, such as '[1, \"two\"]'")
        return Python(
            given["python"], tuple(args), _json("--kwargs", given["kwargs"], dict, "an object, such as '{\"a\": 1}'")
        )
    if not command:
        raise UsageError(
            f"what should it do? Write: rota add {name} … -- CMD, or --shell LINE, or --python PKG.MOD:FUNC"
        )
    if len(command) == 1 and _is_shell(command[0], cwd):
        from shlex import quote

        raise UsageError(
            f"{command[0]!r} is one word, so it would be the name of a program; it looks like a line of shell.\n"
            f"  write --shell {quote(command[0])}, or each word by itself after `--`"
        )
    return Command(command)


def _is_shell(word: str, cwd: str) -> bool:
    """Tell whether a single word is more likely a line of shell than a program's name."""
    return bool(_SHELL_SIGNS & set(word)) and not os.path.exists(os.path.join(cwd, word))


def _json(option: str, text: str | None, kind: type, example: str) -> Any:
    import msgspec

    if text is None:
        return kind()
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise UsageError(f"{option}: {text!r} is no JSON: {error}") from None
    except RecursionError:
        raise _too_deep(option) from None
    if not isinstance(value, kind):
        raise UsageError(f"{option}: {text!r} is not {example}")
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
    if level:
        raise _too_deep(option)
    return value


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _too_deep(option: str) -> UsageError:
    return UsageError(f"{option}: it is nested more than {_DEEPEST} levels deep; put it into a file, and pass its name")


def _environment(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--env: {pair!r} is not NAME=VALUE")
        found[name] = value
    return found


def _umask(text: str | None) -> int | None:
    if text is None:
        return None
    digits = text.removeprefix("0o")
    if not digits or len(digits) > 4 or set(digits) - set("01234567"):
        raise UsageError(f"--umask: {text!r} is no octal number such as 027")
    return int(digits, 8)


def _warn_of_command(job: Job) -> list[str]:
    """Say now what would fail at three in the morning."""
    from shutil import which

    from rota.model.action import Command

    if not isinstance(job.action, Command):
        return []
    program = job.action.argv[0]
    path = job.env.get("PATH", os.environ.get("PATH"))
    if "/" in program:
        place = os.path.join(job.cwd or "", program)
        if os.access(place, os.X_OK) and os.path.isfile(place):
            return []
        what = "is not there" if not os.path.exists(place) else "is not an executable file"
        return [f"{place} {what} now; the job will fail until it is"]
    if which(program, path=path) is None:
        return [f"no program named {program!r} is on PATH here; the job fails unless the engine finds one"]
    return []

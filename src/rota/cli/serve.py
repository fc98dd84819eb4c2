"""`rota serve`: becomes the engine."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rota.cli.environment import from_environment, one_of
from rota.cli.options import Duration, files_option, home_option
from rota.cli.session import Session, here
from rota.cli.web_options import read_signing, read_web_options, refuse_open, web_options, without_web
from rota.errors import EngineRunning, UsageError

if TYPE_CHECKING:
    from rota.wiring.serving import ServedFiles

_ON_STOP = ("leave", "wait", "kill")
_FORMATS = ("text", "json")
_SHORTEST_LEASE = timedelta(seconds=3)


@click.command("serve")
@files_option
@click.option("--no-web", is_flag=True, help="Without the pages and REST.")
@web_options
@click.option("--capacity", type=click.IntRange(min=1), metavar="N", help="How many runs go at once  [2 x cores].")
@click.option("--max-running", type=click.IntRange(min=1), metavar="N", help="The same over all hosts  [no limit].")
@click.option("--host-name", metavar="NAME", help="What this host is called  [the machine's name].")
@click.option("--label", multiple=True, metavar="KEY=VALUE", help="What jobs may ask for in runs_on; repeatable.")
@click.option("--lease", type=Duration(), metavar="TIME", help="How long a silent host keeps its runs  [30s].")
@click.option(
    "--on-stop", type=click.Choice(_ON_STOP), help="What becomes of running jobs when the engine stops  [leave]."
)
@click.option(
    "--stop-grace", type=Duration(), metavar="TIME", help="How long they may go on before  [10s; 0 at a terminal]."
)
@click.option("--log-format", type=click.Choice(_FORMATS), help="How lines on standard error look  [text].")
@click.option("-q", "--quiet", is_flag=True, help="Write to the log file only.")
@home_option
@click.pass_obj
def serve_command(
    session: Session,
    format_name: str | None,
    no_web: bool,
    host: str | None,
    port: int | None,
    allowed_host: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    capacity: int | None,
    max_running: int | None,
    host_name: str | None,
    label: tuple[str, ...],
    lease: timedelta | None,
    on_stop: str | None,
    stop_grace: timedelta | None,
    log_format: str | None,
    quiet: bool,
) -> None:
    """Run the engine: it starts jobs when they are due, until it is stopped with Ctrl-C or SIGTERM.

    Job files, and modules that declare jobs, are applied first, and again whenever they change; SIGHUP reads them at
    once. Broken ones change nothing.

    Jobs that are running then go on, and the next engine takes them over. The pages are served beside it, to you alone
    until there are users (rota user add), and beyond this machine only then.

    Where several hosts share a store on PostgreSQL, this is one of them; `rota hosts` lists them. While the database
    cannot be reached, it waits for it.

    Each setting may also come from the environment: ROTA_CAPACITY, ROTA_MAX_RUNNING, ROTA_HOST_NAME, ROTA_LABELS,
    ROTA_LEASE, ROTA_ON_STOP, ROTA_STOP_GRACE, ROTA_LOG_FORMAT, ROTA_NO_WEB, ROTA_HOST, ROTA_PORT, ROTA_ALLOWED_HOSTS,
    ROTA_TRUSTED_PROXIES.
    """
    from rota.clock import SystemClock
    from rota.config.home import prepare_home
    from rota.config.where import DEFAULT_NAMES
    from rota.wiring.serving import become_engine
    from rota.wiring.stores import wait_for_store

    _refuse_second(session.home)
    wait_for_store(session.home, lambda text: click.echo(f"rota: {text}", err=True), SystemClock())
    chosen = {
        "capacity": capacity or from_environment("ROTA_CAPACITY", _number),
        "max_running": max_running or from_environment("ROTA_MAX_RUNNING", _number),
        "stop_grace": _stop_grace(stop_grace),
        **_place(host_name, label, lease),
        "on_stop": on_stop or from_environment("ROTA_ON_STOP", one_of(_ON_STOP)),
    }
    as_json = (log_format or from_environment("ROTA_LOG_FORMAT", one_of(_FORMATS)) or "text") == "json"
    web: list[str] = []
    if not without_web(no_web):
        options = read_web_options(host, port, allowed_host, trusted_proxy)
        refuse_open(session, options.host)
        read_signing()
        web = options.words(session.home)
    files = _apply_files(session, format_name, [name for name, value in chosen.items() if value is not None])
    session.close()
    prepare_home(session.home)
    note = ""
    if files is None:
        note = f"no job files are served: none was named, and there is no {' or '.join(DEFAULT_NAMES)} in {here()}"
    become_engine(
        session.home,
        chosen,
        ["serve", "--home", session.home],
        as_json=as_json,
        quiet=quiet,
        files=files,
        web=web,
        note=note,
    )


def _refuse_second(home: str) -> None:
    """Refuse to start beside an engine of the same home."""
    from rota.wiring.homes import can_be_signalled, running_engine

    pid = running_engine(home) if os.path.isdir(home) else None
    if pid is not None:
        stop = f"stop it first (kill {pid})" if can_be_signalled(home, pid) else "stop it first, where it runs"
        raise EngineRunning(
            f"an engine is running already for {home} (pid {pid}); {stop}, or choose another home with --home"
        )


def _apply_files(session: Session, format_name: str | None, fixed: list[str]) -> ServedFiles | None:
    """Apply the job files, if there are any, and return what the engine must know of them.

    Broken files end the start here, with all of their problems: nobody wants an engine that runs something else.
    """
    if not session.has_files:
        return None
    from rota.cli.apply import apply_at_start
    from rota.cli.files import JobFiles, absolute
    from rota.config.reading import watched_paths
    from rota.config.served import with_inputs
    from rota.wiring.serving import FirstLook, ServedFiles

    roots = absolute(session.files())
    modules = session.modules()
    watched = [*watched_paths(roots, format_name), *(path for module in modules for path in module.candidates)]
    look = FirstLook(watched)
    files = JobFiles(session, format_name)
    served, lines = apply_at_start(session, files)
    seen = look.with_inputs(with_inputs(watched, served))
    words = ["apply", "--home", session.home, *(word for root in roots for word in ("-f", root))]
    words += [word for module in modules for word in ("--python", module.word)]
    words += ["--format", format_name] if format_name is not None else []
    return ServedFiles(watched, words, seen, files.served_key, fixed, lines)


def _stop_grace(given: timedelta | None) -> timedelta | None:
    from rota.schedule.duration import parse_duration

    if given is None:
        given = from_environment("ROTA_STOP_GRACE", parse_duration)
    if given is None and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        return timedelta(0)  # at a terminal somebody waits for the prompt
    return given


def _place(name: str | None, labels: tuple[str, ...], lease: timedelta | None) -> dict[str, object]:
    """Return what this host is among others: its name, its labels, and how long its leases last."""
    from rota.model.host import check_host_name
    from rota.schedule.duration import parse_duration

    name = name or from_environment("ROTA_HOST_NAME", str)
    if name is not None:
        check_host_name(name)
    words = list(labels) or (from_environment("ROTA_LABELS", lambda text: text.split(",")) or [])
    lease = lease or from_environment("ROTA_LEASE", parse_duration)
    if lease is not None and lease < _SHORTEST_LEASE:
        raise UsageError(f"--lease {lease.total_seconds():g}s: a lease lasts 3s or longer")
    return {
        "host_name": name,
        "labels": dict(map(_label, words)) or None,
        "leases": None if lease is None else {"lasts": lease},
    }


def _label(text: str) -> tuple[str, str]:
    from rota.model.host import check_label

    key, equals, value = text.strip().partition("=")
    if not equals:
        raise UsageError(f"label {text!r} has no value; write it as in gpu=yes")
    check_label(key, value)
    return key, value


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("it must be a number, 1 or more")
    return int(text)

"""Options that many verbs have, and arguments that complete themselves."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rota.errors import BadSchedule, RotaError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_F = TypeVar("_F", bound=Callable[..., Any])


def _remember_home(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None and ctx.obj is not None:
        ctx.obj.home_flag = value


def _use_store(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Take the option for what the environment could have said: so helpers, which inherit that, find the same store."""
    if value is not None:
        os.environ["ROTA_STORE"] = value
        os.environ.pop("ROTA_STORE_FILE", None)


def home_option(function: _F) -> _F:
    """Accept --home and --store, before or after the verb."""
    function = click.option(
        "--store",
        metavar="URL",
        expose_value=False,
        is_eager=True,
        callback=_use_store,
        help="Use this PostgreSQL (else ROTA_STORE, what the home used last, or the file in it).",
    )(function)
    return click.option(
        "--home",
        metavar="DIR",
        expose_value=False,
        is_eager=True,
        callback=_remember_home,
        help="Use this home (else ROTA_HOME, the nearest .rota, or the user's own).",
    )(function)


def _remember_files(ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> None:
    if ctx.obj is not None:
        ctx.obj.file_flags = value


def _remember_modules(ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> None:
    if ctx.obj is not None:
        ctx.obj.module_flags = value


def files_option(function: _F) -> _F:
    """Accept -f, the format that the files are in, and --python."""
    function = click.option(
        "--python",
        multiple=True,
        metavar="[DIR:]MODULE",
        expose_value=False,
        is_eager=True,
        callback=_remember_modules,
        help="Modules that declare jobs with @rota.job, looked for in DIR [here]; may be given again.",
    )(function)
    formats = click.option("--format", "format_name", metavar="NAME", help="The files' format  [by their shape].")
    return click.option(
        "-f",
        "--file",
        multiple=True,
        metavar="FILE|DIR",
        expose_value=False,
        is_eager=True,
        callback=_remember_files,
        help="Job files; may be given again  [rota.yaml, rota.yml or rota.d here].",
    )(formats(function))


def json_option(function: _F) -> _F:
    """Accept --json."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def _complete_jobs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from rota.config.home import find_home
    from rota.wiring.client import Client
    from rota.wiring.homes import has_store

    flag = next(
        (parent.params.get("home") for parent in (ctx, ctx.parent) if parent and parent.params.get("home")), None
    )
    try:
        home = find_home(flag, os.environ, os.getcwd())
        if not has_store(home):
            return []
        client = Client(home)
        try:
            names = client.store.jobs.names()
        finally:
            client.close()
    except (RotaError, OSError):
        return []  # a completion that cannot be made is none
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def job_argument(name: str = "job", *, many: bool = False, required: bool = True) -> Callable[[_F], _F]:
    """Accept the name of a job, or several; they complete."""
    metavar = "JOB" if required else "[JOB]"
    return click.argument(
        name,
        nargs=-1 if many else 1,
        required=required,
        metavar=f"{metavar}..." if many else metavar,
        shell_complete=_complete_jobs,
    )


def reference_argument() -> Callable[[_F], _F]:
    """Accept a run's id, the beginning of one, or a job's name."""
    return click.argument("reference", metavar="RUN|JOB", shell_complete=_complete_jobs)


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A duration such as 90s or 1h30m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: object) -> timedelta:  # noqa: ARG002 -- click's
        """Read it; what is wrong is pointed at."""
        from rota.schedule.duration import parse_duration

        if isinstance(value, timedelta):
            return value
        with_option = param.opts[0] if param is not None else "a duration"
        return pointed_at(with_option, parse_duration, value)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """An instant in the past, such as 'yesterday 02:30' or '2d'."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: object) -> datetime:  # noqa: ARG002 -- click's
        """Read it; what is wrong is pointed at."""
        from rota.clock import SystemClock
        from rota.control.times import past

        if isinstance(value, datetime):
            return value
        with_option = param.opts[0] if param is not None else "a time"
        return pointed_at(with_option, past, value, SystemClock().now())


_T = TypeVar("_T")


def pointed_at(where: str, read: Callable[..., _T], *given: Any, **named: Any) -> _T:
    """Call a reader; if it refuses, remember at which option that was."""
    try:
        return read(*given, **named)
    except BadSchedule as error:
        error.add_note(where)
        raise

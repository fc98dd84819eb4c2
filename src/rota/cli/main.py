"""The door of the command line: finds the verb, calls it, and turns every error into a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from rota.cli.options import home_option
from rota.cli.session import Session
from rota.cli.verbs import HIDDEN, SECTIONS, VERBS
from rota.errors import BadSchedule, RotaError, did_you_mean

_COMPLETE = "_ROTA_COMPLETE"
_STANDARD_ERROR = 2
_FAILED = 1
_USAGE = 2


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is called, and none for its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the verbs in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- the same
        """Import and return a verb's command."""
        verb = VERBS.get(cmd_name) or HIDDEN.get(cmd_name)
        if verb is None:
            return None
        found = getattr(import_module(f"rota.cli.{verb.module}"), f"{cmd_name}_command")
        assert isinstance(found, click.Command), "a verb's module has its command"
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is told with the nearest that there is."""
        if args and args[0] not in VERBS and args[0] not in HIDDEN and not args[0].startswith("-"):
            near = did_you_mean(args[0], VERBS)
            raise click.UsageError(f"there is no verb {args[0]!r}{near or '; `rota --help` lists them'}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- the same
        """Write the verbs by section, from their summaries."""
        widest = max(map(len, VERBS))
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), verb.summary) for name, verb in verbs.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete verbs from the table, without importing them."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(name, help=verb.summary) for name, verb in VERBS.items() if name.startswith(incomplete)]
        return found if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)


@click.group(
    "rota",
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: rota init, rota add, rota serve. Every verb explains itself: rota VERB --help",
)
@home_option
@click.version_option(message="rota %(version)s", package_name="rota")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A scheduler that never loses, doubles or hides a run."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    _prepare_streams()
    session = Session()
    try:
        code = _call(sys.argv[1:] if arguments is None else arguments, session)
        sys.stdout.flush()
    except BrokenPipeError:
        return _broken_pipe()
    except BaseException as error:  # noqa: BLE001 -- every error becomes a sentence; that is what a door is for
        return tell(error)
    finally:
        session.close()
    return code


def _prepare_streams() -> None:
    """Make sure that there are standard streams, and that no name can make writing to them fail.

    With one of them closed, the next file to be opened would get its number, and our words would go into that file.
    """
    while (fd := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(fd, True)
    os.close(fd)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- for life
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _call(arguments: Sequence[str], session: Session) -> int:
    """Call the verb. Not through click's own `main`, which has other ideas of errors, pipes and exit codes."""
    asked = os.environ.get(_COMPLETE)
    if asked:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, "rota", _COMPLETE, asked)
    try:
        with cli.make_context("rota", list(arguments), obj=session) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as ended:
        return int(ended.exit_code)
    return code if isinstance(code, int) else 0


def _broken_pipe() -> int:
    """Whoever read our output has gone: that is their right, and needs no words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def tell(error: BaseException) -> int:
    """Say on standard error what went wrong, and return the exit code for it."""
    if os.environ.get("ROTA_DEBUG") and not isinstance(error, SystemExit):
        import traceback

        traceback.print_exception(error)
    match error:
        case SystemExit(code=int(code)):
            return code
        case click.Abort() | KeyboardInterrupt():
            return 128 + signal.SIGINT
        case BadSchedule():
            _say(_pointed(error))
            return error.exit_code
        case RotaError():
            _say(str(error))
            return error.exit_code
        case click.UsageError():
            _say(_usage(error))
            return _USAGE
        case click.ClickException():
            _say(error.format_message())
            return error.exit_code
        case UnicodeEncodeError():
            _say(f"{error.object!a} is not text in UTF-8, and cannot be kept as it is")
            return _USAGE
        case OSError():
            _say(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
            return _FAILED
    _say(_bug(error))
    return _FAILED


def _say(text: str) -> None:
    from rota.cli.text import safe_lines

    click.echo(f"rota: {safe_lines(text)}", err=True)


def _pointed(error: BadSchedule) -> str:
    """Return what is wrong with a schedule, with a caret under the place."""
    where = f"{error.__notes__[0]}: " if getattr(error, "__notes__", None) else ""
    lines = [f"{where}{error.problem}", f"  {error.text}"]
    if error.column:
        lines.append("  " + " " * (error.column - 1) + "^")
    if error.hint:
        lines.append(f"  {error.hint}")
    return "\n".join(lines)


def _usage(error: click.UsageError) -> str:
    """Return click's complaint in our words, and where to read on."""
    message = error.format_message()
    message = message[:1].lower() + message[1:].rstrip(".")
    context = error.ctx
    if isinstance(error, click.NoSuchOption) and context is not None and context.info_name == "add":
        message += f"\n  options of the command itself go after `--`, as in: rota add NAME … -- CMD {error.option_name}"
    if context is None or context.parent is None:
        return message
    return f"{message}\n  see: {context.command_path} --help"


def _bug(error: BaseException) -> str:
    """Return an honest word about something that we did not expect."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = "" if frame is None else f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    return (
        f"this is a fault in rota: {type(error).__name__}: {error}{where}. "
        "The store is as it was; ROTA_DEBUG=1 shows the whole story"
    )

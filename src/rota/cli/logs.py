"""`rota logs`: what a run wrote."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rota.cli.options import home_option, reference_argument
from rota.cli.session import Session
from rota.cli.streams import Output, output_for_people, say_dropped
from rota.cli.text import error_is_terminal, is_terminal, styled

if TYPE_CHECKING:
    from rota.control.following import News
    from rota.model.run import Run
    from rota.wiring.client import Client

_BOTH = ("stdout", "stderr")
_ASK = 1.0
_OUTPUT_IS_SURE = timedelta(days=1)


@click.command("logs")
@reference_argument()
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--stdout", "only", flag_value="stdout", help="Only standard output.")
@click.option("--stderr", "only", flag_value="stderr", help="Only standard error.")
@click.option("--attempt", type=click.IntRange(min=1), metavar="N", help="Of this attempt  [the last one].")
@home_option
@click.pass_obj
def logs_command(session: Session, reference: str, follow: bool, only: str | None, attempt: int | None) -> None:
    """Show what a run, or the newest run of a job, wrote: first its standard output, then its standard error.

    Both go to our standard output: as they are in a pipe, with control characters made visible on a terminal.
    """
    from rota.control.output import attempt_of
    from rota.control.references import Finder

    client = session.client()
    run = Finder(client.store).run(reference)
    chosen = attempt_of(run, attempt)
    wanted = (only,) if only else _BOTH
    output = output_for_people()
    if follow:
        from rota.control.following import Follower

        follower = Follower(client.store, client.live, client.clock, run.id, _EngineHint(client))
        shown = _show(follower.follow(from_attempt=max(chosen, 1)), output, wanted)
    else:
        shown = _show(_written(client, run, chosen), output, wanted, headings=only is None)
    output.close()
    if not shown and error_is_terminal():
        _say_nothing(client, run, only)


class _EngineHint:
    """Says, once, that nothing goes on because no engine runs; it may be started any moment."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked = client.clock.monotonic()
        self._said = False

    def __call__(self) -> None:
        now = self._client.clock.monotonic()
        if self._said or now - self._asked < _ASK:
            return
        self._asked = now
        if not self._client.served().by_anybody:
            self._said = True
            text = "waiting for one to go on with this run (rota serve); Ctrl-C ends only the waiting"
            click.echo(f"rota: no engine is running for {self._client.home}; {text}", err=True)


def _written(client: Client, run: Run, attempt: int) -> Iterable[News]:
    """Return what an attempt has written: kept in the store, or, while it runs, in its files."""
    from rota.control.following import Follower, stored_output
    from rota.model.run import State

    if run.state is State.RUNNING and attempt == run.attempt:
        written = Follower(client.store, client.live, client.clock, run.id).written()
        if written is not None:
            return written
    return stored_output({part.stream: part for part in client.store.runs.output(run.id, attempt)})


def _show(news: Iterable[News], output: Output, wanted: tuple[str, ...], *, headings: bool = False) -> bool:
    """Show output as it comes, and return whether there was any."""
    from rota.control.following import Dropped, Opened, Wrote

    seen: list[str] = []
    for each in news:
        match each:
            case Opened(attempt=attempt) if seen and is_terminal():
                output.close()
                click.echo(styled(f"--- attempt {attempt} ---", "dim"))
            case Wrote(stream=stream, content=content) if stream in wanted:
                if headings and seen and stream not in seen and is_terminal():
                    output.close()
                    click.echo(styled(f"--- {stream} ---", "dim"))
                if stream not in seen:
                    seen.append(stream)
                output.write(content)
            case Dropped(stream=stream, count=count) if stream in wanted:
                output.close()
                say_dropped(stream, count)
            case _:
                pass
    return bool(seen)


def _say_nothing(client: Client, run: Run, only: str | None) -> None:
    fresh = client.store.runs.find(run.id) or run
    what = f"to {only}" if only else "anything"
    yet = " yet" if fresh.ended_at is None else ""
    # Output is let go earlier than the run itself, and nobody remembers whether there was any.
    old = fresh.ended_at is not None and client.clock.now() - fresh.ended_at > _OUTPUT_IS_SURE
    pruned = ", or it was pruned" if old else ""
    click.echo(f"rota: run {run.id} ({fresh.state.words}) has not written {what}{yet}{pruned}", err=True)

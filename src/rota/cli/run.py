"""`rota run`, and what can be done to runs: cancel, retry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from rota.cli.options import home_option, job_argument, reference_argument
from rota.cli.session import Session
from rota.cli.streams import raw_streams, say_dropped
from rota.cli.text import error_is_terminal, safe
from rota.errors import EngineNotRunning, UsageError

if TYPE_CHECKING:
    from rota.control.pulse import Served
    from rota.model.run import Run
    from rota.wiring.client import Client

_TIMED_OUT = 124
_FAILED = 1
_INTERRUPTED = 130
_PATIENCE = 5.0
"""An engine that is restarted comes back; one that is gone for longer than this is gone."""
_ASK = 1.0


@click.command("run")
@job_argument()
@click.option("--wait", is_flag=True, help="Show its output, and exit with its exit code.")
@click.option("--param", multiple=True, metavar="NAME=VALUE", help="Give it ROTA_PARAM_NAME; may be given again.")
@home_option
@click.pass_obj
def run_command(session: Session, job: str, wait: bool, param: tuple[str, ...]) -> int:
    """Run a job now, and print the run's id.

    With --wait its output is passed on, and the exit code is the job's own; 124 if it timed out, 1 if it was cancelled
    or lost, 5 if no engine is running.
    """
    params = _params(param)
    client = session.client()
    if not wait:
        run_id = client.verbs.trigger(job, params)
        click.echo(run_id)
        session.say_without_engine("the run is queued, and starts with: rota serve", always=True)
        _say_why_it_waits(client, run_id)
        return 0
    client.store.jobs.get(job)
    if not client.served().by_anybody:
        raise EngineNotRunning(
            f"no engine is running for {session.home}, so there is nothing to wait for, and nothing was queued; "
            "start one with `rota serve`, or leave out --wait"
        )
    return _follow(client, client.verbs.trigger(job, params))


def _params(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--param: {pair!r} is not NAME=VALUE")
        found[name] = value
    return found


def _say_why_it_waits(client: Client, run_id: str) -> None:
    """Tell a person whose run has to wait behind another one of the job."""
    if not error_is_terminal() or not client.served().by_anybody:
        return
    run = client.store.runs.find(run_id)
    active = [] if run is None else client.store.runs.active(run.job_id)
    ahead = [each for each in active if not each.held]
    if ahead and any(each.id == run_id and each.held for each in active):
        click.echo(f"rota: it waits for its turn: run {ahead[0].id} is {ahead[0].state}", err=True)


class _EngineWatch:
    """Gives up when the engine has been gone for a while; tells when it is there and does nothing."""

    def __init__(self, client: Client, run_id: str, undone: Callable[[], datetime | None]) -> None:
        self._client = client
        self._undone_since = undone
        self._run_id = run_id
        self._asked = client.clock.monotonic()
        self._alive = self._asked
        self._undone: datetime | None = None
        self._told = False

    def __call__(self) -> None:
        now = self._client.clock.monotonic()
        if now - self._asked < _ASK:
            return
        self._asked = now
        by = self._client.served()
        if by.by_anybody:
            self._alive = now
            self._tell_silence(by)
        elif now - self._alive > _PATIENCE:
            raise EngineNotRunning(
                f"the engine is gone, and run {self._run_id} is not over. Nothing is lost: the next engine takes it "
                f"over (rota serve). See it then with: rota logs -f {self._run_id}"
            )

    def _tell_silence(self, by: Served) -> None:
        """Say once that the engine is there and does nothing: it may be woken, so waiting goes on."""
        from rota.control.pulse import PATIENCE, silence_text

        before, self._undone = self._undone, self._undone_since()
        if self._told or self._undone is None or self._undone != before:
            return
        silent = self._client.clock.now() - self._undone
        if silent >= PATIENCE:
            self._told = True
            click.echo(f"rota: {silence_text(by, silent)}", err=True)


def _follow(client: Client, run_id: str) -> int:
    from rota.control.following import Dropped, Follower, Moved, Wrote
    from rota.control.pulse import undone_since

    watch = _EngineWatch(client, run_id, lambda: undone_since(client.store))
    outputs = raw_streams()
    run: Run | None = None
    try:
        for news in Follower(client.store, client.live, client.clock, run_id, watch).follow():
            match news:
                case Wrote(stream=stream, content=content):
                    outputs[stream].write(content)
                case Dropped(stream=stream, count=count):
                    say_dropped(stream, count)
                case Moved(run=run):
                    _tell(run)
    except KeyboardInterrupt:
        later = f"Watch it with: rota logs -f {run_id}; end it with: rota cancel {run_id}"
        click.echo(f"\nrota: run {run_id} goes on. {later}", err=True)
        return _INTERRUPTED
    assert run is not None, "following ends with the run's last state"
    return _exit_code(run)


def _tell(run: Run) -> None:
    """Say what a person who waits would want to know, on standard error.

    That stream is also the job's own: into a pipe goes only what neither it nor the exit code can tell.
    """
    from rota.model.run import FINAL, State

    at_terminal = error_is_terminal()
    if run.state is State.WAITING and at_terminal:
        click.echo(f"rota: {safe(run.reason)}", err=True)
    elif run.state is State.QUEUED and at_terminal:
        click.echo(f"rota: run {run.id} is queued", err=True)
    elif run.state in FINAL and run.state is not State.SUCCEEDED:
        says_itself = run.state is State.FAILED and run.reason.startswith("exit code")
        if at_terminal or not says_itself:
            click.echo(f"rota: run {run.id} {run.state.words}: {safe(run.reason)}", err=True)


def _exit_code(run: Run) -> int:
    from rota.model.run import State

    match run.state:
        case State.SUCCEEDED:
            return 0
        case State.TIMED_OUT:
            return _TIMED_OUT
        case State.FAILED:
            return run.exit_code or _FAILED
        case _:
            return _FAILED


@click.command("cancel")
@reference_argument()
@home_option
@click.pass_obj
def cancel_command(session: Session, reference: str) -> None:
    """End a run, or all active runs of a job. A running one gets SIGTERM, and SIGKILL after its --kill-after."""
    from rota.model.run import State

    client = session.client()
    runs = client.verbs.cancel(reference)
    for run in runs:
        done = "is asked to end" if run.state is State.RUNNING else "is cancelled, before it started"
        click.echo(f"Run {run.id} of {safe(run.job)} {done}.")
    if any(run.state is State.RUNNING for run in runs):
        session.say_without_engine("running ones are ended when one starts: rota serve", always=True)


@click.command("retry")
@click.argument("run", metavar="RUN")
@home_option
@click.pass_obj
def retry_command(session: Session, run: str) -> None:
    """Run an ended run once more, with the same parameters, and print the new run's id."""
    click.echo(session.client().verbs.retry(run))
    session.say_without_engine("the run is queued, and starts with: rota serve", always=True)

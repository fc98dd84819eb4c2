"""`rota hosts`: the machines that work on one store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rota.cli.options import Duration, home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_facts, print_json, print_table
from rota.cli.text import safe

if TYPE_CHECKING:
    from rota.control.hosts import HostView
    from rota.wiring.client import Client

_TIMED_OUT = 124
_LOOK = 0.25


@click.group("hosts", invoke_without_command=True)
@json_option
@home_option
@click.pass_context
def hosts_command(context: click.Context, as_json: bool) -> None:
    """Show the hosts of this store, and say what they do.

    With a store on PostgreSQL, `rota serve` on several machines is one scheduler; each is a host, with a name and
    labels that a job's `runs_on` may ask for. A store in the home has one host.
    """
    if context.invoked_subcommand is None:
        _list(context.obj, as_json)


@hosts_command.command("list")
@json_option
@home_option
@click.pass_obj
def list_command(session: Session, as_json: bool) -> None:
    """List the hosts."""
    _list(session, as_json)


@hosts_command.command("show")
@click.argument("name")
@json_option
@home_option
@click.pass_obj
def show_command(session: Session, name: str, as_json: bool) -> None:
    """Show one host, and what runs there."""
    from rota.control.times import relative, short
    from rota.control.views import host_view

    client = session.client()
    view, runs = client.hosts.one(name), client.hosts.running(name)
    now = client.clock.now()
    if as_json:
        print_json({**host_view(view), "runs": [run.id for run in runs]})
        return
    host = view.host
    click.echo(safe(host.name))
    print_facts(
        [
            ("state", _state(view)),
            ("labels", _labels(view) or "none"),
            ("capacity", f"{view.running} of {host.capacity} running"),
            *([("max running", f"{host.max_running} on all hosts")] if host.max_running else []),
            ("version", f"{host.version} (schema {host.schema})"),
            ("started", f"{relative(host.started_at, now)} ({short(host.started_at, now)})"),
            ("seen", f"{relative(host.seen_at, now)} ({short(host.seen_at, now)})"),
            ("id", host.id),
        ]
    )
    for run in runs:
        click.echo(f"  {run.id}  {safe(run.job)}")


@hosts_command.command("drain")
@click.argument("name")
@click.option("--hand-over", is_flag=True, help="End what another host may begin again, and let it do that.")
@click.option("--wait", is_flag=True, help="Return when nothing runs there any more.")
@click.option("--timeout", type=Duration(), metavar="TIME", help="Wait no longer than this, and exit with 124.")
@home_option
@click.pass_obj
def drain_command(session: Session, name: str, hand_over: bool, wait: bool, timeout: timedelta | None) -> int:
    """Let a host finish what runs there, and start nothing more.

    With --hand-over, runs whose jobs have retries left, and that another host may run, end there with SIGTERM and begin
    again elsewhere at once; the others finish, because nothing without retries is ever begun twice.
    """
    client = session.client()
    view = client.hosts.drain(name, hand_over=hand_over)
    left = "nothing runs there" if not view.running else f"{view.running} still running there"
    click.echo(f"{safe(view.host.name)} starts nothing more; {left}.")
    return _wait_until_empty(client, view, timeout) if wait or timeout is not None else 0


def _wait_until_empty(client: Client, view: HostView, timeout: timedelta | None) -> int:
    """Wait until nothing runs there, and say how much does each time that it changes."""
    from rota.control.host_names import a_few

    end = float("inf") if timeout is None else client.clock.monotonic() + timeout.total_seconds()
    while view.running:
        if client.clock.monotonic() >= end:
            names = a_few([safe(run.job) for run in client.hosts.running(view.host.id)])
            click.echo(f"rota: still running there: {names}; it stays drained", err=True)
            return _TIMED_OUT
        client.clock.sleep(_LOOK)
        before, view = view.running, client.hosts.one(view.host.id)
        if view.running != before:
            click.echo(f"{view.running} running there." if view.running else "Nothing runs there any more.")
    return 0


@hosts_command.command("resume")
@click.argument("name")
@home_option
@click.pass_obj
def resume_command(session: Session, name: str) -> None:
    """Let a drained host start runs again."""
    view = session.client().hosts.resume(name)
    click.echo(f"{safe(view.host.name)} starts runs again.")


@hosts_command.command("forget")
@click.argument("name")
@home_option
@click.pass_obj
def forget_command(session: Session, name: str) -> None:
    """Forget a host that is gone for good; one that comes back is known again."""
    view = session.client().hosts.forget(name)
    click.echo(f"{safe(view.host.name)} is forgotten.")


def _list(session: Session, as_json: bool) -> None:
    from rota.control.times import relative

    views = session.client().hosts.all() if session.has_home else []
    if as_json:
        from rota.control.views import host_view

        print_json([host_view(view) for view in views])
        return
    if not views:
        click.echo("No host is known yet: a host is an engine that was started on this store (rota serve).")
        return
    now = session.client().clock.now()
    rows: list[list[Cell | str]] = [
        [
            Cell(view.host.name, "bold"),
            Cell(_state(view), "" if view.state == "up" else "dim"),
            f"{view.running}/{view.host.capacity}",
            _labels(view),
            view.host.version,
            relative(view.host.seen_at, now),
        ]
        for view in views
    ]
    print_table(("name", "state", "running", "labels", "version", "seen"), rows)


def _state(view: HostView) -> str:
    return f"{view.state}, plans" if view.plans else view.state


def _labels(view: HostView) -> str:
    return ", ".join(f"{safe(key)}={safe(value)}" for key, value in sorted(view.host.labels.items()))

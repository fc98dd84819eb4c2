"""`rota list`, and the verbs that put jobs out of service and back: remove, pause, resume."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import click

from rota.cli.options import home_option, job_argument, json_option
from rota.cli.session import Session, here
from rota.cli.tables import Cell, print_json, print_table
from rota.cli.text import safe, typed
from rota.errors import Conflict

if TYPE_CHECKING:
    from rota.control.questions import JobLine

_TITLES = ("job", "schedule", "state", "next", "last run")


@click.command("list")
@click.option("--tag", metavar="TAG", help="Only jobs with this tag.")
@json_option
@home_option
@click.pass_obj
def list_command(session: Session, tag: str | None, as_json: bool) -> None:
    """List the jobs: when each is due next, and how it went last."""
    lines: list[JobLine] = []
    if session.has_home:
        from rota.control.questions import Questions

        client = session.client()
        lines = Questions(client.store, client.clock).jobs(tag)
    if as_json:
        from rota.control.views import job_view

        print_json([job_view(line.stored, line.last, line.broken) for line in lines])
        return
    if not lines:
        _print_nothing(session, tag)
        return
    now = session.client().clock.now()
    print_table(_TITLES, [_row(line, now) for line in lines])
    session.say_without_engine("nothing starts until: rota serve")


def _row(line: JobLine, now: datetime) -> list[Cell | str]:
    from rota.control.words import doing, due, last_of, schedule_of

    said = (doing(line), due(line, now), last_of(line.last, now))
    return [Cell(line.stored.name, "bold"), schedule_of(line), *(Cell(*each) for each in said)]


def _print_nothing(session: Session, tag: str | None) -> None:
    """Say where we looked, what to do, and where else something lives."""
    from rota.config.where import default_in
    from rota.wiring.homes import live_engines

    if tag is not None and session.has_home and session.client().store.jobs.count():
        click.echo(f"No job in {session.home} has the tag {tag!r}.")
        return
    known = "" if session.has_home else " (it is not made yet)"
    click.echo(f"No jobs in {session.home}{known}.")
    file = default_in(here())
    if file is not None:
        click.echo(f"Those of {os.path.basename(file)} come with: rota serve, or rota apply")
    else:
        click.echo('Make one with: rota add hello --every 1m --shell "echo hello", or a file of jobs with: rota init')
    for pid, home in live_engines():
        if home != session.home:
            click.echo(
                f"Another engine of yours serves {safe(home)} (pid {pid}); see it with: rota list --home {typed(home)}"
            )


@click.command("remove")
@job_argument("jobs", many=True)
@home_option
@click.pass_obj
def remove_command(session: Session, jobs: tuple[str, ...]) -> None:
    """Take jobs out of service; their history stays.

    Runs that are running go on to their end; those that wait for a start are cancelled.
    """
    client = session.client()
    for name in _known(session, jobs):
        left = client.verbs.remove(name)
        click.echo(f"Removed {safe(name)}.")
        for run in left:
            click.echo(f"  run {run.id} goes on; end it with: rota cancel {run.id}")


@click.command("pause")
@job_argument("jobs", many=True)
@home_option
@click.pass_obj
def pause_command(session: Session, jobs: tuple[str, ...]) -> None:
    """Make no more slots of jobs due, until they are resumed. What runs goes on."""
    client = session.client()
    for name in _known(session, jobs):
        if client.verbs.pause(name):
            click.echo(f"Paused {safe(name)}. Slots in the pause do not run, not later either.")
        else:
            click.echo(f"{safe(name)} was paused already.")


@click.command("resume")
@job_argument("jobs", many=True)
@home_option
@click.pass_obj
def resume_command(session: Session, jobs: tuple[str, ...]) -> int:
    """End a pause. Slots that passed in it are not caught up."""
    from rota.control.times import relative, with_zone, zone_named

    client = session.client()
    code = 0
    for name in _known(session, jobs):
        try:
            passed = client.verbs.resume(name)
        except Conflict as conflict:
            click.echo(f"rota: {conflict}", err=True)
            code = conflict.exit_code
            continue
        stored = client.store.jobs.get(name)
        coming = ""
        if stored.next_slot is not None:
            slot = with_zone(stored.next_slot, zone_named(stored.job.timezone))
            coming = f" Next: {slot}, {relative(stored.next_slot, client.clock.now())}."
        slots = "No slot" if not passed else "1 slot" if passed == 1 else f"{passed:,} slots"
        click.echo(f"Resumed {safe(name)}. {slots} passed in the pause.{coming}")
    return code


def _known(session: Session, names: tuple[str, ...]) -> list[str]:
    """Return the names once each, if all of them are jobs: a verb on several does all or nothing."""
    for name in names:
        session.client().store.jobs.get(name)
    return list(dict.fromkeys(names))

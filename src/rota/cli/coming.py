"""`rota next`: the coming slots."""

from __future__ import annotations

import click

from rota.cli.options import home_option, job_argument, json_option, pointed_at
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_table
from rota.cli.text import safe


@click.command("next")
@job_argument(required=False)
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=10, metavar="N", help="How many  [10].")
@click.option("--from", "since", metavar="TIME", help="After this instant  [now].")
@click.option("--tz", metavar="ZONE", help="Show them on the wall clock of this zone  [the job's].")
@json_option
@home_option
@click.pass_obj
def next_command(
    session: Session, job: str | None, count: int, since: str | None, tz: str | None, as_json: bool
) -> None:
    """Show the coming slots of one job, or of all together."""
    from rota.clock import SystemClock
    from rota.control.questions import Questions
    from rota.control.times import relative, with_zone, zone_named
    from rota.control.views import instant_view
    from rota.schedule.instant import parse_instant

    now = SystemClock().now()
    zone = pointed_at("--tz", zone_named, tz)
    start = now if since is None else pointed_at("--from", parse_instant, since, tz, now)
    slots = []
    if session.has_home or job is not None:
        client = session.client()
        if tz is None and job is not None:
            zone = zone_named(client.store.jobs.get(job).job.timezone)
        slots = Questions(client.store, client.clock).coming(job, start, count)
    if as_json:
        print_json([{"job": slot.job, "slot": instant_view(slot.at)} for slot in slots])
        return
    if not slots:
        _print_none(session, job)
        return
    rows = [
        [Cell(with_zone(slot.at, zone)), Cell(relative(slot.at, now), "dim"), Cell(slot.job, "bold")] for slot in slots
    ]
    if job is not None:
        print_table(("slot", "when"), [row[:2] for row in rows])
    else:
        print_table(("slot", "when", "job"), rows)
    session.say_without_engine("they are planned when one starts: rota serve")


def _print_none(session: Session, job: str | None) -> None:
    if job is None:
        click.echo(f"Nothing is coming up in {session.home}.")
        return
    from rota.cli.why import answer_for_job

    click.echo(f"No slot of {safe(job)} is known. {answer_for_job(session, job).sentences[0]}")

"""`rota why` and `rota missed`: the ledger in sentences."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from rota.cli.options import Moment, home_option, json_option, pointed_at, reference_argument
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_paragraph, print_table
from rota.cli.text import safe, styled

if TYPE_CHECKING:
    from rota.control.why import Answer, Why

_INDENT = 2


@click.command("why")
@reference_argument()
@click.argument("at", required=False, metavar="[TIME]")
@json_option
@home_option
@click.pass_obj
def why_command(session: Session, reference: str, at: str | None, as_json: bool) -> None:
    """Say why something ran, or did not.

    A run: who asked, how each attempt went, and why it ended so. A job: why it will, or will not, run next. A job and
    a time, such as '02:30' or 'yesterday 02:30' on the job's wall clock: what became of that slot.
    """
    from rota.control.host_names import host_names
    from rota.control.references import Finder
    from rota.control.times import past
    from rota.control.views import answer_view
    from rota.control.why import is_exact, refuse_slot_of_run

    client = session.client()
    why = _why(session)
    stored = client.store.jobs.find(reference)
    if stored is None:
        run = Finder(client.store).run(reference)
        if at is not None:
            raise refuse_slot_of_run(reference)
        answer = why.run(run)
    elif at is None:
        answer = why.job(stored)
    else:
        instant = pointed_at("TIME", past, at, client.clock.now(), stored.job.timezone)
        answer = why.slot(stored, instant, exact=is_exact(at))
    if as_json:
        print_json(answer_view(answer, host_names(client.store)))
        return
    click.echo(styled(safe(answer.about[:1].upper() + answer.about[1:]), "bold"))
    for sentence in answer.sentences:
        print_paragraph(sentence, _INDENT)


def answer_for_job(session: Session, name: str) -> Answer:
    """Return why a job will, or will not, run next."""
    return _why(session).job(session.client().store.jobs.get(name))


def _why(session: Session) -> Why:
    from rota.control.times import with_zone
    from rota.control.why import Why

    client = session.client()
    return Why(client.store, client.clock, with_zone, client.engine_pid)


@click.command("missed")
@click.option("--since", type=Moment(), default="7d", metavar="TIME", help="Since when: 2d, yesterday  [7d].")
@json_option
@home_option
@click.pass_obj
def missed_command(session: Session, since: datetime, as_json: bool) -> None:
    """List what did not happen: slots that nobody planned, runs that were lost, runs that waited too long."""
    from rota.control.host_names import host_names
    from rota.control.missed import Miss, missed
    from rota.control.times import local, short
    from rota.control.views import instant_view, run_view, skip_view

    found: list[Miss] = []
    if session.has_home:
        found = missed(session.client().store, _why(session), since)
    if as_json:
        names = host_names(session.client().store) if found else {}
        print_json(
            [
                {
                    "job": miss.job,
                    "kind": miss.kind,
                    "at": instant_view(miss.at),
                    "count": miss.count,
                    "text": miss.text,
                    "run": None if miss.run is None else run_view(miss.run, names),
                    "skip": None if miss.skip is None else skip_view(miss.skip),
                }
                for miss in found
            ]
        )
        return
    if session.has_home:
        session.say_without_engine("slots that pass are decided on when one starts: rota serve", always=True)
    if not found:
        click.echo(f"Nothing was missed since {local(since, seconds=False)}.")
        return
    now = session.client().clock.now()
    rows: list[list[Cell | str]] = [
        [Cell(miss.job, "bold"), Cell(short(miss.at, now)), Cell(miss.kind, miss.kind), miss.text] for miss in found
    ]
    print_table(("job", "until", "what", "why"), rows)

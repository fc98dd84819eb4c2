"""`rota runs`: history, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from rota.cli.options import Moment, home_option, job_argument, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_json, print_table

if TYPE_CHECKING:
    from rota.control.host_names import HostNames
    from rota.model.run import Run

_LIMIT = 20


@click.command("runs")
@job_argument(required=False)
@click.option("--state", default="", metavar="STATE", help="Only these: a state, or active, or trouble.")
@click.option("--since", type=Moment(), metavar="TIME", help="Only those made since: 2h, yesterday, 2027-01-31.")
@click.option("--host", default="", metavar="NAME", help="Only those of this host.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=_LIMIT, metavar="N", help=f"How many  [{_LIMIT}].")
@json_option
@home_option
@click.pass_obj
def runs_command(
    session: Session, job: str | None, state: str, since: datetime | None, host: str, limit: int, as_json: bool
) -> None:
    """List runs, newest first."""
    from rota.control.host_names import host_id_of, host_names
    from rota.control.questions import Questions, check_state
    from rota.control.views import run_view

    check_state(state)
    runs: list[Run] = []
    names: HostNames = {}
    if session.has_home or job is not None or host:
        client = session.client()
        on = host_id_of(client.store, host) if host else ""
        runs = Questions(client.store, client.clock).runs(job, state, since, limit, on)
        names = host_names(client.store)
    if as_json:
        print_json([run_view(run, names) for run in runs])
        return
    if not runs:
        which = "such runs" if state or since or host else "runs yet"
        click.echo(f"No {which} in {session.home}." if job is None else f"No {which} of {job}.")
        return
    titles, rows = run_rows(runs, session.client().clock.now(), names, with_job=job is None)
    print_table(titles, rows)


def run_rows(
    runs: Sequence[Run], now: datetime, names: HostNames, *, with_job: bool
) -> tuple[list[str], list[list[Cell | str]]]:
    """Return the table of some runs, with their hosts where there are several."""
    from rota.control.host_names import called
    from rota.control.times import brief, relative, short

    with_host = len(names) > 1
    titles = ["run", *(["job"] if with_job else []), "state", *(["host"] if with_host else []), "for", "started"]
    titles += ["took", "why"]
    rows: list[list[Cell | str]] = []
    for run in runs:
        begun = run.started_at
        took = run.duration if run.ended_at is not None else None
        if took is None and run.started_at is not None:
            took = max(0.0, (now - run.started_at).total_seconds())
        rows.append(
            [
                Cell(run.id),
                *([Cell(run.job, "bold")] if with_job else []),
                Cell(run.state.words, run.state.value),
                *([Cell(called(run.host, names) or "-")] if with_host else []),
                "by hand" if run.trigger.value == "manual" else short(run.slot, now) if run.slot else "again",
                "-" if begun is None else relative(begun, now),
                "-" if took is None else brief(took),
                _note(run),
            ]
        )
    return titles, rows


def _note(run: Run) -> str:
    tries = f"attempt {run.attempt}" if run.attempt > 1 else ""
    return "; ".join(part for part in (tries, run.reason) if part)

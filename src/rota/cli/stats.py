"""`rota stats`: figures, and what they advise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rota.cli.options import home_option, job_argument, json_option
from rota.cli.session import Session
from rota.cli.tables import Cell, print_facts, print_json, print_paragraph, print_table
from rota.cli.text import safe, styled

if TYPE_CHECKING:
    from rota.control.stats import Figures

_TITLES = ("job", "runs", "succeeded", "usually takes", "p95", "skipped", "retries", "late p50", "late p99")


@click.command("stats")
@job_argument(required=False)
@json_option
@home_option
@click.pass_obj
def stats_command(session: Session, job: str | None, as_json: bool) -> None:
    """Show figures of one job, or of all, and what they advise.

    Counts are of every run there ever was; durations and lateness are of the newest 100 runs.
    """
    found: list[Figures] = []
    if session.has_home or job is not None:
        from rota.control.figures import Statistics

        client = session.client()
        statistics = Statistics(client.store, client.clock)
        found = [statistics.of(job)] if job is not None else statistics.of_all()
    if as_json:
        from rota.control.views import figures_view

        views = [figures_view(each) for each in found]
        print_json(views[0] if job is not None else views)
        return
    if job is not None:
        _print_one(found[0])
        return
    if not found:
        click.echo(f"No jobs in {session.home}.")
        return
    print_table(_TITLES, [_row(each) for each in found])
    for each in found:
        for sentence in each.advice:
            print_paragraph(f"{each.job}: {sentence}")


def _row(found: Figures) -> list[Cell | str]:
    return [
        Cell(found.job, "bold"),
        f"{found.runs:,}",
        _rate(found),
        _span(found.median),
        _span(found.p95),
        f"{found.skipped:,}",
        f"{found.retries:,}",
        _span(found.late_p50),
        _span(found.late_p99),
    ]


def _print_one(found: Figures) -> None:
    click.echo(styled(safe(found.job), "bold"))
    ended = [
        f"{count:,} {word}"
        for count, word in (
            (found.succeeded, "succeeded"),
            (found.failed, "failed"),
            (found.timed_out, "timed out"),
            (found.cancelled, "cancelled"),
            (found.lost, "lost"),
        )
        if count
    ]
    print_facts(
        [
            ("runs", f"{found.runs:,}" + (f": {', '.join(ended)}" if ended else "")),
            ("succeeded", _rate(found)),
            ("took", f"average {_span(found.average)}, median {_span(found.median)}, p95 {_span(found.p95)}"),
            ("late", f"p50 {_span(found.late_p50)}, p99 {_span(found.late_p99)}"),
            ("retries", f"{found.retries:,}"),
            ("skipped", f"{found.skipped:,} slots"),
        ]
    )
    for sentence in found.advice:
        print_paragraph(sentence)


def _rate(found: Figures) -> str:
    if found.success_rate is None:
        return "-"
    # 99.96 % is not all of them.
    return "100%" if found.success_rate == 1 else f"{min(found.success_rate * 100, 99.9):.1f}%"


def _span(seconds: float | None) -> str:
    from rota.control.times import brief

    return "-" if seconds is None else ("-" if seconds < 0 else "") + brief(seconds)

"""`rota show`: everything about one job; and what `rota add` says about a new one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from rota.cli.options import home_option, job_argument, json_option
from rota.cli.session import Session
from rota.cli.tables import print_facts, print_json, print_table
from rota.cli.text import safe, styled, typed

if TYPE_CHECKING:
    from rota.control.questions import JobLine
    from rota.model.job import Job, StoredJob

_NEW = 3
_SLOTS = 5
_RUNS = 5


@click.command("show")
@job_argument()
@json_option
@home_option
@click.pass_obj
def show_command(session: Session, job: str, as_json: bool) -> None:
    """Show everything about one job."""
    from rota.control.definition import policies_of
    from rota.control.host_names import host_names
    from rota.control.questions import Questions
    from rota.control.views import instant_view, job_details_view, run_view

    client = session.client()
    questions = Questions(client.store, client.clock)
    line = questions.job(job)
    now = client.clock.now()
    slots = questions.coming(job, now, _SLOTS)
    runs = questions.runs(job, "", None, _RUNS)
    names = host_names(client.store)
    if as_json:
        more: dict[str, Any] = {
            "next_slots": [instant_view(slot.at) for slot in slots],
            "runs": [run_view(run, names) for run in runs],
        }
        print_json(job_details_view(line.stored, line.last, line.broken) | more)
        return
    click.echo(
        styled(safe(job), "bold") + (f"  {safe(line.stored.job.description)}" if line.stored.job.description else "")
    )
    print_facts(_facts(line, now))
    policies = policies_of(line.stored.job.policy)
    if policies:
        click.echo("\nOther than the default")
        print_facts(policies)
    if slots:
        click.echo("\nNext")
        _print_slots([slot.at for slot in slots], now, line.stored.job)
    if runs:
        from rota.cli.runs import run_rows

        click.echo("\nLast runs")
        titles, rows = run_rows(runs, now, names, with_job=False)
        print_table(titles, rows)
    session.say_without_engine("start it with: rota serve")


def print_new_job(session: Session, stored: StoredJob, now: datetime) -> None:
    """Say what was made."""
    from rota.control.questions import Questions

    click.echo(f"Added job {safe(stored.name)}.")
    facts = [("runs", stored.job.action.describe()), *_when(stored.job), ("in", stored.job.cwd or session.home)]
    print_facts([*facts, ("home", session.home)])
    client = session.client()
    slots = Questions(client.store, client.clock).coming(stored.name, now, _NEW)
    if slots:
        click.echo("Next:")
        _print_slots([slot.at for slot in slots], now, stored.job)
    elif not stored.job.enabled:
        click.echo("It is disabled, so it is never due.")
    elif not stored.job.schedules:
        click.echo(f"Run it with: rota run {typed(stored.name)}")
    elif stored.job.at_boot:
        click.echo("Next: when the machine has started, and an engine with it.")


def _print_slots(slots: list[datetime], now: datetime, job: Job) -> None:
    """Print slots on the job's wall clock."""
    from rota.control.times import relative, with_zone, zone_named

    zone = zone_named(job.timezone)
    for slot in slots:
        click.echo(f"  {with_zone(slot, zone)}  {styled(relative(slot, now), 'dim')}")


def _facts(line: JobLine, now: datetime) -> list[tuple[str, str]]:
    from rota.control.times import local
    from rota.model.origin import is_applied, shown

    stored = line.stored
    job = stored.job
    facts = [("state", state_words(line, now)), ("runs", job.action.describe()), *_when(job)]
    facts.append(("in", job.cwd or "the home"))
    facts += [("with", "\n".join(f"{name}={value}" for name, value in job.env.items()))] if job.env else []
    facts += (
        [("secrets", "\n".join(f"{name} from {place}" for name, place in job.secrets.items()))] if job.secrets else []
    )
    facts += [("env_file", "\n".join(job.env_files))] if job.env_files else []
    facts += [("as", job.user)] if job.user else []
    facts += [("on", safe(job.runs_on.words()))] if job.runs_on.document() else []
    facts += [("umask", f"{job.umask:03o}")] if job.umask is not None else []
    facts += [("tags", ", ".join(job.tags))] if job.tags else []
    changed = f", changed {stored.revision - 1} times since" if stored.revision > 1 else ""
    made = f"{'from' if is_applied(stored.origin) else 'by'} {shown(stored.origin)}"
    facts.append(("made", f"{made}, {local(stored.created_at)}{changed}"))
    return facts


def state_words(line: JobLine, now: datetime) -> str:
    """Say what a job is doing."""
    from rota.control.times import local, relative

    stored = line.stored
    words = []
    if not stored.job.enabled:
        words.append("disabled")
    if stored.paused_at is not None:
        words.append(f"paused since {local(stored.paused_at)} ({relative(stored.paused_at, now)})")
    if line.broken:
        words.append(f"not planned, because its schedule cannot be read: {line.broken}")
    for count, word in (
        (line.running, "running"),
        (line.queued, "queued"),
        (line.waiting, "waiting to be tried again"),
    ):
        if count:
            words.append(f"{count} {word}")
    return ", ".join(words) or "idle"


def _when(job: Job) -> list[tuple[str, str]]:
    if not job.schedules:
        return [("when", "by hand only")]
    from rota.control.definition import bounds_of
    from rota.control.preview import explain

    lines = [f"{explain(spec, job.timezone)}  ({spec.kind} {spec.text})" for spec in job.schedules]
    facts = [("when", "\n".join(lines))]
    bounds = bounds_of(job.policy)
    return [*facts, ("but", bounds)] if bounds else facts

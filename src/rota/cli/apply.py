"""`rota apply` and `rota diff`: the jobs of files, and what a change of the files means."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from rota.cli.files import JobFiles
from rota.cli.options import files_option, home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import print_json
from rota.cli.text import safe, styled
from rota.errors import Conflict, Outdated

if TYPE_CHECKING:
    from rota.config.reading import Reading
    from rota.control.applying import Difference
    from rota.model.job import Job
    from rota.model.run import Run

_LISTED = 20
_T = TypeVar("_T")


@click.command("apply")
@files_option
@click.option("--prune", is_flag=True, help="Remove the jobs of files that have vanished, too.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--revision", type=int, metavar="N", help="Only if the jobs are still at this revision (see diff).")
@json_option
@home_option
@click.pass_obj
def apply_command(
    session: Session, format_name: str | None, prune: bool, dry_run: bool, revision: int | None, as_json: bool
) -> None:
    """Make the jobs of these files match the files, in one step.

    Jobs made by hand, and jobs of other files, are never touched. What is paused stays paused, what is unchanged keeps
    its phase, and what runs goes on under the definition that it started with.
    """
    if dry_run:
        _show(session, format_name, prune=prune, as_json=as_json)
        return
    files = JobFiles(session, format_name)
    client = session.client(make=True)
    _check_revision(client.applier.revision, revision)
    known = None if prune else client.store.upkeep.fact(files.key)
    count = files.unchanged_since(known, client.applier.revision)
    if count is not None:
        if as_json:
            print_json({"revision": client.applier.revision, "unchanged": count} | {kind: [] for kind in _KINDS})
        else:
            click.echo(f"Nothing to do: {_jobs(count)} unchanged.")
        return
    found, warnings, runs = _write(session, files, files.read_sound(), prune=prune)
    now = client.clock.now()
    if as_json:
        from rota.control.changes import difference_view

        print_json(difference_view(found, runs, now) | {"revision": client.applier.revision, "warnings": warnings})
    else:
        _print(found, runs, now, done=True)
    for warning in warnings:
        click.echo(f"rota: warning: {safe(warning)}", err=True)
    if not as_json:
        session.say_without_engine("nothing starts until: rota serve")


_KINDS = ("added", "changed", "removed", "kept", "conflicts", "pools", "warnings")


def apply_at_start(session: Session, files: JobFiles) -> tuple[Reading, list[str]]:
    """Apply the files of an engine that is about to start; return what is in them, and what the log should say."""
    reading = files.read_sound()
    found, warnings, _ = _write(session, files, reading, prune=False)
    return reading, [_sum(found, done=True), *(f"warning: {warning}" for warning in warnings)]


def _write(
    session: Session, files: JobFiles, reading: Reading, *, prune: bool
) -> tuple[Difference, list[str], dict[str, list[Run]]]:
    """Write what files ask for; return what was done, what to know, and the runs that go on."""
    from rota.config.fingerprint import take, with_revision

    client = session.client(make=True)
    found = client.applier.look(files.wish(reading, prune=prune), os.path.exists)
    _refuse_conflicts(found)
    runs = client.applier.touched(found)
    mark = take(reading, files.contents, os.environ, files.format_name)
    # What is worth a warning is said each time, so such files are read each time.
    facts = {} if files.problems.warnings else {files.key: lambda revision: with_revision(mark, revision)}
    warnings = client.applier.write(found, facts)
    return found, warnings, runs


@click.command("diff")
@files_option
@click.option("--prune", is_flag=True, help="As apply --prune would do it.")
@json_option
@home_option
@click.pass_obj
def diff_command(session: Session, format_name: str | None, prune: bool, as_json: bool) -> None:
    """Show what apply would do: jobs that come, change and go, running runs that are touched, and what fires when."""
    _show(session, format_name, prune=prune, as_json=as_json)


def _show(session: Session, format_name: str | None, *, prune: bool, as_json: bool) -> None:
    from rota.clock import SystemClock
    from rota.control.changes import difference_view

    files = JobFiles(session, format_name)
    wish = files.wish(files.read_sound(), prune=prune)
    now = SystemClock().now()
    runs: dict[str, list[Run]] = {}
    if session.has_home:
        client = session.client()
        found = client.applier.look(wish, os.path.exists)
        runs = client.applier.touched(found)
    else:  # looking makes nothing, not even a home
        from rota.control.applying import difference

        found = difference(0, [], {}, wish, os.path.exists, now)
    if as_json:
        print_json(difference_view(found, runs, now))
    else:
        _print(found, runs, now, done=False)
    _refuse_conflicts(found)


def _check_revision(have: int, wanted: int | None) -> None:
    if wanted is not None and have != wanted:
        raise Outdated(f"the jobs are at revision {have}, not {wanted}: somebody has changed them; look again")


def _refuse_conflicts(found: Difference) -> None:
    if found.conflicts:
        for conflict in found.conflicts:
            click.echo(safe(conflict), err=True)
        raise Conflict("names in the job files belong to somebody else; nothing was changed")


def _print(found: Difference, runs: dict[str, list[Run]], now: datetime, *, done: bool) -> None:
    """Print a difference: a line or a few for each job, then the sum."""
    from rota.control.changes import words_changed

    for wanted in _first(found.added):
        click.echo(styled("+ ", "succeeded") + _name(wanted.job.name) + _when(wanted.job, now))
    for edit in _first(found.changed):
        click.echo(styled("~ ", "paused") + _name(edit.after.name) + (" (paused)" if edit.before.paused_at else ""))
        for key, old, new in words_changed(edit):
            click.echo(f"    {safe(key)}: {safe(old)} → {safe(new)}")
        before, after = _firings(edit.before.job, now), _firings(edit.after, now)
        if before != after:
            click.echo(f"    fires before: {before}\n    fires after:  {after}")
        _print_runs(runs.get(edit.after.name, []), done=done)
    for stored in _first(found.removed):
        click.echo(styled("- ", "failed") + _name(stored.name) + "  its history stays")
        _print_runs(runs.get(stored.name, []), done=done)
    for stored in _first(found.kept):
        gone = stored.origin.removeprefix("file:")
        click.echo(f"  {_name(stored.name)}  stays, although {safe(gone)} has vanished; --prune removes it")
    for pool, size, places in found.pools:
        click.echo(f"  pool {safe(pool)}: {f'new, {places}' if size is None else f'{size} → {places}'}")
    click.echo(_sum(found, done=done))


def _first(jobs: tuple[_T, ...]) -> tuple[_T, ...]:
    if len(jobs) > _LISTED:
        click.echo(f"  ({len(jobs):,} of a kind; the first {_LISTED} are shown, --json has all)")
    return jobs[:_LISTED]


def _name(name: str) -> str:
    return styled(safe(name), "bold")


def _when(job: Job, now: datetime) -> str:
    return f"  {_firings(job, now)}" if job.schedules else "  by hand"


def _firings(job: Job, now: datetime) -> str:
    """Return the next firings of a definition in a line."""
    from rota.control.changes import firings
    from rota.control.times import short

    if not job.enabled:
        return "never (disabled)"
    found = firings(job, now)
    if found:
        return ", ".join(short(slot, now, said_in=job.timezone) for slot in found)
    if any(spec.from_end for spec in job.schedules):
        return f"every {job.schedules[0].text} after the end of a run"
    return "never" if job.schedules else "by hand"


def _print_runs(runs: list[Run], *, done: bool) -> None:
    for run in runs:
        will = "goes" if done else "would go"
        click.echo(f"    run {run.id} is running; it {will} on under the definition that it started with")


def _sum(found: Difference, *, done: bool) -> str:
    counts = [(len(found.added), "added"), (len(found.changed), "changed"), (len(found.removed), "removed")]
    said = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    if not said and not found.pools:
        return f"Nothing to do: {_jobs(found.unchanged)} unchanged."
    said = said or "pools changed"
    rest = f", {found.unchanged:,} unchanged" if found.unchanged else ""
    return f"{'Applied' if done else 'Would apply'}: {said}{rest}." + ("" if done else f" Revision {found.revision}.")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"

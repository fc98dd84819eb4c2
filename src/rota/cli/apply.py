"""`rota apply` and `rota diff`: the jobs of files, and what a change of the files means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sized
from datetime import datetime
from itertools import count as count_from
from typing import TYPE_CHECKING

import click
from click import unstyle

from rota.cli.files import JobFiles
from rota.cli.leash import end_with_engine
from rota.cli.options import files_option, home_option, json_option
from rota.cli.session import Session
from rota.cli.tables import print_json
from rota.cli.text import safe, styled
from rota.errors import Conflict, Outdated
from rota.model.run import State

if TYPE_CHECKING:
    from rota.config.reading import Reading
    from rota.config.served import Served
    from rota.control.applying import Difference, Wish
    from rota.model.job import Job
    from rota.model.run import Run

_LISTED = 20
_TRIES = 5
WARNING = "rota: warning: "


@click.command("apply")
@files_option
@click.option("--prune", is_flag=True, help="Remove the jobs of files that have vanished, too.")
@click.option("--take-over", is_flag=True, help="Make jobs of these names that belong to other files these files' own.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--revision", type=int, metavar="N", help="Only if the jobs are still at this revision (see diff).")
@json_option
@home_option
@click.pass_obj
def apply_command(
    session: Session,
    format_name: str | None,
    prune: bool,
    take_over: bool,
    dry_run: bool,
    revision: int | None,
    as_json: bool,
) -> None:
    """Make the jobs of these files match the files, in one step.

    Jobs made by hand, and jobs of other files, are never touched. What is paused stays paused, what is unchanged keeps
    its phase, and what runs goes on under the definition that it started with.
    """
    end_with_engine()
    if dry_run:
        _show(session, format_name, prune=prune, take_over=take_over, as_json=as_json, revision=revision)
        return
    files = JobFiles(session, format_name)
    count = None if prune or take_over or not session.has_home else _count_unchanged(session, files)
    if count is not None:
        have = session.client().applier.revision
        _check_revision(have, revision)
        if as_json:
            print_json({"revision": have, "unchanged": count} | {kind: [] for kind in _KINDS})
        else:
            click.echo(f"Nothing to do: {_jobs(count)} unchanged.")
        return
    reading = _sound(session, files)  # before a home is made: a mistyped path leaves nothing behind
    client = session.client(make=True)
    wish = files.wish(reading, prune=prune, take_over=take_over)
    found, warnings, runs = _write(session, files, reading, wish, revision)
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


def apply_at_start(session: Session, files: JobFiles) -> tuple[Served, list[str]]:
    """Apply the files of an engine that is about to start; return what it must know, and what its log should say."""
    from rota.config.served import decode_served

    count = _count_unchanged(session, files) if session.has_home else None
    served = None if count is None else session.client().store.upkeep.fact(files.served_key)
    if served is not None and count is not None:
        return decode_served(served), [f"The job files are unchanged: {_jobs(count)}."]
    reading = files.read_sound(warn=False)
    for tries in count_from(1):
        try:
            found, warnings, runs = _write(session, files, reading, files.wish(reading))
            break
        except Outdated:  # somebody was quicker; he may go on being so, but not for ever
            if tries == _TRIES:
                raise
    now = session.client().clock.now()
    # Of a first apply everybody knows what it is: all of it.
    lines = [*_lines(found, runs, now, done=True)] if found.changed or found.removed or found.kept else []
    told = [unstyle(line) for line in lines or [_sum(found, done=True)]]
    heard = [f"{WARNING}{problem}" for problem in files.problems.warnings]
    return reading.served, [*heard, *(f"{WARNING}{warning}" for warning in warnings), *told]


def _sound(session: Session, files: JobFiles) -> Reading:
    """Read everything; if it cannot be applied, leave word of what was read, so that an engine watches that, too.

    What is wrong may be in a file that was not looked at before, and it is mended there.
    """
    from rota.config.served import decode_served, encode_served, with_more

    reading = files.read()
    if files.problems and session.has_home:
        store = session.client().store
        before = store.upkeep.fact(files.served_key)
        if before is not None:
            more = encode_served(with_more(decode_served(before), reading.served))
            with store.transaction():
                store.upkeep.put_fact(files.served_key, more)
    return files.checked(reading)


def _count_unchanged(session: Session, files: JobFiles) -> int | None:
    """Return how many jobs there are, if nothing has changed since these files were applied."""
    client = session.client()
    return files.unchanged_since(client.store.upkeep.fact(files.key), client.applier.revision)


def _write(
    session: Session, files: JobFiles, reading: Reading, wish: Wish, revision: int | None = None
) -> tuple[Difference, list[str], dict[str, list[Run]]]:
    """Write what files ask for; return what was done, what to know, and the runs that it touches."""
    from rota.config.fingerprint import take, with_revision
    from rota.config.modules import is_there
    from rota.config.served import encode_served

    client = session.client(make=True)
    found = client.applier.look(wish, is_there)
    _check_revision(found.revision, revision)
    _refuse_conflicts(found)
    runs = client.applier.touched(found)
    mark = take(reading, files.contents, os.environ, files.format_name)
    facts: dict[str, Callable[[int], str]] = {files.served_key: lambda _: encode_served(reading.served)}
    # What is worth saying each time is looked at each time, and so is what a module declares.
    if not files.problems.warnings and not found.kept and not files.modules:
        facts[files.key] = lambda revision: with_revision(mark, revision)
    warnings = client.applier.write(found, facts)
    return found, warnings, runs


@click.command("diff")
@files_option
@click.option("--prune", is_flag=True, help="As apply --prune would do it.")
@click.option("--take-over", is_flag=True, help="As apply --take-over would do it.")
@json_option
@home_option
@click.pass_obj
def diff_command(session: Session, format_name: str | None, prune: bool, take_over: bool, as_json: bool) -> None:
    """Show what apply would do: jobs that come, change and go, running runs that are touched, and what fires when."""
    _show(session, format_name, prune=prune, take_over=take_over, as_json=as_json)


def _show(
    session: Session,
    format_name: str | None,
    *,
    prune: bool,
    take_over: bool,
    as_json: bool,
    revision: int | None = None,
) -> None:
    from rota.clock import SystemClock
    from rota.config.modules import is_there
    from rota.control.changes import difference_view

    files = JobFiles(session, format_name)
    wish = files.wish(files.read_sound(), prune=prune, take_over=take_over)
    now = SystemClock().now()
    runs: dict[str, list[Run]] = {}
    if session.has_home:
        client = session.client()
        found = client.applier.look(wish, is_there)
        _check_revision(found.revision, revision)
        runs = client.applier.touched(found)
    else:  # looking makes nothing, not even a home
        from rota.control.applying import difference

        found = difference(0, [], {}, wish, is_there, now)
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
    for line in _lines(found, runs, now, done=done):
        click.echo(line)


def _lines(found: Difference, runs: dict[str, list[Run]], now: datetime, *, done: bool) -> Iterator[str]:
    """Yield a difference for people: a line or a few for each job, then the sum."""
    from rota.control.changes import shortened, words_changed

    yield from _cut(found.added)
    for wanted in found.added[:_LISTED]:
        yield styled("+ ", "succeeded") + _name(wanted.job.name) + _when(wanted.job, now)
    yield from _cut(found.changed)
    for edit in found.changed[:_LISTED]:
        yield styled("~ ", "paused") + _name(edit.after.name) + (" (paused)" if edit.before.paused_at else "")
        for key, was, will in words_changed(edit):
            old, new = shortened(was, will)
            yield f"    {safe(key)}: {safe(old)} → {safe(new)}"
        before, after = _firings(edit.before.job, now), _firings(edit.after, now)
        if before != after:
            yield f"    fires before: {before}"
            yield f"    fires after:  {after}"
        yield from _run_lines(runs.get(edit.after.name, []), goes=False, done=done)
    yield from _cut(found.removed)
    for stored in found.removed[:_LISTED]:
        yield styled("- ", "failed") + _name(stored.name) + "  its history stays"
        yield from _run_lines(runs.get(stored.name, []), goes=True, done=done)
    yield from _cut(found.kept)
    for kept in found.kept[:_LISTED]:
        yield f"  {_name(kept.stored.name)}  stays, {safe(kept.why)}"
    for pool, size, places in found.pools:
        yield f"  pool {safe(pool)}: {f'new, {places}' if size is None else f'{size} → {places}'}"
    yield _sum(found, done=done)


def _cut(jobs: Sized) -> Iterator[str]:
    if len(jobs) > _LISTED:
        yield f"  ({len(jobs):,} of a kind; the first {_LISTED} are shown, --json has all)"


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
    found = [short(slot, now, said_in=job.timezone) for slot in firings(job, now)]
    if job.at_boot:
        found.append("when the machine starts")
    if found:
        return ", ".join(found)
    if any(spec.from_end for spec in job.schedules):
        return f"every {job.schedules[0].text} after the end of a run"
    return "never" if job.schedules else "by hand"


def _run_lines(runs: list[Run], *, goes: bool, done: bool) -> Iterator[str]:
    """Say what becomes of runs that have not ended, of a job that changes, or goes."""
    for run in runs[:_LISTED]:
        if run.state is State.RUNNING or not goes:
            will = "goes" if done else "would go"
            yield f"    run {run.id} is {run.state}; it {will} on under the definition that it was made with"
        else:
            will = "was" if done else "would be"
            yield f"    run {run.id} was {run.state}; it {will} cancelled, because its job goes"


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

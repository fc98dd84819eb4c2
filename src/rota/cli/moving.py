"""`rota import` and `rota export`: move in, move out."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from rota.cli.files import JobFiles, show_problems
from rota.cli.options import files_option, home_option
from rota.cli.session import Session, here
from rota.errors import Conflict, UsageError

if TYPE_CHECKING:
    from rota.config.reading import Reading
    from rota.config.writers.crontab import Place
    from rota.model.job import Job

_CRONTAB = "crontab"
_PARTLY = 1
_OWN = "rota"


@click.command("import")
@click.argument("source", metavar="crontab|FILE|DIR")
@click.option("--format", "format_name", metavar="NAME", help="The file's format  [recognised by its shape].")
@click.option("-o", "--output", metavar="FILE", help="Write into this file  [standard output].")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@home_option
@click.pass_obj
def import_command(session: Session, source: str, format_name: str | None, output: str | None, force: bool) -> int:
    """Rewrite the jobs of another program as a rota.yaml.

    `crontab` is your own crontab, as `crontab -l` prints it; anything else is a file or a directory. What cannot be
    carried over stands in comments, and on standard error; then the exit code is 1.

    \b
      rota import crontab -o rota.yaml
      rota import config.yaml > rota.yaml

    To go on with the file as it is, nothing needs to be imported: rota serve -f FILE
    """
    from rota.config.writers.rota_yaml import write_jobs

    directory = here()
    if output is not None and os.path.lexists(output) and not force:
        raise Conflict(f"{output} is there already; --force writes over it")
    if source == _CRONTAB and format_name is None:
        reading, shown = _own_crontab(directory), _CRONTAB
    else:
        session.file_flags = (source,)
        files = JobFiles(session, format_name)
        reading, shown = files.read(), source
    _check_formats(reading, source)
    problems = reading.problems
    show_problems(problems)
    show_problems(problems.warnings, warning=True)
    count = len(reading.jobs)
    if not count:
        what = "what is wrong is above" if problems else "there are no jobs in it"
        raise UsageError(f"nothing could be taken from {shown}: {what}")
    place = None if output is None else os.path.dirname(os.path.join(directory, output))
    left_out = [*problems, *(problem for jobset in reading.jobsets for problem in jobset.left_out)]
    text = write_jobs(reading.jobsets, left_out, origin=shown, directory=place)
    _write(text, output)
    _sum(count, len(left_out), output)
    return _PARTLY if left_out else 0


def _own_crontab(directory: str) -> Reading:
    """Read what `crontab -l` prints."""
    import subprocess

    from rota.config.problems import Problems
    from rota.config.reading import File, read

    if os.path.exists(os.path.join(directory, _CRONTAB)):
        click.echo("rota: this reads your own crontab; for the file here write ./crontab", err=True)
    try:
        found = subprocess.run(["crontab", "-l"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise UsageError("there is no program `crontab` on this machine; name a file instead") from None
    if found.returncode:
        said = found.stderr.decode(errors="replace").strip() or f"exit code {found.returncode}"
        raise UsageError(f"crontab -l: {said}")
    file = File(_CRONTAB, os.path.join(directory, _CRONTAB))
    return read([file], [found.stdout], os.environ, _CRONTAB, Problems())


def _check_formats(reading: Reading, source: str) -> None:
    if any(jobset.format == _OWN and jobset.jobs for jobset in reading.jobsets):
        raise UsageError(f"{source} is in rota's own format already; use it as it is: rota apply -f {source}")


def _write(text: str, output: str | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    # Beside it first: a full disk leaves what was there.
    beside = f"{output}.new"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, output)


def _sum(count: int, left_out: int, output: str | None) -> None:
    jobs = "1 job" if count == 1 else f"{count:,} jobs"
    if left_out:
        faults = "1 problem" if left_out == 1 else f"{left_out:,} problems"
        click.echo(f"rota: {jobs} carried over; {faults} kept something behind, see the comments at the top", err=True)
    if output is not None:
        click.echo(f"Wrote {jobs} into {output}. See what would happen, then let it: rota diff -f {output}")


@click.command("export")
@click.argument("kind", metavar="crontab", type=click.Choice([_CRONTAB]))
@click.argument("names", metavar="[JOB]...", nargs=-1)
@click.option("--system", is_flag=True, help="With a user column, as /etc/crontab has it.")
@files_option
@home_option
@click.pass_obj
def export_command(session: Session, kind: str, names: tuple[str, ...], system: bool, format_name: str | None) -> int:
    """Print jobs as another program reads them: those of this home, or with -f those of files.

    A job that cron cannot express is left out and named, and then the exit code is 1; policies that cron does not have
    are named, too. Paused jobs are left out.

    \b
      rota export crontab | crontab -
    """
    del kind  # there is one so far, and click has checked it
    from rota.cli.text import safe
    from rota.config.writers.crontab import write_crontab

    jobs, paused = (_file_jobs(session, format_name), []) if session.file_flags else _home_jobs(session)
    if names:
        jobs = [_named(jobs, name) for name in names]
    written = write_crontab(jobs, _place(system=system))
    click.echo(written.text, nl=False)
    for name in paused if not names else []:
        click.echo(f"rota: warning: {safe(name)} is paused, and not in the crontab", err=True)
    for told in written.differs:
        click.echo(f"rota: warning: {safe(f'{told.job}: {told.text}')}", err=True)
    for told in written.left_out:
        click.echo(f"rota: not in the crontab: {safe(f'{told.job}: {told.text}')}", err=True)
    return _PARTLY if written.left_out else 0


def _file_jobs(session: Session, format_name: str | None) -> list[Job]:
    return [found.job for _, found in JobFiles(session, format_name).read_sound().jobs]


def _home_jobs(session: Session) -> tuple[list[Job], list[str]]:
    """Return the jobs of the home, and the names of those that are paused."""
    from rota.control.questions import Questions

    client = session.client()
    lines = [line.stored for line in Questions(client.store, client.clock).jobs()]
    jobs = [stored.job for stored in lines if stored.paused_at is None]
    return jobs, [stored.name for stored in lines if stored.paused_at is not None]


def _named(jobs: list[Job], name: str) -> Job:
    from rota.errors import NoSuchJob

    for job in jobs:
        if job.name == name:
            return job
    raise NoSuchJob(name, [job.name for job in jobs])


def _place(*, system: bool) -> Place:
    """Return where the crontab will be used: here, by this user."""
    import getpass

    from rota.clock import SystemClock
    from rota.config.writers.crontab import Place
    from rota.schedule.zones import zone

    now, local = SystemClock().now(), zone()
    return Place(
        home=os.path.expanduser("~"),
        path=os.environ.get("PATH", os.defpath),
        zone=local.key,
        offset=now.astimezone(local).utcoffset() or timedelta(0),
        users=system,
        user=getpass.getuser(),
    )

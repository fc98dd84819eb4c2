"""The same crontab for the real cron and for rota: the same minutes, and the same that was written.

cron runs in namespaces of its own, where its spool, /etc/cron.d and /run are empty and /etc/crontab is nobody's, so
that the machine's own crontabs are neither read nor changed; mounts and processes are gone with the namespace. A minute
passes for it in each second.

Which minute a job was started for is not read from a clock, because a busy machine is late. cron forks for each line of
a minute, one after the other, before it looks at the next minute, and numbers of processes only grow in a young
namespace. So the first and the last line, due each minute, stand around all others of theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from cli.conftest import Home
from crash.harness import require, wait_for
from rota.config.formats.registry import Source, by_name
from rota.config.problems import Problems
from rota.model.job import Job
from rota.plan.timetables import timetable_of

FIRST = datetime(2027, 11, 19, 12, 51, tzinfo=UTC)  # a Friday
MINUTES = 18
STALL = 4
"""Seconds after which cron takes a late minute for a clock that was set, and leaves out what was due."""
TABLE = """\
MAILTO=""
OUT={out}
# first
* * * * *               echo "$PPID $(date +\\%s)" >> "$OUT/first"
# environment
*/5 * * * *             echo "$PPID $SHELL $HOME $(pwd)" >> "$OUT/environment"
# seventh
*/7 * * * *             echo "$PPID seventh" >> "$OUT/seventh"
# ninetieth
*/90 * * * *            echo "$PPID ninetieth" >> "$OUT/ninetieth"
# list
0,3-9/3,52-55,58 * * * * echo "$PPID list" >> "$OUT/list"
# one
4-4/2 * * * *           echo "$PPID one" >> "$OUT/one"
# names
*/2 12-13 * NOV-dec Fri echo "$PPID names" >> "$OUT/names"
# saturday
* * * * sat             echo "$PPID saturday" >> "$OUT/saturday"
# either
*/6 * 1 * fri           echo "$PPID either" >> "$OUT/either"
# both
*/6 * */3 * fri         echo "$PPID both" >> "$OUT/both"
# hour
1-5 13 19 11 0-5        echo "$PPID hour" >> "$OUT/hour"
# reversed
* 22-2 * * *            echo "$PPID reversed" >> "$OUT/reversed"
# partly
* 22-2,13 * * 6-1,5     echo "$PPID partly" >> "$OUT/partly"
# macro
@hourly                 echo "$PPID macro" >> "$OUT/macro"
# input
*/8 * * * *             echo "$PPID $(tr '\\n' '/')" >> "$OUT/input"%Dear all,%100\\% sure%
# backslashes
*/8 * * * *             echo "$PPID $(printf '\\%s|' 'a\\b' 'c\\\\d' 'e\\\\\\%f')" >> "$OUT/backslashes"
# empty
*/8 * * * *             echo "$PPID [$(cat)]" >> "$OUT/empty"%
LEVEL = "  a  b"
OTHER=  it's 5  #5
'SPACED NAME'=x
# quoted
*/9 * * * *             echo "$PPID [$LEVEL] [$OTHER]" >> "$OUT/quoted"
HOME=/usr
# home
*/9 * * * *             echo "$PPID $HOME $(pwd) $(cd && pwd)" >> "$OUT/home"
SHELL=/bin/bash
# bash
*/9 * * * *     [[ $SHELL == *bash ]] && echo "$PPID ${{BASH_VERSION:+yes}} $(tr '\\n' '/')" >> "$OUT/bash"%two%lines
# last
* * * * *               echo "$PPID" >> "$OUT/last"
"""
INSIDE = """\
set -e
mount -t tmpfs -o mode=1730,gid=crontab none /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /run
mount --bind /dev/null /etc/crontab
install -m 600 -g crontab "$1" /var/spool/cron/crontabs/root
exec env TZ=UTC LD_PRELOAD="$2" FAKETIME="@$3 x60" cron -f
"""
Ran = dict[str, list[tuple[int, str]]]


def faketime() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0]) if found else ""


@pytest.fixture
def machine() -> None:
    require("root", there=os.geteuid() == 0)
    for program in ("cron", "unshare", "mount"):
        require(program, there=shutil.which(program) is not None)
    require("libfaketime", there=bool(faketime()))
    spaces = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    require("namespaces", there=subprocess.run([*spaces, "true"], capture_output=True).returncode == 0)


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    found = Home(tmp_path)
    found.path.mkdir(mode=0o700)
    # cron takes the home from the account, and rota from HOME.
    found.env |= {"HOME": os.path.expanduser("~root"), "SHELL": "/bin/bash"}
    yield found
    found.stop()


def table(folder: Path, name: str) -> Path:
    """Write the crontab, whose jobs write below a directory of this name."""
    out = folder / f"{name}-out"
    out.mkdir()
    path = folder / f"{name}.crontab"
    path.write_text(TABLE.format(out=out))
    return path


def records(out: Path) -> Ran:
    """Return what each job wrote: the process that started it, and the data."""
    found: Ran = {}
    for path in out.iterdir():
        words = (line.partition(" ") for line in path.read_text().splitlines())
        found[path.name] = [(int(pid), rest) for pid, _, rest in words]
    return found


def run_cron(path: Path, out: Path) -> Ran:
    """Let the real cron run a crontab for some of its minutes."""
    start = f"{FIRST - timedelta(seconds=30):%Y-%m-%d %H:%M:%S}"
    spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*spaces, "sh", "-c", INSIDE, "sh", str(path), faketime(), start]
    cron = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    ticks = [out / name for name in ("first", "last")]
    try:
        wait_for(
            lambda: cron.poll() is not None or all(len(_lines(each)) > MINUTES for each in ticks),
            f"{MINUTES} minutes of cron",
            seconds=3 * MINUTES,
            pause=0.1,
        )
        time.sleep(0.5)  # what was started last may still write
    finally:
        cron.kill()
        said, _ = cron.communicate()
    assert -9 == cron.returncode, said.decode()
    return records(out)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def minutes(ran: Ran) -> dict[str, list[int]]:
    """Return for each job the minutes in which it ran, counted from the first; only those that are complete."""
    began = sorted((pid, name) for name, each in ran.items() for pid, _ in each)
    found, ticks = defaultdict(list), 0
    for _, name in began:
        ticks += name in ("first", "last")
        found[name].append((ticks + 1) // 2 - 1)
    return {name: [minute for minute in each if minute < MINUTES] for name, each in found.items()}


def stalled(ran: Ran) -> bool:
    """Tell whether the machine stood still for so long that cron passed over minutes."""
    times = [int(each) for _, each in sorted(ran["first"])]
    return any(after - before >= STALL for before, after in pairwise(times))


def cron_ran(folder: Path) -> Ran:
    for attempt in range(3):
        ran = run_cron(table(folder, f"cron{attempt}"), folder / f"cron{attempt}-out")
        if not stalled(ran):
            return ran
    pytest.skip("the machine stood still for seconds, three times")


def jobs_of(path: Path) -> dict[str, Job]:
    """Return rota's jobs of a crontab by the comments above them."""
    source, problems = Source(str(path), path.read_text(), None, str(path.parent), {}), Problems()
    found = [each.job for each in by_name("crontab").read(source, problems).jobs]
    assert [] == list(problems)
    return {job.description: job for job in found}


def slots(job: Job) -> list[int]:
    """Return the minutes in which rota would run a job."""
    table, at, found = timetable_of(job), FIRST - timedelta(seconds=1), []
    while (at := table.next_after(at)) is not None and at < FIRST + timedelta(minutes=MINUTES):
        found.append(int((at - FIRST) / timedelta(minutes=1)))
    return found


def data(ran: Ran) -> dict[str, set[str]]:
    """Return what each job wrote, whenever it ran; the first one writes the time."""
    return {name: {each for _, each in records} for name, records in ran.items() if name != "first"}


def test_the_same_lines_run_in_the_same_minutes_and_write_the_same(machine, home, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", home.env["HOME"])
    monkeypatch.setenv("TZ", "UTC")
    ran = cron_ran(tmp_path)
    path = table(tmp_path, "rota")
    jobs = jobs_of(path)
    assert TABLE.count("\n# ") == len(jobs)
    due = {line: slots(job) for line, job in jobs.items()}
    assert {line: each for line, each in due.items() if each} == minutes(ran)

    home.ok("apply", "-f", str(path))
    home.serve()
    for line in ran:
        home.ok("run", jobs[line].name, "--wait")
    assert data(ran) == data(records(tmp_path / "rota-out"))

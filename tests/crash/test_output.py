"""What jobs write: capped, kept as it is, and never a danger to the disk or the engine's memory."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from rota.model.policy import Output, OutputMode, Policy
from rota.model.run import State

from .harness import LONG, Home, alive, require, wait_for

MIB = 1 << 20
CAPS = Output()


def free_bytes(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


@pytest.mark.parametrize("stream", ["stdout", "stderr"] if LONG else ["stdout"])
def test_a_job_that_writes_gigabytes_keeps_its_beginning_and_its_end_and_endangers_neither_disk_nor_memory(
    home: Home, stream: str
):
    size = 5000 << 20
    require("8 GB of room for what a job writes before it is looked at", there=free_bytes(home.path) > 8 << 30)
    engine = home.start_engine()
    to = ">&2" if stream == "stderr" else ""
    # In pieces: the fastest disk takes most of it before anybody has looked for the first time, after a second.
    write = "for _ in $(seq 50); do dd if=/dev/zero bs=1M count=100 2> /dev/null; sleep 0.1; done"
    line = f"(echo first; {write}; echo last) {to}"
    before = engine.resident
    run = home.trigger("loud", command=line)
    most = memory = 0

    def ended() -> bool:
        nonlocal most, memory
        most, memory = max(most, home.spool_blocks()), max(memory, engine.resident)
        return home.run(run).state is State.SUCCEEDED

    wait_for(ended, "it has written all", 120)

    part = home.output_part(run, stream)
    assert part.size == size + len("first\nlast\n")
    assert (part.head[:6], part.tail[-5:]) == (b"first\n", b"last\n")
    assert (len(part.head), len(part.tail)) == (CAPS.head, CAPS.tail)
    assert most < size // 2
    assert memory - before < 16 * MIB
    wait_for(lambda: home.spool_blocks() < 8 * MIB, "its blocks are given back")


@pytest.mark.parametrize("mode", list(OutputMode))
def test_bytes_that_are_no_text_and_a_line_that_never_ends_are_kept_as_they_are(home: Home, mode: OutputMode):
    home.start_engine()
    policy = Policy(output=Output(mode=mode))
    line = "printf '\\000\\377\\033[31m'; head -c 500000 /dev/zero | tr '\\000' x"
    run = home.wait_for_end(home.trigger("binary", command=line, policy=policy)).id
    assert home.output(run) == b"\x00\xff\x1b[31m" + b"x" * 500_000


def test_a_daemon_that_writes_on_after_its_run_has_ended_is_kept_within_bounds(home: Home):
    home.start_engine()
    run = home.trigger("leaves a daemon", command="setsid sh -c 'yes | head -c 500000000; sleep 30' & exit 0")
    assert home.wait_for_end(run, 5).state is State.SUCCEEDED
    wait_for(
        lambda: max(each.stat().st_size for each in (home.path / "spool").iterdir()) >= 500_000_000, "it wrote", 60
    )
    wait_for(lambda: home.spool_blocks() < 8 * MIB, "its blocks are given back")


def test_a_daemon_left_by_a_killed_engine_is_kept_within_bounds_by_the_next(home: Home):
    first = home.start_engine()
    run = home.trigger("leaves a daemon", command="setsid sh -c 'sleep 1; yes | head -c 200000000; sleep 30' & exit 0")
    home.wait_for_end(run)
    first.kill()
    home.start_engine()
    wait_for(
        lambda: max(each.stat().st_size for each in (home.path / "spool").iterdir()) >= 200_000_000, "it wrote", 60
    )
    wait_for(lambda: home.spool_blocks() < 8 * MIB, "its blocks are given back")


def test_an_adopted_run_keeps_what_it_wrote_before_and_after(home: Home):
    first = home.start_engine()
    run = home.trigger("lines", command="for n in 1 2 3 4; do echo $n; echo $n > begun; sleep 0.25; done")
    home.wait_for_mark("begun")
    first.kill()
    home.start_engine()
    home.wait_for_end(run)
    assert home.output(run) == b"1\n2\n3\n4\n"


def test_a_job_that_empties_its_own_output_is_told_so(home: Home):
    home.start_engine()
    run = home.trigger("rewinds", command="echo before; sleep 1.3; echo after > /dev/stdout")
    found = home.wait_for_end(run)
    assert home.output(run) == b"after\n"
    assert "output: pipe" in found.reason


PIPE = Policy(output=Output(mode=OutputMode.PIPE))


def test_through_a_pipe_both_streams_arrive_and_the_exit_code_is_kept(home: Home):
    home.start_engine()
    run = home.trigger("piped", command="echo out; echo err >&2; echo again > /dev/stdout; exit 9", policy=PIPE)
    assert home.wait_for_end(run).exit_code == 9
    assert (home.output(run), home.output(run, "stderr")) == (b"out\nagain\n", b"err\n")


def test_through_a_pipe_a_killed_engine_costs_no_line(home: Home):
    first = home.start_engine()
    line = "for n in 1 2 3; do echo $n; echo $n > begun; sleep 0.25; done; kill -9 $$"
    run = home.trigger("piped", command=line, policy=PIPE)
    home.wait_for_mark("begun")
    first.kill()
    home.start_engine()
    assert (home.wait_for_end(run).exit_code, home.output(run)) == (137, b"1\n2\n3\n")


def test_through_a_pipe_a_daemon_that_writes_on_is_not_killed_by_that(home: Home):
    home.start_engine()
    line = (
        "setsid sh -c 'echo $$ > pid; sleep 1; echo late; echo late; echo wrote > wrote; sleep 30' & echo now; exit 3"
    )
    run = home.trigger("piped", command=line, policy=PIPE)
    pid = int(home.wait_for_mark("pid"))
    found = home.wait_for_end(run)
    assert (found.exit_code, home.output(run)) == (3, b"now\n")
    assert found.duration < 0.9
    assert home.wait_for_mark("wrote") == "wrote"
    assert alive(pid)


def test_through_a_pipe_a_timeout_ends_reader_and_job(home: Home):
    home.start_engine()
    policy = Policy(output=PIPE.output, timeout=timedelta(seconds=1), kill_after=timedelta(seconds=1))
    run = home.trigger("piped", command="echo begun; trap 'echo asked' TERM; while :; do sleep 9; done", policy=policy)
    assert home.wait_for_end(run).state is State.TIMED_OUT
    assert home.output(run) == b"begun\nasked\n"
    assert home.pids(run) == []

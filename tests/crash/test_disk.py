"""A disk that is full: nothing is started without a record, somebody is told, and all goes on when there is room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from rota.errors import StoreFull
from rota.model.policy import Output, OutputMode, Policy
from rota.model.run import State

from .disks import SmallDisk, small_disk
from .harness import Home, alive, every, require, wait_for
from .ledger import slot_faults

SECOND = timedelta(seconds=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with ExitStack() as stack:
        made = stack.enter_context(small_disk(tmp_path / "home", "4m"))
        require("to be allowed to mount a small tmpfs: root and mount(8)", there=made is not None)
        assert made is not None
        yield made


@pytest.fixture
def home(disk: SmallDisk, tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    try:
        yield made
    finally:
        made.close()


def test_with_a_full_disk_nothing_starts_unrecorded_and_everything_goes_on_by_itself(home: Home, disk: SmallDisk):
    home.add("tick", "echo $ROTA_RUN_ID/$ROTA_ATTEMPT >> marks", every("1s"))
    engine = home.start_engine()
    ends = home.trigger("ends meanwhile", command="echo begun > begun; sleep 1; exit 7")
    timed = home.trigger("timed", command="echo $$ > pid; sleep 60", policy=Policy(timeout=1.3 * SECOND))
    pid = int(home.wait_for_mark("pid"))
    home.wait_for_mark("begun")
    wait_for(home.marks, "it ticks")
    disk.fill()

    wait_for(
        lambda: "make room on the disk. It is tried again; until then nothing new is started" in engine.errors,
        "an alarm is given",
    )
    wait_for(lambda: not alive(pid), "the deadline holds all the same", 4)
    with pytest.raises(StoreFull, match="make room on the disk"):
        home.verbs.trigger("ends meanwhile", {"MUCH": "x" * 60_000})
    before = home.marks()
    known = {f"{run.id}/{run.attempt}" for run in home.runs("tick")}
    assert set(before) <= known

    disk.make_room()
    wait_for(lambda: len(home.marks()) >= len(before) + 2, "it ticks again")
    assert home.wait_for_end(ends).exit_code == 7
    assert home.wait_for_end(timed).state is State.TIMED_OUT
    assert len(set(home.marks())) == len(home.marks())
    home.verbs.pause("tick")
    assert slot_faults(home.store, "tick") == []
    assert "the store can be written again" in engine.errors


def test_an_engine_that_starts_with_a_full_disk_looks_after_what_runs(home: Home, disk: SmallDisk):
    first = home.start_engine()
    timed = home.trigger("timed", command="echo $$ > pid; sleep 60", policy=Policy(timeout=1.3 * SECOND))
    ends = home.trigger("ends", command="echo begun > begun; sleep 1.5; exit 7")
    pid = int(home.wait_for_mark("pid"))
    home.wait_for_mark("begun")
    first.kill()
    disk.fill()
    engine = home.start_engine()

    wait_for(lambda: not alive(pid), "the deadline holds", 4)
    assert engine.process.poll() is None
    disk.make_room()
    assert home.wait_for_end(timed).state is State.TIMED_OUT
    assert home.wait_for_end(ends).exit_code == 7
    assert home.wait_for_end(home.trigger("next", command="exit 5")).exit_code == 5


@pytest.mark.parametrize("mode", list(OutputMode))
def test_a_job_that_fills_the_disk_is_cut_and_all_goes_on(home: Home, disk: SmallDisk, mode: OutputMode):
    home.start_engine()
    caps = Output(head=64 * 1024, tail=64 * 1024, mode=mode)
    # Less than what may be written before a log is cut, but more than the disk has room for.
    line = "yes | head -c 900000; yes | head -c 900000 >&2; yes | head -c 900000; yes | head -c 900000 >&2; exit 4"
    run = home.trigger("loud", command=line, policy=Policy(output=caps))

    assert home.wait_for_end(run).exit_code == 4
    assert home.output_part(run).head == b"y\n" * (32 * 1024)
    assert home.wait_for_end(home.trigger("next", command="exit 5")).exit_code == 5


def test_an_end_is_written_into_the_journal_even_when_the_disk_is_full(home: Home, disk: SmallDisk):
    first = home.start_engine()
    run = home.trigger("ends", command="echo begun > begun; sleep 1; exit 7")
    home.wait_for_mark("begun")
    first.kill()
    disk.fill()
    wait_for(lambda: not home.pids(run), "it has ended, with a full disk and no engine")
    disk.make_room()
    home.start_engine()

    assert home.wait_for_end(run).exit_code == 7

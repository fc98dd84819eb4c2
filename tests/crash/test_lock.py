"""A store that another program has locked: the engine waits, says so, and loses nothing; deadlines do not wait."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from rota.model.policy import Policy
from rota.model.run import State

from .harness import LONG, Home, alive, every, wait_for
from .ledger import slot_faults

SECOND = timedelta(seconds=1)
HOLD = 30.0 if LONG else 5.0


@contextmanager
def locked(home: Home) -> Iterator[float]:
    """Hold the write lock, as another program would that forgot its transaction; gives the time of taking it."""
    other = sqlite3.connect(home.path / "rota.db", isolation_level=None, timeout=10)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield time.monotonic()
        other.execute("ROLLBACK")
    finally:
        other.close()


def test_while_the_store_is_locked_deadlines_hold_and_afterwards_nothing_is_missing(home: Home):
    home.add("tick", "echo $ROTA_RUN_ID/$ROTA_ATTEMPT >> marks", every("1s"))
    engine = home.start_engine()
    ends = home.trigger("ends meanwhile", command="echo begun > begun; sleep 1; exit 7")
    timed = home.trigger("timed", command="echo $$ > pid; trap : TERM; while :; do sleep 9; done",
                         policy=Policy(timeout=1.5 * SECOND, kill_after=SECOND))  # fmt: skip
    pid = int(home.wait_for_mark("pid"))
    home.wait_for_mark("begun")
    started = home.run(timed).started_at
    with locked(home) as since:
        wait_for(lambda: not alive(pid), "it is killed on time", 5)
        assert home.client.clock.now() - started < 3 * SECOND
        assert "is locked by another program. It is tried again; until then nothing new is started" in engine.errors
        before = home.marks()
        time.sleep(max(0.0, since + HOLD - time.monotonic()))
        assert home.marks() == before
        assert home.run(ends).state is State.RUNNING

    assert home.wait_for_end(ends).exit_code == 7
    assert home.wait_for_end(timed).state is State.TIMED_OUT
    wait_for(lambda: len(home.marks()) >= len(before) + 2, "it ticks again")
    home.verbs.pause("tick")
    assert slot_faults(home.store, "tick") == []
    assert len(set(home.marks())) == len(home.marks())
    assert "the store can be written again" in engine.errors
    assert engine.errors.count("locked by another program") <= 1 + HOLD // 30  # said, but not ten times a second


def test_an_engine_that_starts_while_the_store_is_locked_waits_and_looks_after_what_runs(home: Home):
    first = home.start_engine()
    timed = home.trigger("timed", command="echo $$ > pid; sleep 60", policy=Policy(timeout=1.2 * SECOND))
    pid = int(home.wait_for_mark("pid"))
    first.kill()
    later = home.trigger("later", command="echo $ROTA_RUN_ID/$ROTA_ATTEMPT >> marks; exit 7")
    home.start_and_crash("after-claim-commit")
    with locked(home):
        engine = home.start_engine()
        wait_for(lambda: not alive(pid), "the deadline holds", 4)
        assert engine.process.poll() is None
        assert home.marks() == []

    assert home.wait_for_end(timed).state is State.TIMED_OUT
    assert home.wait_for_end(later).exit_code == 7
    assert home.marks() == [f"{later}/1"]


def test_an_engine_that_is_killed_while_the_store_is_locked_loses_nothing(home: Home):
    first = home.start_engine()
    run = home.trigger("ends meanwhile", command="echo begun > begun; sleep 0.5; echo bye; exit 7")
    home.wait_for_mark("begun")
    with locked(home):
        wait_for(lambda: not home.pids(run), "it has ended")
        wait_for(lambda: "locked by another" in first.errors, "the engine could not write that down")
        first.kill()
    home.start_engine()

    assert (home.wait_for_end(run).exit_code, home.output(run)) == (7, b"bye\n")


@pytest.mark.parametrize("number", [15, 2])
def test_an_engine_stops_in_order_while_the_store_is_locked(home: Home, number: int):
    engine = home.start_engine(stop_grace=timedelta(0))
    run = home.trigger("long", command="echo begun > begun; sleep 0.6; exit 7")
    home.wait_for_mark("begun")
    with locked(home):
        engine.process.send_signal(number)
        assert engine.wait(5) == 0
    home.start_engine()
    assert home.wait_for_end(run).exit_code == 7

"""One machine with PostgreSQL is the same product: killed engines, adopted runs; and a database that goes away."""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL

import pytest

from rota.model.run import State
from servers.postgres import drop_schema, fresh_url, own_server

from . import test_kill
from .harness import Home, wait_for

SAME = [
    test_kill.test_a_run_outlives_its_killed_engine_and_keeps_its_exit_code_and_every_line,
    test_kill.test_a_run_that_ended_while_no_engine_ran_keeps_its_exit_code_and_the_time_of_its_end,
    test_kill.test_an_engine_killed_in_the_middle_of_planning_plans_each_slot_once,
    test_kill.test_a_cancel_asked_while_no_engine_runs_takes_effect_at_the_next_start,
    test_kill.test_retries_and_their_pauses_survive_the_kill,
]
POINTS = ["before-claim-commit", "after-claim-commit", "after-settle-commit"]


@pytest.fixture
def home(tmp_path, postgres_url, monkeypatch) -> Iterator[Home]:
    monkeypatch.setenv("ROTA_STORE", postgres_url)
    made = Home(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("fact", SAME, ids=lambda fact: fact.__name__.removeprefix("test_"))
def test_what_holds_on_sqlite_holds_on_postgresql(home: Home, fact):
    fact(home)


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_two_steps_every_run_is_started_once(home: Home, point: str):
    test_kill.test_killed_between_any_two_steps_every_run_is_started_once(home, point, 1)


def test_a_home_remembers_its_store_and_who_it_is(home: Home, monkeypatch):
    run = home.trigger("backup", command="exit 3")
    home.start_engine().kill(SIGKILL)
    identity = home.client.home_id
    monkeypatch.delenv("ROTA_STORE")

    home.start_engine()

    assert 3 == home.wait_for_end(run).exit_code
    assert identity == home.client.home_id == home.run(run).host
    assert not (home.path / "rota.db").exists()


def test_a_database_that_goes_away_ends_no_run_and_loses_none(tmp_path, monkeypatch):
    with own_server() as server:
        url = fresh_url(server.url)
        monkeypatch.setenv("ROTA_STORE", url)
        home = Home(tmp_path)
        try:
            engine = home.start_engine()
            run = home.trigger("backup", command="echo begun > begun; sleep 1; echo done; exit 4")
            home.wait_for_mark("begun")
            server.stop()
            wait_for(lambda: not home.pids(run), "it has ended by itself")
            wait_for(lambda: "cannot be reached" in engine.errors, "the engine says that the store is away")

            server.start()

            found = home.wait_for_end(run)
            assert (State.FAILED, 4, b"done\n") == (found.state, found.exit_code, home.output(run))
            assert 1 == home.attempts(run)
            assert engine.process.poll() is None
        finally:
            home.close()
            drop_schema(url)

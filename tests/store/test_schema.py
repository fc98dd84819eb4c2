"""Two versions on one store: what an older one goes on with, what it is refused, and what it never notices."""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest

import rota.store
from rota.control.health import _versions
from rota.errors import StoreBusy, StoreInUse, StoreTooNew
from rota.model.host import NewHost
from rota.model.ledger import Skip, SkipCode
from rota.model.run import OutputPart, State
from rota.model.settlement import RunFilter
from rota.process.lock import EngineLock
from rota.store.schema import Migration, Schema, migration
from rota.store.sqlite import SqliteDatabase
from rota.store.statements import load_migrations, load_statements
from rota.wiring.copying import StorePlace, copy_between
from rota.wiring.stores import open_at

from .worlds import HOST, MINUTE, NOW, World, open_postgres

DIALECTS = "sqlite", "postgres"
KNOWN = len(load_migrations("sqlite"))
NEXT = KNOWN + 1
LONG = timedelta(seconds=30)
MIGRATIONS = Path(rota.store.__file__).parent / "migrations"
GROWN = ("job", "definition", "run", "attempt", "output", "skip", "event", "host", "lane", "pool", "meta", "total")
GROWN += ("hour_total", '"user"', "credential", "audit", "nonce", "fleet")
GROWS = f"-- works with: {KNOWN}\n" + "\n".join(
    [f"ALTER TABLE {table} ADD COLUMN next_{n} TEXT NOT NULL DEFAULT 'more';" for n, table in enumerate(GROWN)]
    + ["CREATE TABLE novelty (id INTEGER PRIMARY KEY);", "CREATE INDEX run_novelty ON run (next_2, state);"]
)
"""What a version may do that the one before goes on beside."""
BREAKS = "-- works with: {NEXT}\n-- The reason has another name.\nALTER TABLE run RENAME COLUMN reason TO why;".replace(
    "{NEXT}", str(NEXT)
)


@pytest.fixture
def newer(monkeypatch):
    """What makes everything opened within it a newer version, with one more change of the schema."""

    def made(script: str, opening):
        with monkeypatch.context() as patch:
            for dialect in DIALECTS:
                scripts = (*load_migrations(dialect), migration(NEXT, script))
                patch.setattr(f"rota.store.{dialect}.load_migrations", lambda _dialect, scripts=scripts: scripts)
            return opening()

    return made


@pytest.fixture(params=DIALECTS)
def opened(request, tmp_path):
    """What opens the same store, again and again."""
    worlds = []

    def more(served_by=()) -> World:
        if request.param == "postgres":
            worlds.append(open_postgres(request.getfixturevalue("postgres_url") + "&prepare=1"))
        else:
            path = str(tmp_path / "rota.db")
            worlds.append(World(SqliteDatabase(path, patience=5.0, checkpoints=True, served_by=lambda: served_by)))
        return worlds[-1]

    yield more
    for world in worlds:
        world.close()


def new_host(host: str = HOST) -> NewHost:
    return NewHost(host, host, True, {}, 4, "1.0")


def life(world: World, name: str) -> None:
    """Do a little of everything that a store is for."""
    stored = world.make(name, overlap="allow")
    world.hosts.register(new_host())
    run = world.claim_one(stored)
    world.runs.add_output(run.run_id, 1, [OutputPart("stdout", b"x", b"", 1)])
    world.rest(run)
    world.runs.wake_all(NOW)
    (again,) = world.claim(1)
    assert {(again.run_id, 2)} == world.hosts.beat(HOST, LONG).own
    assert world.end(again)
    assert [State.FAILED] == [attempt.state for attempt in world.runs.attempts(run.run_id)]
    assert State.SUCCEEDED is world.state(run.run_id)
    assert run.run_id in [found.id for found in world.runs.page(RunFilter(stored.id), None, 10)]
    assert stored in world.jobs.page("", 10)
    assert "run.succeeded" in world.kinds()
    skip = Skip(NOW, NOW, 1, SkipCode.OVERLAP, "another runs")
    with world.transaction():
        world.ledger.add_skips(stored.id, [skip], NOW)
        world.upkeep.put_fact(name, name)
    assert [skip] == [record.skip for record in world.ledger.take_back_after(stored.id, NOW - MINUTE)]


def test_an_older_program_goes_on_beside_a_change_that_says_so_and_may_start_again(opened, newer):
    old = opened()
    for name in ("a", "b", "c"):
        life(old, name)
    new = newer(GROWS, opened)
    assert Schema(NEXT, KNOWN) == new.database.schema() == old.database.schema()
    assert "a" == old.jobs.by_id(1).name, "statements that were prepared before the change are prepared anew"
    for world, name in ((new, "d"), (old, "e"), (opened(), "f")):
        life(world, name)
        world.refuse_newer()
    assert [] == old.upkeep.faults()


def test_prepared_statements_that_a_change_made_stale_heal_by_themselves(postgres_url, newer):
    old = open_postgres(postgres_url + "&prepare=1")
    stored = old.make()
    for _ in range(3):
        assert stored == old.jobs.get("backup")
    new = newer(GROWS, lambda: open_postgres(postgres_url))
    with pytest.raises(StoreBusy, match="was changed by a newer rota just now"), old.transaction():
        old.jobs.get("backup")
    with old.transaction():
        assert stored == old.jobs.get("backup")
    for _ in range(3):
        assert stored == old.jobs.get("backup")
    new.database._connection.execute("ALTER TABLE job ADD COLUMN later_still INTEGER")
    assert stored == old.jobs.get("backup"), "outside of a transaction nobody notices"
    old.close()
    new.close()


def test_a_change_that_older_programs_cannot_work_beside_is_refused_to_them_from_then_on(opened, newer):
    old = opened()
    old.make()
    new = newer(BREAKS, opened)
    assert Schema(NEXT, NEXT) == new.database.schema()
    refusal = rf"was written by a newer rota \(schema {NEXT}; this one knows up to {KNOWN}\); upgrade rota here"
    with pytest.raises(StoreTooNew, match=refusal):
        opened()
    with pytest.raises(StoreTooNew, match=refusal):
        old.refuse_newer()


def test_a_statement_that_a_change_broke_says_that_the_store_is_too_new(postgres_url, newer):
    old = open_postgres(postgres_url)
    stored = old.make()
    run = old.claim_one(stored)
    new = newer(BREAKS, lambda: open_postgres(postgres_url))
    with pytest.raises(StoreTooNew, match="upgrade rota here"):
        old.end(run)
    new.database._connection.execute("ALTER TABLE run RENAME COLUMN id TO number")
    with pytest.raises(StoreTooNew, match="upgrade rota here"):
        old.runs.find(run.run_id)
    old.close()
    new.close()


def test_a_change_without_a_word_about_older_programs_works_with_none(opened, newer):
    opened()
    newer("CREATE TABLE novelty (id INTEGER);", opened)
    with pytest.raises(StoreTooNew):
        opened()


def test_a_change_that_would_break_hosts_is_refused_while_they_live_and_names_them(postgres_url, newer):
    old = open_postgres(postgres_url)
    old.hosts.register(new_host("one"))
    old.hosts.register(new_host("two"))
    old.upkeep.put_fact("serving:two", "no")
    old.hosts.register(new_host("three"))
    old.database._connection.execute("UPDATE host SET seen_at = seen_at - 61000000 WHERE name = 'three'")
    refusal = rf"At work on it: one \(rota 1\.0, schema {KNOWN}\)\. Stop those engines first"
    opening = partial(open_postgres, postgres_url)
    with pytest.raises(StoreInUse, match=refusal):
        newer(BREAKS, opening)
    life(old, "unharmed")
    old.upkeep.put_fact("serving:one", "no")
    old.upkeep.put_fact(f"serving:{HOST}", "no")
    newer(BREAKS, opening).close()
    old.close()


def test_a_change_that_would_break_the_engine_of_a_home_is_refused_while_it_runs(tmp_path, newer):
    opening = partial(SqliteDatabase, str(tmp_path / "rota.db"), patience=1.0, checkpoints=False)
    opening().close()
    with pytest.raises(StoreInUse, match=r"At work on it: an engine\. Stop those engines"):
        newer(BREAKS, partial(opening, served_by=lambda: ["an engine"]))
    newer(GROWS, partial(opening, served_by=lambda: ["an engine"])).close()


def test_the_engine_of_a_home_is_known_by_its_lock(tmp_path, newer):
    home = str(tmp_path)
    opening = partial(open_at, home, engine=False)
    opening().close()
    lock = EngineLock(home)
    lock.take()
    with pytest.raises(StoreInUse, match=rf"At work on it: the engine of {home} \(pid {os.getpid()}\)"):
        newer(BREAKS, opening)
    newer(BREAKS, partial(open_at, home, engine=True)).close()
    lock.release()
    with pytest.raises(StoreTooNew):
        opening()


def test_a_file_of_which_nothing_is_written_works_with_its_own_programs(tmp_path):
    world = World(SqliteDatabase(str(tmp_path / "rota.db"), patience=1.0, checkpoints=True))
    world.close()
    connection = sqlite3.connect(tmp_path / "rota.db")
    connection.execute(f"PRAGMA user_version = {NEXT}")
    connection.close()
    with pytest.raises(StoreTooNew):
        SqliteDatabase(str(tmp_path / "rota.db"), patience=1.0, checkpoints=True)


def test_a_store_that_has_more_in_it_than_a_program_knows_is_not_copied_by_it(postgres_url, tmp_path, newer):
    newer(GROWS, lambda: open_postgres(postgres_url)).close()
    source, target = StorePlace(postgres_url), StorePlace(str(tmp_path / "copy.db"))
    with pytest.raises(StoreTooNew, match="it would leave out what it does not know; copy with the newer one"):
        copy_between(source, target, lambda _done, _whole: None)


# -- while others are at work -----------------------------------------------------------------------------------------


def test_a_change_waits_for_what_others_hold_without_keeping_them_from_their_work(postgres_url, newer):
    old, slow = open_postgres(postgres_url), open_postgres(postgres_url)
    stored = old.make(overlap="allow")
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with slow.transaction():
            slow.runs.page(RunFilter(stored.id), None, 1)
            begun.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(60)
    made: list[World] = []
    changer = threading.Thread(target=lambda: made.append(newer(GROWS, lambda: open_postgres(postgres_url))))
    changer.start()
    for _ in range(20):
        assert old.end(old.claim_one(stored))
    assert [] == made, "somebody has a look at the runs still"
    done.set()
    changer.join(60)
    holder.join(60)
    assert NEXT == made[0].database.schema().number
    for world in (old, slow, *made):
        world.close()


def test_a_change_that_others_never_let_through_says_so_and_changes_nothing(postgres_url, newer, monkeypatch):
    monkeypatch.setattr("rota.store.postgres.TAKES", 0.5)
    old = open_postgres(postgres_url)
    with old.transaction():
        old.make()
        with pytest.raises(StoreBusy, match=r"for a minute others held what that takes .*pg_stat_activity"):
            newer(GROWS, lambda: open_postgres(postgres_url))
    assert KNOWN == old.database.schema().number
    old.close()


def test_after_a_change_that_held_others_up_no_lease_is_over_until_hosts_had_time_to_renew(postgres_url, newer):
    old = open_postgres(postgres_url)
    grace = "SELECT grace_until - now_us() FROM fleet"
    assert 0 > old.database._connection.execute(grace).fetchone()[0]
    newer(GROWS + "\nSELECT pg_sleep(1.1);", lambda: open_postgres(postgres_url)).close()
    assert MINUTE / timedelta(microseconds=2) < old.database._connection.execute(grace).fetchone()[0]
    old.close()


# -- who plans --------------------------------------------------------------------------------------------------------


def test_a_check_up_reminds_of_hosts_that_have_different_versions(postgres):
    def said():
        return _versions(postgres.hosts.all())

    assert [] == said()
    for name, version in (("one", "1.0"), ("two", "2.0"), ("three", "2.0")):
        postgres.hosts.register(msgspec.structs.replace(new_host(name), version=version))
        assert ("warn" if name != "one" else "ok") == said()[0].verdict
    assert "rota 1.0: one; rota 2.0: three, two" == said()[0].text


def test_a_host_that_knows_more_takes_planning_over_at_once_and_none_that_knows_less(store):
    lead = partial(store.hosts.lead, span=LONG, outage=LONG, lease=LONG)
    store.hosts.register(new_host("old"))
    store.database.knows = NEXT
    store.hosts.register(new_host("new"))
    store.hosts.register(new_host("also-new"))
    assert lead("old").plans
    assert lead("new").plans
    assert not lead("old").plans
    assert not lead("also-new").plans
    store.hosts.resign("new")
    assert lead("old").plans, "what there is of it, it plans"


# -- the scripts ------------------------------------------------------------------------------------------------------


def test_a_change_says_in_its_first_line_what_works_with_it():
    assert Migration(9, 7, "-- works with: 7\nSELECT 1;") == migration(9, "-- works with: 7\nSELECT 1;")
    assert 9 == migration(9, "SELECT 1; -- works with: 7").oldest


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_change_since_there_are_fleets_says_what_works_with_it_and_explains_a_break(dialect):
    other = {each.number: each for each in load_migrations("sqlite")}
    paths = sorted((MIGRATIONS / dialect).glob("*.sql"))
    for each, path in list(zip(load_migrations(dialect), paths, strict=True))[6:]:
        first, second, *_ = each.script.splitlines()
        assert re.fullmatch(r"-- works with: \d+", first), path.name
        assert each.oldest <= each.number, path.name
        assert other[each.number].oldest == each.oldest, f"{path.name}: one number says it for both databases"
        assert each.oldest < each.number or re.match(r"-- \w", second), f"{path.name}: why can no older one go on?"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_added_is_added_by_the_names_of_columns_so_that_there_may_be_more_of_them(dialect):
    texts = [*load_statements(dialect).values()]
    nameless = [found for text in texts for found in re.findall(r'INSERT INTO "?\w+"? (?!\()\w*', text)]
    assert [] == nameless

"""PostgreSQL as it is used: connections that break, proxies, roles, schemas of every age."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

import rota.store
from process.waiting import wait_for
from rota.errors import BadHome, StoreBusy, StoreFull, StoreTooNew, StoreUnavailable
from rota.model.host import NewHost
from rota.model.run import OutputPart
from rota.store.address import parse_address
from rota.store.instants import to_us
from rota.store.statements import load_migrations
from servers.postgres import drop_schema, fresh_url

from .worlds import HOUR, NOW, SECOND, World, at_once, job, open_postgres


def pid_of(world: World) -> int:
    return world.database._connection.info.backend_pid


def end_connection(world: World, by: World) -> None:
    by.database._connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid_of(world)])


def test_a_read_after_the_connection_broke_is_answered_by_a_new_one(postgres, another):
    postgres.make()
    other = another()
    end_connection(other, postgres)
    assert ["backup"] == other.jobs.names()


def test_a_transaction_after_the_connection_broke_begins_on_a_new_one(postgres, another):
    other = another()
    end_connection(other, postgres)
    other.upkeep.put_fact("x", "1")
    assert "1" == postgres.upkeep.fact("x")


def test_a_transaction_that_the_connection_broke_in_is_lost_as_a_whole_and_says_so(postgres, another):
    other = another()
    with pytest.raises(StoreUnavailable, match="cannot be reached"), other.transaction():  # noqa: PT012 -- in the middle
        other.upkeep.put_fact("x", "1")
        end_connection(other, postgres)
        other.upkeep.put_fact("y", "2")
    assert (None, None) == (postgres.upkeep.fact("x"), postgres.upkeep.fact("y"))
    with other.transaction():
        other.upkeep.put_fact("x", "3")
    assert "3" == postgres.upkeep.fact("x")


def may_claim(world: World) -> bool:
    try:
        with world.transaction():
            world.database.lock("lock_claims")
    except StoreBusy:
        return False
    return True


def test_a_host_that_falls_silent_in_a_transaction_holds_up_the_others_for_seconds_only(postgres, another):
    silent = another()
    with pytest.raises(StoreBusy, match="idle-in-transaction"), silent.transaction():  # noqa: PT012 -- in the middle
        silent.database.lock("lock_claims")
        wait_for(lambda: may_claim(postgres), 30)
        silent.upkeep.put_fact("x", "1")
    assert None is postgres.upkeep.fact("x")


@contextmanager
def answer_lost(world: World, by: World, *, after: bool):
    """Break the connection just before the server hears of a commit, or just after it has done it."""
    connection = world.database._connection
    execute = connection.execute

    def commit_and_break(text, *given, **more):
        if text == "COMMIT":
            if after:
                execute(text, *given, **more)
            end_connection(world, by)
        return execute(text if text != "COMMIT" or not after else "SELECT 1", *given, **more)

    connection.execute = commit_and_break
    yield


def test_a_commit_whose_answer_was_lost_is_asked_for_and_believed(postgres, another):
    other = another()
    with answer_lost(other, postgres, after=True), other.transaction():
        other.upkeep.put_fact("x", "1")
    assert "1" == postgres.upkeep.fact("x")
    assert "1" == other.upkeep.fact("x")


def test_a_commit_that_never_reached_the_server_is_not_believed(postgres, another):
    other = another()
    with (
        answer_lost(other, postgres, after=False),
        pytest.raises(StoreUnavailable, match="cannot be reached"),
        other.transaction(),
    ):
        other.upkeep.put_fact("x", "1")
    assert postgres.upkeep.fact("x") is None


def test_a_server_that_is_not_there_is_told_of_without_the_password():
    with pytest.raises(StoreUnavailable, match=r"postgresql://ann@127\.0\.0\.1:1/ops cannot be reached") as told:
        open_postgres("postgresql://ann:hush@127.0.0.1:1/ops")
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (("postgres@", "nobody@"), 'role "nobody" does not exist'),
        (("/postgres?", "/nowhere?"), 'database "nowhere" does not exist'),
        (("?host", "?shema=x&host"), 'invalid URI query parameter: "shema"'),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_and_not_waited_for(postgres_url, wrong, why):
    assert wrong[0] in postgres_url
    with pytest.raises(BadHome, match=f"cannot be used: .*{why}"):
        open_postgres(postgres_url.replace(*wrong, 1))


def test_a_server_that_takes_no_writes_now_is_waited_for(postgres):
    connection = postgres.database._connection
    connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(StoreFull, match="cannot be written"):
        postgres.upkeep.put_fact("x", "1")
    connection.execute("SET default_transaction_read_only = off")
    postgres.upkeep.put_fact("x", "2")


def test_a_commit_is_on_the_disk_even_where_others_do_without(postgres, another):
    postgres.database._connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        other = another()
        assert "on" == other.database._connection.execute("SHOW synchronous_commit").fetchone()[0]
    finally:
        postgres.database._connection.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


# -- behind a proxy ---------------------------------------------------------------------------------------------------


def test_behind_a_proxy_nothing_is_left_on_a_connection(postgres, another):
    stored = postgres.make("backup", overlap="allow")
    pooled = another("&pooled=yes", patience=0.05)
    show = pooled.database._connection.execute
    before = [show(f"SHOW {name}").fetchone()[0] for name in ("search_path", "lock_timeout", "statement_timeout")]
    run = pooled.claim_one(stored)
    assert pooled.end(run)
    assert ["backup"] == pooled.jobs.names()
    with postgres.transaction():
        postgres.jobs.get("backup")
        with pytest.raises(StoreBusy), pooled.transaction():
            pooled.jobs.get("backup")
    after = [show(f"SHOW {name}").fetchone()[0] for name in ("search_path", "lock_timeout", "statement_timeout")]
    assert before == after
    assert "rota" not in before[0]
    assert 0 == show("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]


# -- the schema -------------------------------------------------------------------------------------------------------


def test_programs_that_make_the_store_at_once_make_it_once(postgres_url):
    def opened():
        world = open_postgres(postgres_url)
        with world.transaction():
            world.upkeep.put_fact("opened", str(int(world.upkeep.fact("opened") or 0) + 1))
        world.close()

    at_once(*[opened] * 4)
    world = open_postgres(postgres_url)
    assert "4" == world.upkeep.fact("opened")
    assert len(load_migrations("postgres")) == world.database.schema().number
    world.close()


def test_a_newer_store_is_refused_with_a_sentence_and_left_alone(postgres_url):
    world = open_postgres(postgres_url)
    world.database._connection.execute("INSERT INTO version VALUES (99)")
    world.close()
    with pytest.raises(StoreTooNew, match=r"was written by a newer rota \(schema 99; this one knows up to \d+\)"):
        open_postgres(postgres_url)


_EARLIER_RUN = """
INSERT INTO run (id, job_id, definition_id, trigger, due_at, state, priority, queued_at, changed_at)
SELECT id, job_id, definition_id, 'manual', at, 'queued', 50, at, at FROM (VALUES (%s, %s, %s, %s))
    AS given (id, job_id, definition_id, at)
"""
"""As a program of the time made it: the statements of today know columns that were not there."""


@pytest.mark.parametrize("earlier", range(1, len(load_migrations("postgres"))))
def test_a_store_of_each_earlier_schema_is_brought_up_to_date_with_what_is_in_it(postgres_url, monkeypatch, earlier):
    scripts = load_migrations("postgres")
    with monkeypatch.context() as patch:
        patch.setattr("rota.store.postgres.load_migrations", lambda _dialect: scripts[:earlier])
        old = open_postgres(postgres_url)
        stored = old.make()
        run = old.new_id(NOW)
        old.database._connection.execute(_EARLIER_RUN, [run, stored.id, stored.definition_id, to_us(NOW)])
        assert earlier == old.database.schema().number
        old.close()
    new = open_postgres(postgres_url)
    assert (stored, run) == (new.jobs.get("backup"), new.claim(1)[0].run_id)
    assert len(scripts) == new.database.schema().number
    new.close()


def test_a_role_that_may_only_use_the_schema_runs_a_store_that_its_owner_made(postgres_server, postgres_url):
    address = parse_address(postgres_url)
    open_postgres(postgres_url).close()
    page = (Path(rota.store.__file__).parents[3] / "docs/how-to/postgresql.md").read_text(encoding="utf-8")
    grants = page.partition("<!-- least privilege -->")[2].partition("```sql\n")[2].partition("```")[0]
    role = f"user_of_{address.schema}"
    with psycopg.connect(address.libpq, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN")
        owner.execute(grants.replace("SCHEMA rota", f"SCHEMA {address.schema}").replace("rota_engine", role))
        world = open_postgres(postgres_url.replace("postgres@", f"{role}@"))
        try:
            run = world.claim_one(world.make(overlap="allow"))
            world.runs.add_output(run.run_id, 1, [OutputPart("stdout", b"x", b"", 1)])
            assert world.end(run)
            assert "run.succeeded" == world.kinds()[-1]
            assert 1 == world.upkeep.drop_oldest_output(10)
            world.hosts.register(NewHost("one", "db-1", True, {}, 4, "1.0"))
            assert world.hosts.lead("one", HOUR, HOUR, HOUR).plans
            world.queue(world.make("flying"))
            (flying,) = world.claim(1, host="one")
            world.runs.send_live(flying.run_id, 1, "stdout", 0, b"x")
            assert {(flying.run_id, 1)} == world.hosts.beat("one", HOUR).own
            with pytest.raises(BadHome, match="cannot be used"):
                world.database._read("CREATE TABLE more (x int)", {})
            with pytest.raises(BadHome, match="must be owner of table"), world.database.side().loading({}):
                pytest.fail("only the owner may fill a store")
        finally:
            world.close()
            owner.execute(f"DROP OWNED BY {role}")
            owner.execute(f"DROP ROLE {role}")


def test_two_schemas_of_a_database_are_two_stores(postgres, postgres_server):
    url = fresh_url(postgres_server)
    other = open_postgres(url)
    postgres.make("here")
    other.make("there")
    assert (["here"], ["there"]) == (postgres.jobs.names(), other.jobs.names())
    other.close()
    drop_schema(url)


def test_what_people_read_by_hand_has_times_in_it(postgres):
    run = postgres.claim_one(postgres.make("backup", overlap="allow"), slot=NOW)
    postgres.end(run)
    execute = postgres.database._connection.execute
    row = execute("SELECT job, slot, state, duration FROM run_readable").fetchone()
    assert ("backup", NOW, "succeeded", timedelta(minutes=1)) == tuple(row)
    assert "run.queued" == execute("SELECT kind FROM event_readable ORDER BY seq").fetchone()[0]
    assert NOW == execute("SELECT planned_to FROM job_readable").fetchone()[0]
    assert execute("SELECT * FROM skip_readable").fetchone() is None


def test_changes_of_others_are_noticed_once_and_own_ones_never(postgres, another):
    other = another()
    assert postgres.changed_by_others() is False
    postgres.upkeep.put_fact("x", "1")
    assert postgres.changed_by_others() is False
    other.upkeep.put_fact("x", "2")
    assert [True, False] == [postgres.changed_by_others(), postgres.changed_by_others()]
    with pytest.raises(ZeroDivisionError), other.transaction():  # noqa: PT012 -- the write is the point
        other.upkeep.put_fact("x", "3")
        _ = 1 / 0
    assert not other.runs.cancel_if_not_running("nothing", NOW, "nothing is changed by that")
    assert postgres.changed_by_others() is False


def test_a_schedule_that_counts_from_the_end_has_its_next_slot_from_there(postgres):
    made = job("backup")
    with postgres.transaction():
        stored = postgres.jobs.add(made, "hand", NOW, HOUR, 5 * SECOND)
    postgres.end(postgres.claim_one(stored))
    found = postgres.jobs.get("backup")
    assert NOW + timedelta(minutes=1) + HOUR == found.next_slot


def test_a_text_with_a_nul_is_kept_without_it_and_is_nobodys_name(postgres):
    postgres.ledger.add_event("told", NOW, text="a\0b")
    postgres.upkeep.put_fact("x", "a\0b")
    assert "a\ufffdb" == postgres.upkeep.fact("x")
    assert postgres.jobs.find("a\0b") is None


def test_a_database_that_cannot_hold_every_text_is_refused(postgres_server):
    with psycopg.connect(parse_address(postgres_server).libpq, autocommit=True) as owner:
        owner.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        try:
            with pytest.raises(BadHome, match="is a database in LATIN1; make one in UTF8"):
                open_postgres(postgres_server.replace("/postgres?", "/latin?"))
        finally:
            owner.execute("DROP DATABASE latin")

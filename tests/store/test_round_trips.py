"""What saves ways over the network: statements that the server keeps ready, and what is sent with the next question."""

from __future__ import annotations

import msgspec
import psycopg
import pytest

from rota.errors import StoreBusy
from rota.model.job import StoredJob
from rota.plan.due import Plan

from .worlds import HOUR, NOW, World, open_postgres

# -- statements that are kept ready -----------------------------------------------------------------------------------


def ready_statements(world: World) -> int:
    return world.database._connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]


def test_on_a_connection_of_its_own_what_is_asked_often_is_kept_ready(postgres_url):
    world, off = open_postgres(postgres_url), open_postgres(f"{postgres_url}&prepare=1000")
    for _ in range(20):
        assert [] == world.jobs.names() == off.jobs.names()
    assert ready_statements(world) > 0
    assert 0 == ready_statements(off)
    world.close()
    off.close()


def test_what_is_kept_ready_follows_a_newer_program_that_changes_the_schema(postgres_url):
    world, newer = open_postgres(f"{postgres_url}&prepare=1"), open_postgres(postgres_url)
    for number in range(2):
        for _ in range(4):
            assert world.runs.find("none") is None
        newer.database._connection.execute(f"ALTER TABLE run ADD COLUMN later_{number} TEXT")
        if number:
            assert world.runs.find("none") is None
            continue
        with pytest.raises(StoreBusy, match="newer rota"), world.transaction():
            world.runs.find("none")
        with world.transaction():
            assert world.runs.find("none") is None
    world.close()
    newer.close()


# -- what is left for later -------------------------------------------------------------------------------------------


def put_later(world: World, fact: str, text: str) -> None:
    world.database.later("put_meta", key=fact, value=text)


def test_what_is_left_for_later_is_there_for_whoever_asks_and_after_the_commit(postgres, another):
    with postgres.transaction():
        for number in range(1234):
            put_later(postgres, f"fact-{number}", f"first {number}")
        put_later(postgres, "fact-7", "second \0 7")
        assert "second \ufffd 7" == postgres.upkeep.fact("fact-7"), "in order, and without what cannot be kept"
        put_later(postgres, "fact-8", "third")
    other = another()
    assert ["first 1233", "third"] == [other.upkeep.fact(fact) for fact in ("fact-1233", "fact-8")]
    put_later(postgres, "alone", "of its own transaction")
    assert "of its own transaction" == other.upkeep.fact("alone")


def test_what_is_left_for_later_goes_with_a_transaction_that_is_taken_back(postgres):
    def give_up() -> None:
        with postgres.transaction():
            put_later(postgres, "fact", "text")
            raise ZeroDivisionError

    def break_a_rule() -> None:
        with postgres.transaction():
            put_later(postgres, "fact", "text")
            postgres.database.later("register_host", **_WRONG_HOST)
            put_later(postgres, "another", "text")
            postgres.jobs.names()

    for wrong, error in ((give_up, ZeroDivisionError), (break_a_rule, psycopg.errors.CheckViolation)):
        with pytest.raises(error):
            wrong()
        assert postgres.upkeep.fact("fact") is None


def test_what_must_touch_a_row_and_does_not_takes_all_back(postgres):
    stored = postgres.make()
    plan = Plan((), (), (), NOW + 2 * HOUR, None, 0)

    def record(held: StoredJob) -> None:
        with postgres.transaction():
            put_later(postgres, "fact", "text")
            postgres.record_plan(held, plan, NOW, postgres.new_id)

    with pytest.raises(StoreBusy, match="was changed meanwhile"):
        record(msgspec.structs.replace(stored, planned_to=NOW + HOUR))
    assert postgres.upkeep.fact("fact") is None
    record(stored)
    assert ("text", NOW + 2 * HOUR) == (postgres.upkeep.fact("fact"), postgres.jobs.get("backup").planned_to)


_WRONG_HOST = {
    "id": "one", "name": "one", "labels": "{}", "capacity": 0, "max_running": None, "version": "1", "schema": 6,
}  # fmt: skip

"""SQL lives in files: every statement is named, explained and used, and every one that is used is there."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import rota.store
from rota.store.placeholders import parameters, with_placeholders
from rota.store.statements import load_statements

ROOM = Path(rota.store.__file__).parent
DIALECTS = sorted(path.name for path in (ROOM / "sql").iterdir())
CALLS = {"all", "one", "run", "later", "many", "page", "lock"}
WITH_LOCKS = {"postgres"}
"""SQLite has one writer at a time: whoever writes has everything locked."""


def is_lock(name: str) -> bool:
    return name.startswith("lock_")


def used() -> set[str]:
    """Return the names of the statements that the store's code asks for."""
    names = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    names.add(first.value)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("filter_"):
                names.add(node.value)
    return names


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_is_used_and_every_used_one_is_there(dialect):
    assert {name for name in used() if dialect in WITH_LOCKS or not is_lock(name)} == set(load_statements(dialect))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_says_why_in_a_sentence(dialect):
    for path in sorted((ROOM / "sql" / dialect).glob("*.sql")):
        for block in path.read_text(encoding="utf-8").split("-- name: ")[1:]:
            name, why, *_ = block.splitlines()
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name), name
            assert re.match(r"-- [A-Z].{5,}", why), f"{path.name}: {name} does not say why it is there"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_files_hold_nothing_but_named_statements(dialect):
    for path in sorted((ROOM / "sql" / dialect).glob("*.sql")):
        assert path.read_text(encoding="utf-8").startswith("-- name: "), path.name


def test_all_dialects_have_the_same_names_and_parameters():
    one, *others = (
        {name: parameters(text) for name, text in load_statements(dialect).items() if not is_lock(name)}
        for dialect in DIALECTS
    )
    assert [one] * len(others) == others


def test_all_dialects_have_the_same_migrations():
    names = [[path.name for path in sorted((ROOM / "migrations" / dialect).glob("*.sql"))] for dialect in DIALECTS]
    assert [names[0]] * len(DIALECTS) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT :name", "SELECT %(name)s"),
        ("SELECT :name::bigint, x::text", "SELECT %(name)s::bigint, x::text"),
        ("SELECT ':name', 'it''s :this', :other", "SELECT ':name', 'it''s :this', %(other)s"),
        ("""SELECT ":name" FROM "a:b\"""", """SELECT ":name" FROM "a:b\""""),
        ("WHERE x LIKE '%:kind%' AND 5 % 2 = :one", "WHERE x LIKE '%%:kind%%' AND 5 %% 2 = %(one)s"),
        ("id < :prefix || '~'", "id < %(prefix)s || '~'"),
    ],
)
def test_parameters_become_placeholders_and_nothing_else_does(text, expected):
    assert expected == with_placeholders(text)


def test_every_index_says_what_it_is_for():
    for path in sorted((ROOM / "migrations").rglob("*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for before, line in pairwise(lines):
            if re.match(r"CREATE (UNIQUE )?INDEX run_|CREATE INDEX job_", line):
                assert before.startswith("-- "), f"{path.name}: {line}"


@pytest.mark.parametrize(
    ("name", "index", "given"),
    [
        ("due_jobs", "job_wake", {"now": 1, "limit": 1}),
        ("ready_in_lane", "run_ready", {"pool": "", "needs": "", "limit": 1}),
        ("active_runs", "run_active", {"job_id": 1}),
        ("placed_count", "run_active", {"job_id": 1}),
        ("wake_waiting", "run_waiting", {"now": 1}),
        ("expire_start_by", "run_start_by", {"now": 1}),
        ("cancel_requests", "run_cancel", {"host": "h"}),
        ("running_on_host", "run_running", {"host": "h"}),
        ("next_wake", "run_start_by", {}),
        ("next_wake", "job_wake", {}),
        ("next_wake", "run_waiting", {}),
        ("skip_at", "skip_of_job", {"job_id": 1, "at": 1}),
    ],
)
def test_what_is_asked_each_turn_is_answered_by_its_index(memory, name, index, given):
    text = load_statements("sqlite")[name]
    plan = memory.database._connection.execute("EXPLAIN QUERY PLAN " + text, given).fetchall()
    assert re.search(rf"USING (COVERING )?INDEX {index}\b", "\n".join(row[3] for row in plan))

"""A store's URL: what libpq is given, what people are shown, and never a password in an error."""

from __future__ import annotations

import pytest

from rota.errors import BadHome
from rota.store.address import is_address, parse_address


@pytest.mark.parametrize(
    ("given", "libpq", "shown"),
    [
        ("postgresql://db/ops", "postgresql://db/ops", "postgresql://db/ops"),
        ("postgres://ann:pw@db:5433/ops", "postgres://ann:pw@db:5433/ops", "postgres://ann@db:5433/ops"),
        (
            "postgresql://ann@db/ops?schema=one&sslmode=require",
            "postgresql://ann@db/ops?sslmode=require",
            "postgresql://ann@db/ops?schema=one&sslmode=require",
        ),
        (
            "postgresql:///ops?host=/run/pg&password=pw&pooled=yes",
            "postgresql:///ops?host=/run/pg&password=pw",
            "postgresql:///ops?host=/run/pg&pooled=yes",
        ),
        ("postgresql://a:p%40%3A@one,two:5433/ops", "postgresql://a:p%40%3A@one,two:5433/ops", "postgresql://a@one,two:5433/ops"),
    ],
)  # fmt: skip
def test_libpq_gets_its_own_words_and_people_see_no_password(given, libpq, shown):
    address = parse_address(given)
    assert (libpq, shown) == (address.libpq, address.shown)
    assert shown == parse_address(shown).shown


def test_rotas_own_words_are_read():
    plain, all_said = parse_address("postgresql:///x"), parse_address("postgresql:///x?schema=s_1&pooled=on&prepare=5")
    assert ("rota", False, None) == (plain.schema, plain.pooled, plain.prepare)
    assert ("s_1", True, 5) == (all_said.schema, all_said.pooled, all_said.prepare)


def test_two_ways_to_name_a_store_name_one():
    assert parse_address("postgresql://a:b@db/x").key == parse_address("postgresql://c@db/x?sslmode=require").key
    assert parse_address("postgresql://db/x").key != parse_address("postgresql://db/x?schema=other").key
    assert parse_address("postgresql:///x?host=/a").key != parse_address("postgresql:///x?host=/b").key


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("/var/lib/rota.db", "a store is named by a URL such as"),
        ("postgresql://ann:hush@db:x/ops", "its port is not a number"),
        ("postgresql://ann:hush@[db/ops", "it is not a URL"),
        ("postgresql://ann:hush@db/ops?schema=A;DROP", "schema 'A;DROP'"),
        ("postgresql://ann:hush@db/ops?prepare=often", "prepare=often"),
        ("postgresql://ann:hush@db/ops?pooled=maybe", "pooled=maybe"),
    ],
)
def test_what_cannot_be_read_is_told_of_without_the_password(given, said):
    with pytest.raises(BadHome) as told:
        parse_address(given)
    assert said in str(told.value)
    assert "hush" not in str(told.value)


def test_only_a_url_of_postgresql_is_one():
    assert is_address("postgresql:///x")
    assert not is_address("mysql://x")
    assert not is_address("sqlite")

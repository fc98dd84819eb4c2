"""The schema of a store on PostgreSQL: which it has, and how it is changed while a fleet is at work on it.

A change takes a table for itself for a moment, and whoever comes after it waits behind it. So it waits for nobody long:
what it does not get at once it gives up, all of it, and asks for again a little later. docs/decisions/0018 has more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import psycopg

from rota.store.address import Address
from rota.store.schema import Migration, Schema, oldest_after, refuse_in_use

TAKES = 60.0
"""For how long a change is tried again that others are in the way of."""
PAUSES = 0.1, 0.4
_WAITS_FOR_LOCKS = "150ms"
_MIGRATING = 0x726F7461  # "rota"
_FLEET = 6
"""The schema that first knew of hosts."""
_AT_WORK = """
    SELECT name, version, schema FROM host LEFT JOIN meta ON key = 'serving:' || id
     WHERE schema < %s AND seen_at > now_us() - 60000000 AND coalesce(value, 'yes') <> 'no' ORDER BY name
"""
"""Hosts that were seen within the last minute and did not stop in order (engine/loop.py keeps that fact)."""
_GRACE = """
    UPDATE fleet SET grace_until = greatest(grace_until, now_us() + 60000000)
     WHERE clock_timestamp() - now() > interval '1 second'
"""
"""After a change that held others up nobody loses a run: first they have time to renew their leases."""


def schema_of(connection: psycopg.Connection[Any], name: str) -> Schema:
    """Return the schema that a store has; 0 where there is none."""
    found = connection.execute("SELECT to_regclass(%s) IS NULL", [f"{name}.version"]).fetchone()
    if found is None or found[0]:
        return Schema(0, 0)
    text = f"SELECT max(number), max(coalesce(oldest, number)) FROM {name}.version"  # noqa: S608 -- a name, checked
    found = connection.execute(cast("Any", text)).fetchone()
    assert found is not None, "a maximum always has a row"
    return Schema(int(found[0] or 0), int(found[1] or 0))


def migrate_from(connection: psycopg.Connection[Any], address: Address, migrations: Sequence[Migration]) -> None:
    """Change the schema from whatever it is, within a transaction; one program does, and the others find it done.

    1. Wait for nobody long.
    2. Refuse what those could not go on beside who are at work on it.
    3. Change it, and write down which programs may work on it from now on.
    """

    def execute(text: str, given: Sequence[object] = ()) -> psycopg.Cursor[Any]:
        return connection.execute(cast("Any", text), given or None)

    execute(f"SET LOCAL lock_timeout TO '{_WAITS_FOR_LOCKS}'")
    execute("SET LOCAL statement_timeout TO 0")
    execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_MIGRATING, address.schema])
    have = schema_of(connection, address.schema).number
    pending = migrations[have:]
    if have == 0:
        _make_room(connection, address.schema)
    if _FLEET <= have < oldest_after(pending):
        at_work = execute(_AT_WORK, [oldest_after(pending)]).fetchall()
        refuse_in_use(address.shown, have, pending, [f"{row[0]} (rota {row[1]}, schema {row[2]})" for row in at_work])
    for each in pending:
        execute(each.script)
        execute("INSERT INTO version (number, oldest) VALUES (%s, %s)", [each.number, each.oldest])
    if have >= _FLEET:
        execute(_GRACE)


def _make_room(connection: psycopg.Connection[Any], name: str) -> None:
    found = connection.execute("SELECT to_regnamespace(%s) IS NULL", [name]).fetchone()
    if found is not None and found[0]:
        connection.execute(cast("Any", f"CREATE SCHEMA {name}"))
    connection.execute(
        "CREATE TABLE version (number INTEGER PRIMARY KEY, oldest INTEGER, made_at TIMESTAMPTZ NOT NULL DEFAULT now())"
    )

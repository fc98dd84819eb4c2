"""A store in SQLite's file, as it is copied from or to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rota.store.copying import Kind, quoted

_A_BATCH = 500
_KINDS: Mapping[str, Kind] = {"INTEGER": "number", "TEXT": "text", "BLOB": "bytes"}
_NEVER_AGAIN = ("event", "audit")


class SqliteSide:
    """See copying.Side."""

    many_a_slot = False

    def __init__(self, connection: sqlite3.Connection, shown: str) -> None:
        self._connection = connection
        self.shown = shown

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Look at one state of it: the one that the first look inside shows."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def loading(self, newest: Mapping[str, int]) -> Iterator[None]:
        """Fill it as one. SQLite cannot switch triggers off, so they are taken out, and put in again."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            triggers = execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for trigger in triggers:
                execute(f"DROP TRIGGER {quoted(trigger['name'])}")
            yield
            for table, number in newest.items():
                execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])
                execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, number])
            execute("UPDATE output_kept SET bytes = (SELECT coalesce(sum(length(head) + length(tail)), 0) FROM output)")
            for trigger in triggers:
                execute(trigger["sql"])
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def newest(self) -> Mapping[str, int]:
        """Return the greatest numbers that were ever given."""
        given = dict(self._connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
        return {table: int(given.get(table, 0)) for table in _NEVER_AGAIN}

    def columns(self, table: str) -> Mapping[str, Kind]:
        """Return a table's columns."""
        found = self._connection.execute(f"PRAGMA table_info({quoted(table)})").fetchall()
        return {row["name"]: _KINDS[row["type"]] for row in found}

    def row(self, text: str) -> Sequence[Any]:
        """Return the only row of a question."""
        return tuple(self._connection.execute(text).fetchone())

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Sequence[Any]]]:
        """Yield a table's rows, some at a time."""
        names = ", ".join(map(quoted, columns))
        cursor = self._connection.execute(f"SELECT {names} FROM {quoted(table)}")
        while batch := cursor.fetchmany(_A_BATCH):
            yield [tuple(row) for row in batch]

    def add(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""
        names, places = ", ".join(map(quoted, columns)), ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {quoted(table)} ({names}) VALUES ({places})", rows)

    def empty(self, table: str) -> None:
        """Drop a table's rows."""
        self._connection.execute(f"DELETE FROM {quoted(table)}")

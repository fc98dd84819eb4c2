"""A whole store from one database into another: every row as it is, then counts and sums on both sides.

1. The source is read in one snapshot, so a writer beside it tears nothing.
2. The target is filled in one transaction, with its triggers off: events and totals come over as rows, and are not
   written once more. It must hold no jobs, runs or people.
3. Both sides count each table's rows and sum up each column; if they differ, nothing was copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

from rota.errors import Conflict, RotaError

Kind = Literal["number", "text", "bytes"]

TABLES = (
    *("meta", "pool", "lane", "job", "definition", "run", "attempt", "output", "skip", "event", "total", "hour_total"),
    *("user", "credential", "nonce", "audit"),
)
"""Those that others refer to come first."""
_MUST_BE_EMPTY = {"job": "jobs", "run": "runs", "user": "people"}
_MODULUS = 1_000_003
"""Of a number its rest is summed up, so that no sum of instants grows too large."""


class Side(Protocol):
    """One database, as it is copied from or to."""

    shown: str
    many_a_slot: bool
    """Whether a slot may have a record for each of several hosts."""

    def reading(self) -> AbstractContextManager[None]:
        """Look at one state of it, whoever writes meanwhile."""

    def loading(self, newest: Mapping[str, int]) -> AbstractContextManager[None]:
        """Fill it as one, with its triggers off; numbers go on after the newest ones."""

    def newest(self) -> Mapping[str, int]:
        """Return the greatest numbers that were ever given, for what must never have a number again."""

    def columns(self, table: str) -> Mapping[str, Kind]:
        """Return a table's columns."""

    def row(self, text: str) -> Sequence[Any]:
        """Return the only row of a question."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[list[Sequence[Any]]]:
        """Yield a table's rows, some at a time."""

    def add(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Add rows."""

    def empty(self, table: str) -> None:
        """Drop a table's rows."""


def copy_store(source: Side, target: Side, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Copy everything, and return how many rows each table has."""
    with source.reading():
        tables = {table: source.columns(table) for table in TABLES}
        counts = {table: _count(source, table) for table in TABLES}
        done, whole = 0, sum(counts.values())
        _refuse_many_a_slot(source, target)
        with target.loading(source.newest()):
            _refuse_filled(target)
            for table in reversed(TABLES):
                target.empty(table)
            for table, columns in tables.items():
                for batch in source.rows(table, list(columns)):
                    target.add(table, list(columns), batch)
                    done += len(batch)
                    progress(done, whole)
            _compare(source, target, tables)
    return counts


def _refuse_filled(target: Side) -> None:
    for table, what in _MUST_BE_EMPTY.items():
        if _count(target, table):
            raise Conflict(
                f"{target.shown} holds {what} already, and nothing is copied over them; name an empty store "
                "(for PostgreSQL another schema will do: …?schema=NAME)"
            )


def _refuse_many_a_slot(source: Side, target: Side) -> None:
    if target.many_a_slot:
        return
    many = "SELECT job_id FROM run WHERE slot IS NOT NULL GROUP BY job_id, slot HAVING count(*) > 1"
    slots, jobs = source.row(f"SELECT count(*), count(DISTINCT job_id) FROM ({many}) AS many")
    if slots:
        raise Conflict(
            f"{source.shown} has {slots} slots, of {jobs} jobs for all hosts, with a record on each of several hosts, "
            "and a file has room for one. Nothing was copied; it can be when that history has been pruned"
        )


def _compare(source: Side, target: Side, tables: Mapping[str, Mapping[str, Kind]]) -> None:
    for table, columns in tables.items():
        wanted = ", ".join(_sum(name, kind) for name, kind in columns.items())
        text = f"SELECT count(*), {wanted} FROM {quoted(table)}"
        sums = [[int(value) for value in side.row(text)] for side in (source, target)]
        if sums[0] != sums[1]:
            raise RotaError(
                f"the copy of table {table} differs from what it was made of: counts and sums are {sums[1]}, not "
                f"{sums[0]}; nothing was copied. This is a fault in rota"
            )


def _sum(name: str, kind: Kind) -> str:
    what = f"{quoted(name)} % {_MODULUS}" if kind == "number" else f"length({quoted(name)})"
    return f"coalesce(sum({what}), 0)"


def _count(side: Side, table: str) -> int:
    return int(side.row(f"SELECT count(*) FROM {quoted(table)}")[0])


def quoted(name: str) -> str:
    """Return the name of a table or column as both databases take it: some are words of SQL."""
    return f'"{name}"'

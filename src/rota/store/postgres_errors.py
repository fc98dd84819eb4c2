"""What PostgreSQL complains of, in rota's words: passing, full, forbidden, damaged, or a bug that is shown as it is."""

from __future__ import annotations

import psycopg

from rota.errors import BadHome, StoreBusy, StoreCorrupt, StoreFull, StoreUnavailable

_LOCKED = frozenset({"55P03", "57014", "40P01", "40001", "25P03", "25P04"})
"""A lock, or a statement, was waited for too long; two transactions wait for each other; one was idle for too long."""
_NO_ROOM = frozenset({"53100", "53200", "53400", "54000", "25006"})
"""No room on the disk or in memory; or the server takes no writes."""
_FORBIDDEN = frozenset({"42501", "28000", "28P01", "3D000", "3F000"})
_GONE = ("08", "57P", "53300")
"""The connection, the server; or there are too many connections."""
_REFUSALS = ("does not exist", "authentication failed", "no pg_hba.conf entry", "no password supplied", "certificate")
_DAMAGED = "XX001", "XX002", "42P01"
"""A page, an index; or a table is not there any more."""
_REVALIDATES = "RevalidateCachedQuery"


def translated(error: psycopg.Error, shown: str, *, lost: bool) -> Exception:
    """Turn a complaint into ours. `lost` says that the connection is gone."""
    code, told = error.sqlstate or "", first_line(error)
    if is_stale_plan(error):
        return StoreBusy(f"{shown} was changed by a newer rota just now")
    if code in _LOCKED:
        return StoreBusy(f"{shown} is locked by somebody else ({told})")
    if code in _NO_ROOM:
        return StoreFull(f"{shown} cannot be written: {told}; make room there, or name the server that takes writes")
    if code in _FORBIDDEN:
        return unusable(error, shown)
    if code in _DAMAGED:
        return StoreCorrupt(f"{shown} is damaged ({told}); restore the database from its backup")
    if lost or code.startswith(_GONE):
        return StoreUnavailable(f"{shown} cannot be reached: {told}")
    return error


def unusable(error: psycopg.Error, shown: str) -> BadHome:
    """Return our complaint about an address that cannot be used as it is."""
    return BadHome(f"{shown} cannot be used: {first_line(error)}; docs/how-to/postgresql.md says what is needed")


def is_refusal(error: psycopg.Error) -> bool:
    """Tell whether a server, or libpq, will go on to refuse this address until somebody mends it or the server.

    A connection that was not made has no code, only a text: this knows those of a server that speaks English. Any other
    refusal is taken for one that passes, as the text of a server that is starting is.
    """
    text = str(error)
    return isinstance(error, psycopg.ProgrammingError) or any(known in text for known in _REFUSALS)


def is_stale_plan(error: psycopg.Error) -> bool:
    """Tell whether a prepared statement has other columns than it had: a newer program has changed the schema."""
    return isinstance(error, psycopg.errors.FeatureNotSupported) and error.diag.source_function == _REVALIDATES


def first_line(error: BaseException) -> str:
    """Return what an error says first: what follows are hints to people who use psql, or the tries on each host."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    if not lines:
        return type(error).__name__
    return " ".join(lines) if lines[0].endswith(":") else lines[0]

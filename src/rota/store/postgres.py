"""PostgreSQL as the store's database: a schema of its own, many writers, each with one connection.

- A transaction is READ COMMITTED. What SQLite's one writer gives for nothing is asked for by name: statements lock what
  they are about to change, and `lock` holds what is read in order to be written. docs/decisions/0016-postgresql.md goes
  through all of it.
- Nothing waits for ever: for locks, statements, idle transactions and the network there are limits. The engine's
  patience is short: it tries again in its next turn, so kills and deadlines never wait for somebody's lock.
- What nobody needs an answer to waits until somebody asks something (`later`): all of it goes over the network once.
- A connection that breaks is made anew by the next call. A transaction that it broke in is lost as a whole, and whoever
  wrote it is told; was it committing, the server is asked what came of it.
- Behind a proxy that shares connections between transactions nothing is left on one: settings go with each transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from random import randrange, uniform
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from rota.clock import SystemClock
from rota.errors import RotaError, StoreBusy, StoreUnavailable
from rota.store.address import Address
from rota.store.copying import Side
from rota.store.placeholders import with_placeholders
from rota.store.postgres_connection import Row, connect, settings
from rota.store.postgres_errors import is_refusal, is_stale_plan, translated, unusable
from rota.store.postgres_schema import PAUSES, TAKES, migrate_from, schema_of
from rota.store.schema import Schema, refuse_newer
from rota.store.statements import load_migrations, load_statements

_BETWEEN_TRIES = 1.0
"""A server that cannot be reached is asked no more often; in between, calls fail at once."""
_ASK_FOR_COMMIT, _COMMIT_PAUSE = 2.0, 0.1
_PLACES = 64
_MOST_LATER = 500


def _without_nul(params: Mapping[str, Any]) -> dict[str, Any]:
    """Put a replacement where a text holds a NUL, which PostgreSQL cannot keep: nobody's name has one."""
    return {key: value.replace("\0", "\ufffd") if isinstance(value, str) else value for key, value in params.items()}


class PostgresDatabase:
    """A connection that runs named statements and translates PostgreSQL's complaints."""

    dialect = "postgres"
    is_shared = True
    """Any host may work on it."""

    def __init__(self, address: Address, *, patience: float) -> None:
        self.path = address.shown
        self._address = address
        self._patience = patience
        self._clock = SystemClock()
        texts = load_statements(self.dialect)
        self._statements = {name: with_placeholders(text) for name, text in texts.items()}
        self._pages: dict[tuple[str, ...], str] = {}
        self._depth = 0
        self._wrote = False
        self._later: list[tuple[str, Mapping[str, Any], bool]] = []
        """What is still to be sent, and whether it must touch something."""
        self._place = randrange(_PLACES)  # noqa: S311 -- any will do
        self._own_changes = 0
        self._down_until = float("-inf")
        self._down_because = ""
        self._connection = self._connect(first=True)
        try:
            self._migrate()
        except psycopg.Error as error:
            failure = self._translated(error)
            self.close()
            raise failure from error
        except RotaError:
            self.close()
            raise

    # -- the connection -----------------------------------------------------------------------------------------------

    def _connect(self, *, first: bool = False) -> psycopg.Connection[Row]:
        """Connect; a server that could not be reached a moment ago is not asked again yet.

        Who is refused at the first time has a wrong address; later it is the server that changes, and may change back.
        """
        if self._clock.monotonic() < self._down_until:
            raise StoreUnavailable(self._down_because)
        try:
            return connect(self._address, self._patience)
        except psycopg.Error as error:
            if first and is_refusal(error):
                raise unusable(error, self.path) from error
            failure = translated(error, self.path, lost=True)
            self._down_until, self._down_because = self._clock.monotonic() + _BETWEEN_TRIES, str(failure)
            raise failure from error

    def _is_lost(self) -> bool:
        return self._connection.closed or self._connection.broken

    def _translated(self, error: psycopg.Error) -> Exception:
        """Turn a complaint into ours; prepared statements that are out of date go with their connection."""
        if is_stale_plan(error):
            self._connection.close()
        return translated(error, self.path, lost=self._is_lost())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # -- transactions -------------------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write as one: all of it is on disk afterwards, or none. An inner one joins the outer."""
        if self._depth:
            yield
            return
        self._begin()
        self._depth, self._wrote = 1, False
        try:
            yield
            self._commit()
        except BaseException as error:
            self._roll_back()
            if isinstance(error, psycopg.Error):
                self._blame_newer()
            raise
        finally:
            self._depth = 0

    def _begin(self) -> None:
        """Begin; a connection that has broken since it was used last is made anew."""
        begin = f"BEGIN; {settings(self._address, self._patience, 'LOCAL')}" if self._address.pooled else "BEGIN"
        for last in (False, True):
            if self._is_lost():
                self._connection = self._connect()
            try:
                self._connection.execute(begin)
            except psycopg.Error as error:
                if last or not self._is_lost():
                    raise self._translated(error) from error
            else:
                return

    def _commit(self) -> None:
        """Say that something has changed, and commit; who is not told what came of that, asks."""
        self._send()
        transaction = self._note_change() if self._wrote else None
        try:
            self._connection.execute("COMMIT")
        except psycopg.Error as error:
            failure = self._translated(error)
            if transaction is None or not self._is_lost() or not self._was_committed(transaction):
                raise failure from error
        self._own_changes += self._wrote

    def _note_change(self) -> str:
        """Tell others that there is something new, and return the transaction's number.

        It is the last thing that is written: whoever waits for this row holds everything else already.
        """
        try:
            found = self._connection.execute(
                "UPDATE change SET count = count + 1 WHERE place = %s RETURNING pg_current_xact_id()::text",
                [self._place],
            ).fetchone()
        except psycopg.Error as error:
            raise self._translated(error) from error
        assert found is not None, "the migration has made a row for every place"
        return str(found[0])

    def _was_committed(self, transaction: str) -> bool:
        """Ask a server that did not answer to a commit what came of it, for as long as it may take to come back."""
        deadline = self._clock.monotonic() + _ASK_FOR_COMMIT
        while self._clock.monotonic() < deadline:
            try:
                if self._is_lost():
                    self._down_until = float("-inf")
                    self._connection = self._connect()
                found = self._connection.execute("SELECT pg_xact_status(%s::xid8)", [transaction]).fetchone()
            except (StoreUnavailable, psycopg.Error):
                self._clock.sleep(_COMMIT_PAUSE)
                continue
            if found is not None and found[0] != "in progress":
                return bool(found[0] == "committed")
            self._clock.sleep(_COMMIT_PAUSE)
        return False

    def _roll_back(self) -> None:
        """Undo what was begun; a connection that cannot even do that is of no use any more."""
        self._later.clear()
        if self._is_lost() or self._connection.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._connection.close()

    # -- statements ---------------------------------------------------------------------------------------------------

    def all(self, name: str, /, **params: Any) -> list[Row]:
        """Return every row."""
        return self._read(self._statements[name], params).fetchall()

    def one(self, name: str, /, **params: Any) -> Row | None:
        """Return the first row, or None."""
        return self._read(self._statements[name], params).fetchone()

    def page(self, name: str, filters: Iterable[str], /, **params: Any) -> list[Row]:
        """Return the rows of a statement with the named filters put in."""
        key = (name, *filters)
        text = self._pages.get(key)
        if text is None:
            parts = " ".join(self._statements[part] for part in key[1:])
            text = self._pages[key] = self._statements[name].replace("/*filters*/", parts)
        return self._read(text, params).fetchall()

    def run(self, name: str, /, **params: Any) -> int:
        """Execute and return how many rows it touched."""
        with self.transaction():
            touched = self._execute(self._statements[name], params).rowcount
            self._wrote = self._wrote or touched > 0
            return touched

    def later(self, name: str, /, *, must: bool = False, **params: Any) -> None:
        """Execute before whatever is asked next, and with it; if it `must` touch a row and does not, all is taken back.

        An answer costs a way through the network and back, and an engine has one thread that waits for it.
        """
        with self.transaction():
            self._later.append((self._statements[name], params, must))
            self._wrote = True
            if len(self._later) >= _MOST_LATER:
                self._send()

    def many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Execute once for each row, and return how many rows were touched in all."""
        with self.transaction():
            self._send()
            cursor = self._connection.cursor()
            try:
                cursor.executemany(self._statements[name], list(rows))
            except psycopg.Error as error:
                raise self._translated(error) from error
            self._wrote = self._wrote or cursor.rowcount > 0
            return max(0, cursor.rowcount)

    def lock(self, name: str, /, **params: Any) -> None:
        """Hold what a statement names until the end of the transaction; without one there is nothing to hold it for."""
        if self._depth:
            self._execute(self._statements[name], params)

    def _read(self, text: str, params: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        """Execute; outside of a transaction a connection that has broken is made anew, once."""
        if self._depth == 0 and self._address.pooled:
            with self.transaction():
                return self._execute(text, params)
        try:
            return self._execute(text, params)
        except StoreUnavailable:
            if self._depth or not self._is_lost():
                raise
        except psycopg.Error:
            if not self._depth:
                self._blame_newer()
            raise
        self._connection = self._connect()
        return self._execute(text, params)

    def _execute(self, text: str, params: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        """Execute, and before it what was left for later; all of it goes over the network together."""
        if self._later:
            self._later.append((text, params, False))
            return self._send()[-1]
        try:
            return self._connection.execute(text, params)
        except psycopg.DataError as error:
            plain = _without_nul(params)
            if plain == params:
                raise self._translated(error) from error
            return self._execute(text, plain)
        except psycopg.Error as error:
            raise self._translated(error) from error

    def _send(self) -> list[psycopg.Cursor[Row]]:
        """Send what was left for later, and return what came of it."""
        waiting, self._later = self._later, []
        if not waiting:
            return []
        try:
            together: AbstractContextManager[object] = (
                self._connection.pipeline() if psycopg.Pipeline.is_supported() else nullcontext()
            )
            with together:
                cursors = [self._connection.execute(text, _without_nul(params)) for text, params, _ in waiting]
        except psycopg.Error as error:
            raise self._translated(error) from error
        if any(must and not cursor.rowcount for cursor, (_, _, must) in zip(cursors, waiting, strict=True)):
            raise StoreBusy(f"{self.path} was changed meanwhile")
        return cursors

    # -- services -----------------------------------------------------------------------------------------------------

    def version_of_data(self) -> int:
        """Return a number that changes when another connection has committed."""
        found = self._read("SELECT sum(count)::bigint FROM change", {}).fetchone()
        return (0 if found is None else int(found[0])) - self._own_changes

    def backup(self, target: str, progress: Callable[[int, int], None]) -> None:  # noqa: ARG002 -- the protocol's
        """Refuse: PostgreSQL has tools for that, and a copy into a file is another verb's."""
        raise RotaError(
            f"a store on PostgreSQL is backed up with the database's own tools: pg_dump --schema={self._schema}; "
            f"or copy it into a file: rota store copy '{self.path}' FILE"
        )

    def faults(self) -> list[str]:
        """Return what is wrong with the schema; whether pages are sound is for the server's own checks."""
        broken = self._read(
            "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relnamespace = %(schema)s::regnamespace AND NOT indisvalid",
            {"schema": self._address.schema},
        ).fetchall()
        loose = self._read(
            "SELECT conname FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace AND NOT convalidated",
            {"schema": self._address.schema},
        ).fetchall()
        return [f"index {row[0]} is not valid; REINDEX it" for row in broken] + [
            f"constraint {row[0]} was never checked; VALIDATE it" for row in loose
        ]

    def side(self) -> Side:
        """Return the database as it is copied from or to."""
        from rota.store.postgres_copy import PostgresSide

        return PostgresSide(self._connection, self.path, self._schema)

    def version(self) -> str:
        """Return the name and the version of what keeps the store."""
        number = self._connection.info.server_version
        return f"PostgreSQL {number // 10_000}.{number % 10_000} at {self.path}"

    # -- the schema ---------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        """Bring the schema to this program's version, one program at a time; refuse one that is too new for it.

        Who is at work on the store must not wait for us for long, so what we do not get soon we ask for again.
        """
        migrations = load_migrations(self.dialect)
        self.knows = len(migrations)
        deadline = self._clock.monotonic() + TAKES
        while (schema := self.schema()).number < self.knows:
            try:
                with self.transaction():
                    migrate_from(self._connection, self._address, migrations)
            except psycopg.Error as error:
                failure = self._translated(error)
                if not isinstance(failure, StoreBusy):
                    raise failure from error
                if self._clock.monotonic() >= deadline:
                    raise StoreBusy(
                        f"{self.path} has to be changed for this rota, and for a minute others held what that takes "
                        f"({failure}). Look for transactions that stay open (pg_stat_activity), or try again when "
                        "less is going on"
                    ) from error
                self._clock.sleep(uniform(*PAUSES))  # noqa: S311 -- any will do
        refuse_newer(self.path, schema, self.knows)

    def schema(self) -> Schema:
        """Return the schema that the store has; 0 where there is none."""
        try:
            return schema_of(self._connection, self._schema)
        except psycopg.Error as error:
            raise self._translated(error) from error

    def _blame_newer(self) -> None:
        """Where a statement fails because a newer rota has changed what it is about, say that instead."""
        with suppress(psycopg.Error):
            refuse_newer(self.path, schema_of(self._connection, self._schema), self.knows)

    @property
    def _schema(self) -> str:
        return self._address.schema

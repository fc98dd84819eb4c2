"""SQLite as the store's database: one file, WAL, several processes with short transactions.

- Only the engine checkpoints. Every other process opens the file with automatic checkpoints off, so that none of them
  pays for the log, and the window for faults in WAL handling is one process wide.
- `synchronous=FULL`: a commit is on the disk before anything is started on its word.
- The engine's patience for a lock is short: it tries again in its next turn, so kills and deadlines never wait for
  somebody's lock. A command waits longer.
- Nothing opens the file except through SQLite: closing any other descriptor of it would drop SQLite's locks.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rota.clock import SystemClock, microseconds_now
from rota.errors import BadHome, RotaError, StoreBusy, StoreCorrupt, StoreFull
from rota.store.schema import Migration, Schema, oldest_after, refuse_in_use, refuse_newer
from rota.store.statements import load_migrations, load_statements

if TYPE_CHECKING:
    from rota.store.copying import Side

Row = sqlite3.Row
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "fuse.sshfs", "afs", "ncpfs"})
_TRIES, _PAUSE = 100, 0.05
_FAULTY_WAL = ((3, 7, 0), (3, 51, 2))
"""From the first version to the last in which two connections that write and checkpoint at once can damage the file."""
_MENDED_WAL = frozenset({(3, 44, 6), (3, 50, 7)})


class SqliteDatabase:
    """A connection that runs named statements and translates SQLite's complaints."""

    dialect = "sqlite"
    is_shared = False
    """It is a file of one machine."""

    def __init__(
        self, path: str, *, patience: float, checkpoints: bool, served_by: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self.path = path
        self._served_by = served_by
        """Who else is at work on it, if that was there before us: an engine of an older rota."""
        self._statements = load_statements(self.dialect)
        self._depth = 0
        _refuse_network(path)
        fresh = not os.path.exists(path)
        try:
            self._connection = sqlite3.connect(
                path, timeout=patience, isolation_level=None, cached_statements=256, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.create_function("now_us", 0, microseconds_now)
            _keep_freed_memory()
            self._prepare(checkpoints=checkpoints, patience=patience)
        except sqlite3.Error as error:
            raise _translated(error, path, opening=True) from error
        if fresh and path != ":memory:":
            os.chmod(path, 0o600)

    def _prepare(self, *, checkpoints: bool, patience: float) -> None:
        execute = self._connection.execute
        execute("PRAGMA busy_timeout = 5000")
        self._write_ahead()
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA cache_size = -2000")
        execute(f"PRAGMA wal_autocheckpoint = {1000 if checkpoints else 0}")
        self._migrate()
        execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")

    def _write_ahead(self) -> None:
        """Change the journal's mode, if nobody has yet: that needs the file for itself, and SQLite does not wait."""
        for _ in range(_TRIES):
            try:
                if self._connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                SystemClock().sleep(_PAUSE)
            else:
                return
        self._connection.execute("PRAGMA journal_mode = WAL")

    def _migrate(self) -> None:
        """Bring the schema to this program's version, under the write lock; refuse one that is too new for it."""
        migrations = load_migrations(self.dialect)
        self.knows = len(migrations)
        if self._version() < self.knows:
            with self.transaction():
                self._migrate_from(self._version(), migrations)
        if self._version() > self.knows:
            refuse_newer(self.path, self.schema(), self.knows)

    def _migrate_from(self, have: int, migrations: Sequence[Migration]) -> None:
        """Change the schema, and write down which programs may work on it from now on."""
        execute = self._connection.execute
        pending = migrations[have:]
        if 0 < have < oldest_after(pending):
            refuse_in_use(self.path, have, pending, self._served_by())
        execute("CREATE TABLE IF NOT EXISTS version (number INTEGER PRIMARY KEY, oldest INTEGER NOT NULL)")
        for each in pending:
            for statement in _split(each.script):
                execute(statement)
            execute("INSERT INTO version (number, oldest) VALUES (?, ?)", [each.number, each.oldest])
            execute(f"PRAGMA user_version = {each.number}")

    def schema(self) -> Schema:
        """Return the schema that the store has; one of which nothing more is written works with its own programs."""
        number = self._version()
        execute = self._connection.execute
        if execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'version'").fetchone() is None:
            return Schema(number, number)
        known, oldest = execute("SELECT max(number), max(oldest) FROM version").fetchone()
        return Schema(number, oldest if known == number else number)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write as one: all of it is on disk afterwards, or none. An inner one joins the outer."""
        if self._depth:
            yield
            return
        self._translate(lambda: self._connection.execute("BEGIN IMMEDIATE"))
        self._depth = 1
        try:
            yield
            self._translate(lambda: self._connection.execute("COMMIT"))
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth = 0

    def all(self, name: str, /, **params: Any) -> list[Row]:
        """Return every row."""
        try:
            return self._connection.execute(self._statements[name], params).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def one(self, name: str, /, **params: Any) -> Row | None:
        """Return the first row, or None."""
        try:
            cursor = self._connection.execute(self._statements[name], params)
            row: Row | None = cursor.fetchone()
            cursor.close()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error
        return row

    def run(self, name: str, /, **params: Any) -> int:
        """Execute and return how many rows it touched."""
        try:
            return self._connection.execute(self._statements[name], params).rowcount
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def later(self, name: str, /, *, must: bool = False, **params: Any) -> None:
        """Execute; there is no way to a file that would be worth saving. See PostgresDatabase.later."""
        if not self.run(name, **params) and must:
            raise StoreBusy(f"{self.path} was changed meanwhile")

    def many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Execute once for each row, and return how many rows were touched in all."""
        try:
            return self._connection.executemany(self._statements[name], rows).rowcount
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def page(self, name: str, filters: Iterable[str], /, **params: Any) -> list[Row]:
        """Return the rows of a statement with the named filters put in."""
        text = self._statements[name].replace("/*filters*/", " ".join(self._statements[part] for part in filters))
        try:
            return self._connection.execute(text, params).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error

    def lock(self, name: str, /, **params: Any) -> None:
        """Lock nothing: whoever has a transaction open is the only one that writes."""

    def version_of_data(self) -> int:
        """Return a number that changes when another process has committed."""
        return int(self._translate(lambda: self._connection.execute("PRAGMA data_version")).fetchone()[0])

    def backup(self, target: str, progress: Callable[[int, int], None]) -> None:
        """Copy the whole store into a new file while it is in use."""

        def step(_status: int, remaining: int, total: int) -> None:
            progress(total - remaining, total)

        try:
            copy = sqlite3.connect(target)
            try:
                self._connection.backup(copy, pages=2000, progress=step, sleep=0.001)
            finally:
                copy.close()
            os.chmod(target, 0o600)
        except sqlite3.Error as error:
            raise _translated(error, target, opening=True) from error

    def faults(self) -> list[str]:
        """Return what an integrity check finds; empty when the file is sound."""
        try:
            rows = [row[0] for row in self._connection.execute("PRAGMA integrity_check(20)").fetchall()]
            orphans = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.Error as error:
            return [str(error)]
        return [row for row in rows if row != "ok"] + [f"{row[0]}: a row refers to nothing" for row in orphans]

    def version(self) -> str:
        """Return the name and the version of what keeps the store."""
        return f"SQLite {library_version()}"

    def side(self) -> Side:
        """Return the database as it is copied from or to."""
        from rota.store.sqlite_copy import SqliteSide

        return SqliteSide(self._connection, self.path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _translate(self, call: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        try:
            return call()
        except sqlite3.Error as error:
            raise _translated(error, self.path) from error


def library_version() -> str:
    """Return the version of the SQLite library in use."""
    return sqlite3.sqlite_version


def _keep_freed_memory() -> None:
    """Make the C library keep what statements free instead of giving it back to the system.

    A statement whose triggers may abort takes 64 KiB and more for its journal, and frees it at its end. Where that lies
    at the top of the heap, glibc returns it to the kernel, and each statement pays for fetching and clearing it again:
    five times the cost of the statement. Freeing one block above its threshold makes glibc raise the threshold.
    """
    bytearray(1 << 20)


def wal_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """Return a sentence if this SQLite has a known fault in its write-ahead log."""
    first, last = _FAULTY_WAL
    mended = any(version[:2] == fixed[:2] and version >= fixed for fixed in _MENDED_WAL)
    if not first <= version <= last or mended:
        return ""
    return (
        f"SQLite {'.'.join(map(str, version))} has a known fault in its write-ahead log (two connections that "
        "checkpoint at once may damage the file). rota lets only the engine checkpoint, which keeps clear of it; "
        "3.51.3, 3.50.7 or 3.44.6 mend it"
    )


def _translated(error: sqlite3.Error, path: str, *, opening: bool = False) -> Exception:
    """Turn SQLite's complaint into ours: passing, damaged, or a bug that is shown as it is.

    A file that could be written until now and cannot any more (no descriptor is left, a disk is read-only after an
    error) is no fault of the home's: it passes, or somebody mends it while jobs run on.
    """
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(f"{path} is locked by another program")
    if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreFull(f"{path} cannot be written: {error}; make room on the disk")
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY):
        if not opening:
            return StoreFull(f"{path} cannot be written: {error}; look at the disk it is on")
        return BadHome(f"{path} cannot be opened: {error}; check that the directory is yours and writable")
    return error


def damaged(path: str, why: str) -> StoreCorrupt:
    """Return the refusal of a store that cannot be trusted."""
    return StoreCorrupt(
        f"{path} is damaged ({why}). rota leaves the file as it is. Move it aside, and its -wal and -shm files with "
        "it if there are any (SQLite would write their content into the next store of that name), and put a backup in "
        "its place (`rota backup FILE` makes them; a backup is a whole store), or start with an empty home"
    )


def _refuse_network(path: str) -> None:
    """Refuse a file on a network file system: SQLite's locks do not hold there."""
    kind = file_system_of(path)
    if kind in _NETWORK_FILE_SYSTEMS:
        raise BadHome(
            f"{path} is on a network file system ({kind}), where SQLite's locks do not hold and files get damaged; "
            "choose a home on a local disk with --home"
        )


def file_system_of(path: str) -> str:
    """Return the type of the file system that holds a path, or nothing where that cannot be told."""
    folder = os.path.realpath(os.path.dirname(path) or ".")
    best, kind = "", ""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                fields, _, rest = line.partition(" - ")
                mount = fields.split(" ")[4].encode().decode("unicode_escape")
                inside = folder == mount or folder.startswith(mount.rstrip("/") + "/")
                if inside and len(mount) >= len(best):
                    best, kind = mount, rest.split(" ", 1)[0]
    except OSError:
        return ""  # no /proc here: not Linux
    return kind


def _split(script: str) -> Iterator[str]:
    """Cut a script into statements; triggers hold semicolons of their own."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise RotaError(f"a migration ends in the middle of a statement: {pending.strip()[:80]}")

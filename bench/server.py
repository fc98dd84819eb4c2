"""A PostgreSQL for measuring: durable, as it comes, with its counters; `ROTA_BENCH_POSTGRES` names another one.

It is a server of its own and not the one of the tests, which keeps nothing: what a commit costs is half of what is
measured here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from bench import subject

_OPTIONS = (
    "-c listen_addresses= -c max_connections=100 -c shared_preload_libraries=pg_stat_statements "
    "-c shared_buffers=256MB -c max_wal_size=4GB"
)
"""Commits wait for the disk; checkpoints come by time, so that none falls into one half of a pair."""
_numbers = count(1)


class Missing(Exception):
    """There is nothing to measure on."""


class Counts(msgspec.Struct, frozen=True):
    """What a server has done so far, or between two moments."""

    commits: int
    statements: int
    wal: int
    """Bytes."""
    cpu: float
    """Seconds of all its processes."""

    def since(self, before: Counts) -> Counts:
        """Return what was done since then."""
        return Counts(
            self.commits - before.commits,
            self.statements - before.statements,
            self.wal - before.wal,
            self.cpu - before.cpu,
        )


class Server:
    """A server that is up, and one connection to it for what is not measured."""

    def __init__(self, url: str, *, own: bool) -> None:
        import psycopg

        self._own = own

        self.url = url
        self.connection: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        self.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        self._postmaster = int(Path(self.ask("SHOW data_directory"), "postmaster.pid").read_text().split("\n")[0])

    def execute(self, text: str, *parameters: object) -> None:
        """Do something."""
        self.connection.execute(text, parameters)  # type: ignore[call-overload]

    def ask(self, text: str, *parameters: object) -> Any:
        """Return the one value that there is."""
        row = self.connection.execute(text, parameters).fetchone()  # type: ignore[call-overload]
        return row[0]

    def column(self, text: str, *parameters: object) -> list[Any]:
        """Return the first value of each row."""
        return [row[0] for row in self.connection.execute(text, parameters)]  # type: ignore[call-overload]

    def counts(self) -> Counts:
        """Return what the server has done so far; the question itself is in it."""
        row = self.connection.execute(
            "SELECT (SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()), "
            "(SELECT sum(calls)::bigint FROM pg_stat_statements), (pg_current_wal_insert_lsn() - '0/0')::bigint"
        ).fetchone()
        assert row is not None
        return Counts(row[0], row[1], row[2], self._cpu())

    def _cpu(self) -> float:
        """Return the CPU seconds of all its processes: of those that live, and of those that have ended."""
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children").read_text().split()
        alive = sum(subject.cpu_seconds(int(pid)) for pid in children)
        fields = Path(f"/proc/{self._postmaster}/stat").read_text().rpartition(")")[2].split()
        return alive + sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def without_vacuum(self) -> Iterator[None]:
        """Keep a server of our own from working by itself; another one goes on as it does."""
        if self._own:
            self.execute("ALTER SYSTEM SET autovacuum TO off")
            self.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            if self._own:
                self.execute("ALTER SYSTEM RESET autovacuum")
                self.execute("SELECT pg_reload_conf()")

    def fresh_store(self) -> str:
        """Return the URL of a store that is not there yet."""
        return f"{self.url}{'&' if '?' in self.url else '?'}schema=bench_{os.getpid()}_{next(_numbers)}"

    def drop(self, schema: str) -> None:
        """Take a schema away again."""
        self.execute("SET client_min_messages = warning")
        self.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@contextmanager
def running() -> Iterator[Server]:
    """Yield a server; raises Missing, which says what is missing."""
    try:
        import psycopg  # noqa: F401 -- only to tell that it is there
    except ImportError:
        raise Missing("psycopg is not installed: pip install 'rota[postgres]'") from None
    named = os.environ.get("ROTA_BENCH_POSTGRES")
    if named:
        yield _opened(named, own=False)
        return
    programs = _programs()
    if programs is None:
        raise Missing("there is no PostgreSQL here: install postgresql, or name one with ROTA_BENCH_POSTGRES")
    folder = tempfile.mkdtemp(prefix="rota-bench-pg-")
    try:
        with _started(programs, folder) as url:
            yield _opened(url, own=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _opened(url: str, *, own: bool) -> Server:
    import psycopg

    try:
        return Server(url, own=own)
    except (psycopg.Error, OSError) as error:
        raise Missing(
            f"{url} cannot be measured: it has to be on this machine, with pg_stat_statements loaded ({error})"
        ) from error


@contextmanager
def _started(programs: Path, folder: str) -> Iterator[str]:
    as_other: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_other = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def run(program: str, *arguments: str) -> None:
        words = [*as_other, str(programs / program), "-D", f"{folder}/data", *arguments]
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
    run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-k {folder} {_OPTIONS}", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


def _programs() -> Path | None:
    """Return where the server's own programs are, the newest first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    return found[-1] if found else Path(on_path).resolve().parent if on_path else None

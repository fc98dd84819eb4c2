"""The floors of a fleet: `python -m bench.skip_locked WHAT URL …`, the least that hosts of one PostgreSQL could do.

A table of (id, state), claims by FOR UPDATE SKIP LOCKED, an UPDATE when something has ended: no ledger, no lease, no
fence, no limits, no output, no shim. Statements are prepared after their fifth use, as psycopg does by itself.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.crew import say, wait_for_go
from bench.server import Server

TABLE = """
CREATE TABLE work (
    id BIGINT PRIMARY KEY, state TEXT NOT NULL, host TEXT NOT NULL DEFAULT '', due TIMESTAMPTZ,
    cancelled BOOLEAN NOT NULL DEFAULT FALSE);
CREATE INDEX work_queued ON work (id) WHERE state = 'queued';
CREATE INDEX work_due ON work (due) WHERE due IS NOT NULL;
CREATE TABLE leader (host TEXT NOT NULL, until TIMESTAMPTZ NOT NULL);
INSERT INTO leader VALUES ('', now());
"""
_CLAIM = """
UPDATE work SET state = 'running'
 WHERE id IN (SELECT id FROM work WHERE state = 'queued' AND host = %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id"""
_SETTLE = "UPDATE work SET state = 'done' WHERE id = ANY(%s)"
_TAKE_DUE = """
WITH taken AS (SELECT id, due FROM work WHERE due <= now() ORDER BY due LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE work SET due = taken.due + interval '1 hour', state = 'running' FROM taken WHERE work.id = taken.id
RETURNING extract(epoch FROM taken.due)::float8, work.id"""
_NEXT_DUE = "SELECT extract(epoch FROM min(due) - now())::float8 FROM work"
_LEAD = "UPDATE leader SET host = %s, until = now() + interval '3 seconds' WHERE host = %s OR until < now() RETURNING 1"


@contextmanager
def table(postgres: Server) -> Iterator[None]:
    """Have the table, empty."""
    postgres.execute("DROP TABLE IF EXISTS work, leader")
    postgres.execute(TABLE)
    yield
    postgres.execute("DROP TABLE work, leader")


def _connect(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True)


def drain(url: str, batch: int) -> None:
    """Claim and settle, so many at a time, until there is nothing left."""
    connection = _connect(url)
    wait_for_go()
    done: list[int] = []
    while True:
        with connection.transaction():
            if done:
                connection.execute(_SETTLE, [done])
            claimed = [row[0] for row in connection.execute(_CLAIM, ["", batch])]
        if not claimed:
            return
        done = claimed


def work(url: str, capacity: int) -> None:
    """Do the same with a process for each, and so many of these at once."""
    connection = _connect(url)
    wait_for_go()
    live: dict[int, int] = {}
    done: list[int] = []
    while True:
        with connection.transaction():
            if done:
                connection.execute(_SETTLE, [done])
            claimed = [row[0] for row in connection.execute(_CLAIM, ["", capacity - len(live)])]
        for each in claimed:
            live[os.posix_spawn("/bin/true", ["true"], os.environ)] = each
        if not live:
            return
        done = _ended(live)


def _ended(live: dict[int, int]) -> list[int]:
    """Wait for one process, and return the work of all that have ended."""
    found = [live.pop(os.wait()[0])]
    while live:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            break
        found.append(live.pop(pid))
    return found


def due(url: str, seconds: float) -> None:
    """Start what is due, for so many seconds, and say how late each was."""
    connection = _connect(url)
    wait_for_go()
    late: list[float] = []
    live: dict[int, int] = {}
    end = time.time() + seconds
    while time.time() < end:
        for at, each in connection.execute(_TAKE_DUE, [64]).fetchall():
            live[os.posix_spawn("/bin/true", ["true"], os.environ)] = each
            late.append(time.time() - at)
        if live:
            connection.execute(_SETTLE, [_ended(live)])
        rest = connection.execute(_NEXT_DUE).fetchone()[0]
        time.sleep(max(0.0, min(rest, end - time.time())))
    say(late)


def listen(url: str, host: str, folder: str, words: Sequence[str]) -> None:
    """Claim what this host is told of, start it with its output in a file, and end what is cancelled."""
    connection = _connect(url)
    connection.execute("LISTEN work")
    wait_for_go()
    live: dict[int, int] = {}
    told: set[int] = set()
    alarm, tell = os.pipe()
    for end in (alarm, tell):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell)
    while True:
        ready, _, _ = select.select([connection, sys.stdin, alarm], [], [], 1.0)
        if sys.stdin in ready:
            break
        if alarm in ready:
            os.read(alarm, 4096)
        list(connection.notifies(timeout=0))
        while live and (pid := os.waitpid(-1, os.WNOHANG)[0]):
            connection.execute(_SETTLE, [[live.pop(pid)]])
        if live:
            wanted = connection.execute("SELECT id FROM work WHERE state = 'running' AND cancelled").fetchall()
            for pid in [pid for pid, each in live.items() if (each,) in wanted and pid not in told]:
                told.add(pid)
                os.killpg(pid, signal.SIGTERM)
        for (each,) in connection.execute(_CLAIM, [host, 1]).fetchall():
            writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            to_file = [(os.POSIX_SPAWN_OPEN, 1, f"{folder}/{each}", writing, 0o600)]
            live[os.posix_spawn(words[0], words, os.environ, file_actions=to_file, setsid=True)] = each
    say(None)


def lead(url: str, host: str) -> None:
    """Be the leader if nobody is, asking once a second, until killed."""
    connection = _connect(url)
    wait_for_go()
    while True:
        connection.execute(_LEAD, [host, host])
        time.sleep(1.0)


def idle(url: str, seconds: float) -> None:
    """Listen, and look once a second whether there is anything."""
    connection = _connect(url)
    connection.execute("LISTEN work")
    wait_for_go()
    end = time.time() + seconds
    while time.time() < end:
        connection.execute("SELECT 1 FROM work WHERE state = 'queued' LIMIT 1")
        list(connection.notifies(timeout=1.0, stop_after=1))
    say(None)


def main(what: str, url: str, *words: str) -> None:
    match what:
        case "drain":
            drain(url, int(words[0]))
            say(time.monotonic())
        case "work":
            work(url, int(words[0]))
            say(time.monotonic())
        case "due":
            due(url, float(words[0]))
        case "listen":
            listen(url, words[0], words[1], words[2:])
        case "lead":
            lead(url, words[0])
        case "idle":
            idle(url, float(words[0]))


if __name__ == "__main__":
    main(*sys.argv[1:])

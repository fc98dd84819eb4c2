"""Those who ask a web process: `python -m bench.visitors ask|listen PORT …`, a process of its own.

In real life they are on other machines. So this one has a session of its own and the least priority that the system
knows, in both of the ways in which Linux weighs processes: what is measured beside it is the web process, and not it.
"""

from __future__ import annotations

import itertools
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

MIX = ("/summary", "/jobs?limit=20", "/runs?limit=20", "/timeline?limit=100", "/jobs/job-000003", "/runs/{run}")
"""What an open dashboard and a script or two ask for."""
CONNECTIONS = 8
_PATIENCE = 30.0
_READY = b"ready\n"
_OPENING = 0.002
"""Between two streams: five hundred at once would be a queue of connections, and not what is measured."""


class Asked(msgspec.Struct):
    """What became of requests: how long each answer took, from the moment in which it was to be asked for."""

    took: list[float]
    failed: int


class Listened(msgspec.Struct):
    """What became of streams."""

    opened: int
    refused: int
    bytes: int
    ended: int


class Visitors:
    """A process that asks or listens, for so many seconds."""

    def __init__(self, what: str, port: int, count: int, seconds: float, token: str, run: str) -> None:
        words = [sys.executable, "-m", "bench.visitors", what, str(port), str(count), str(seconds), run]
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"TOKEN": token},
        )

    def wait_until_ready(self) -> None:
        """Wait until those who listen all do."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == _READY

    def asked(self) -> Asked:
        """Wait until it has ended, and return what became of its requests."""
        return msgspec.json.decode(self._said(), type=Asked)

    def listened(self) -> Listened:
        """Let it end, and return what became of its streams."""
        return msgspec.json.decode(self._said(), type=Listened)

    def _said(self) -> bytes:
        said, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("whoever asks has failed")
        return said


def _step_back() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError), open("/proc/self/autogroup", "w", encoding="ascii") as file:
        file.write("19")


# -- asking -----------------------------------------------------------------------------------------------------------


def ask(port: int, requests: Sequence[bytes], per_second: float, seconds: float) -> Asked:
    """Ask over some connections at once, so many things a second together."""
    asked = [Asked([], 0) for _ in range(CONNECTIONS)]
    begin = time.monotonic()

    def go(number: int) -> None:
        turned = [*requests[number % len(requests) :], *requests[: number % len(requests)]]
        at = begin + number / per_second
        _ask_on(port, turned, CONNECTIONS / per_second, at, begin + seconds, asked[number])

    threads = [threading.Thread(target=go, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Asked([each for one in asked for each in one.took], sum(one.failed for one in asked))


def _ask_on(port: int, requests: Sequence[bytes], pause: float, begin: float, until: float, asked: Asked) -> None:
    """Ask at that pace. Who waits for an answer is late with the next question, and its answer is as late."""
    connection: socket.socket | None = None
    for number, request in enumerate(itertools.cycle(requests)):
        due = begin + number * pause
        if due >= until:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            connection = connection or socket.create_connection(("127.0.0.1", port), _PATIENCE)
            _ask(connection, request)
        except OSError:
            asked.failed += 1
            if connection is not None:
                connection.close()
                connection = None
        else:
            asked.took.append(time.monotonic() - due)
    if connection is not None:
        connection.close()


def _ask(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    head, body = _head(connection)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    length = re.search(rb"(?i)content-length: (\d+)", head)
    assert length is not None, "every answer here says how long it is"
    left = int(length[1]) - len(body)
    while left > 0:
        left -= len(_some(connection))


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    found = b""
    while b"\r\n\r\n" not in found:
        found += _some(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    return head, body


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(1 << 16)
    if not found:
        raise ConnectionResetError
    return found


# -- listening --------------------------------------------------------------------------------------------------------


def listen(port: int, request: bytes, count: int) -> Listened:
    """Open streams, say so, and read what comes until standard input ends."""
    listened = Listened(0, 0, 0, 0)
    with selectors.DefaultSelector() as selector:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), _PATIENCE)
            connection.sendall(request)
            head, _ = _head(connection)
            if head.startswith(b"HTTP/1.1 200"):
                listened.opened += 1
                selector.register(connection, selectors.EVENT_READ)
            elif head.startswith(b"HTTP/1.1 503"):
                listened.refused += 1
                connection.close()
            else:
                raise RuntimeError(head.decode())
            time.sleep(_OPENING)
        sys.stdout.buffer.write(_READY)
        sys.stdout.buffer.flush()
        selector.register(sys.stdin, selectors.EVENT_READ)
        over = False
        while not over:
            for key, _ in selector.select():
                over = over or key.fileobj is sys.stdin
                if not isinstance(key.fileobj, socket.socket):
                    continue
                got = len(key.fileobj.recv(1 << 18))
                listened.bytes += got
                if not got:
                    listened.ended += 1
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
        for key in selector.get_map().values():
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
    return listened


def _request(port: int, path: str, token: str) -> bytes:
    return f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def main(what: str, port: int, count: int, seconds: float, run: str) -> None:
    """Do it, and print what became of it."""
    _step_back()
    token = os.environ["TOKEN"]
    found: Asked | Listened
    if what == "ask":
        found = ask(port, [_request(port, path.format(run=run), token) for path in MIX], count, seconds)
    else:
        found = listen(port, _request(port, "/events", token), count)
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])

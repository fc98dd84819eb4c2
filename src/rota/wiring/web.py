"""`rota web`, put together: the REST API and the pages on a port of this machine and on a socket in the home.

It is a process of its own. It reads the store and calls verbs; its load, or its death, holds up nothing.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rota.api.app import create_app
from rota.api.gate import Gate
from rota.api.who import PEER, Owner
from rota.errors import PortTaken
from rota.process.leash import Leash
from rota.process.peers import uid_of_peer
from rota.wiring.desks import ClientDesks

_SOCKET = "web.sock"
_MOST_CONNECTIONS = 1_000
_BACKLOG = 256
_SECONDS_FOR_A_HEAD = 15.0
_SECONDS_TO_CLOSE = 3
_LOOK = 0.5
_LOCAL = ("localhost", "127.0.0.1", "::1")


def serve_web(home: str, host: str, port: int, allowed: Sequence[str], say: Callable[[str], None]) -> None:
    """Serve until the engine that started this has gone, or somebody asks."""
    listening = [_listen(host, port)]
    with suppress(OSError):  # a path that is too long for a socket: then there is the port
        listening.append(_listen_at(os.path.join(home, _SOCKET)))
    desks = ClientDesks(home)
    uid = os.stat(home).st_uid
    app = Gate(create_app(desks, Owner(uid, _name_of(uid))), {*_LOCAL, host, *allowed})
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connection,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_SECONDS_TO_CLOSE,
        )
    )
    thread = threading.Thread(target=server.run, args=(listening,), name="web")
    with Leash() as leash:
        thread.start()
        say(f"pages and REST on http://{_shown(host)}:{listening[0].getsockname()[1]}")
        while thread.is_alive() and not leash.wait(_LOOK):
            pass
        server.should_exit = True
        thread.join()
    desks.close()
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(home, _SOCKET))


class Connection(H11Protocol):
    """A connection that knows whose process is at the other end, and that ends when a request does not come."""

    _too_slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as h11_impl has it
        """Look who it is, once."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, PEER: uid_of_peer(transport.get_extra_info("socket"))}
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Go on; a request that has begun must come to the end of its head in time."""
        before = self.scope
        super().data_received(data)
        if self.scope is not before:
            self._expect_nothing()
        elif self._too_slow is None and (self.cycle is None or self.cycle.response_complete):
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._too_slow = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        raise PortTaken(f"nobody can be heard on {_shown(host)}:{port}: {error.strerror or error}") from error
    made.listen(_BACKLOG)
    return made


def _listen_at(path: str) -> socket.socket:
    """Listen at a path that only its owner can open; the one of a process that was killed is in its place no more."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        made.bind(path)
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    made.listen(_BACKLOG)
    return made


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

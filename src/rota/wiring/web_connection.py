"""A connection to the web process: it knows whose process is at the other end, and ends when nothing comes of it.

1. A request must come to the end of its head in time, and whoever has asked must take the answer.
2. Nobody has so many connections that there are none for others: a user of this machine, an address, or a network that
   is given to somebody is counted as one (api/callers.py). All strangers together leave some for the user that this
   process runs as, who alone may have all of them: a browser, or a program of theirs, holds many streams open. A proxy
   that was named as trusted stands for many people, so it may have as many as all strangers.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from rota.api.callers import PEER, SOCKET, is_in, party_of
from rota.process.peers import uid_of_peer

MOST = 1_000
_MOST_OF_STRANGERS = 750
_MOST_OF_ONE = 250
_SECONDS_FOR_A_HEAD = 15.0
_SECONDS_FOR_A_READER = 60.0
_LEAST_READ = 16 << 10
"""So many bytes of what waits for a reader must have gone after that time, or all of it."""
_AT_ONCE = struct.pack("ii", 1, 0)
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Connection(H11Protocol):
    """A connection that knows whose process is at the other end, and that ends when nothing comes of it."""

    is_owners = False
    """Whether the user that this process runs as is at the other end."""
    party = ""
    _too_slow: asyncio.TimerHandle | None = None
    _reader_too_slow: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, proxies: Sequence[IPv4Network | IPv6Network] = (), **named: Any) -> None:
        super().__init__(*given, **named)
        self._proxies = proxies

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as h11_impl has it
        """Look who it is, once."""
        super().connection_made(transport)
        uid, address = uid_of_peer(transport.get_extra_info("socket")), self.client[0] if self.client else SOCKET
        self.app_state = {**self.app_state, PEER: uid}
        self.is_owners, self.party = uid == os.geteuid(), party_of(address, uid)
        if self._is_one_too_many(is_in(address, self._proxies)):
            transport.write(_TOO_MANY)
            transport.close()
        else:
            self._expect()

    def data_received(self, data: bytes) -> None:
        """Go on; a request that has begun must come to the end of its head in time."""
        before = self.scope
        super().data_received(data)
        if self.scope is not before:
            self._expect_nothing()
        elif self._too_slow is None and (self.cycle is None or self.cycle.response_complete):
            self._expect()

    def pause_writing(self) -> None:
        """Wait for a reader who takes less than there is, but not for ever: what waits is in memory."""
        super().pause_writing()
        self._look_again(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Go on: the reader has taken what there was."""
        self._have_patience()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._expect_nothing()
        self._have_patience()
        super().connection_lost(exc)

    def _is_one_too_many(self, is_proxys: bool) -> bool:
        if self.is_owners:
            return False  # who may end this process may as well fill it
        strangers = [each.party for each in self.connections if isinstance(each, Connection) and not each.is_owners]
        return len(strangers) > _MOST_OF_STRANGERS or (not is_proxys and strangers.count(self.party) > _MOST_OF_ONE)

    def _expect(self) -> None:
        self._too_slow = self.loop.call_later(_SECONDS_FOR_A_HEAD, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._too_slow is not None:
            self._too_slow.cancel()
            self._too_slow = None

    def _look_again(self, waiting: int) -> None:
        self._reader_too_slow = self.loop.call_later(_SECONDS_FOR_A_READER, self._look_at_the_reader, waiting)

    def _look_at_the_reader(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting > before - _LEAST_READ:
            # To close it would wait for the same reader, and so would the kernel with what it has.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()
        else:
            self._look_again(waiting)

    def _have_patience(self) -> None:
        if self._reader_too_slow is not None:
            self._reader_too_slow.cancel()
            self._reader_too_slow = None

"""A connection to the web process: it knows whose process is at the other end, and ends when no request comes."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from rota.api.who import PEER
from rota.process.peers import uid_of_peer

_SECONDS_FOR_A_HEAD = 15.0


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

"""Being told by PostgreSQL that there is something to do, at once; looking once a second stands behind that.

A connection of its own LISTENs on a channel with the schema's name; triggers send on it when a run becomes ready, is to
be cancelled, or a host is drained. It waits in a thread: a link that is cut without a word, and the next connection,
keep the engine from nothing. What arrives is passed on as a byte on a descriptor that the engine waits on anyway.
"""

from __future__ import annotations

import contextlib
import socket
import threading

import psycopg
from psycopg import sql

from rota.errors import RotaError
from rota.store.address import Address
from rota.store.postgres_connection import connect

_LOOK = 1.0
_AGAIN = 2.0
_PATIENCE = 1.0


class Listener:
    """Passes on what the channel of a store's schema says."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._stopping = threading.Event()
        self._heard, self._tells = socket.socketpair()
        self._heard.setblocking(False)
        self._tells.setblocking(False)
        self.fd = self._heard.fileno()
        self._thread = threading.Thread(target=self._run, name="rota listens", daemon=True)
        self._thread.start()

    def drain(self) -> bool:
        """Take what was heard, and tell whether there was anything."""
        heard = False
        with contextlib.suppress(BlockingIOError):
            while self._heard.recv(4096):
                heard = True
        return heard

    def close(self) -> None:
        """Stop listening."""
        self._stopping.set()
        self._thread.join(2 * _LOOK)
        self._heard.close()
        self._tells.close()

    def _run(self) -> None:
        """Listen until told to stop; a connection that is lost, or cannot be made, is made again."""
        while not self._stopping.is_set():
            with contextlib.suppress(psycopg.Error, RotaError):
                self._listen()
            self._stopping.wait(_AGAIN)

    def _listen(self) -> None:
        with connect(self._address, _PATIENCE) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._address.schema)))
            self._tell()  # what was said before this is known by looking
            while not self._stopping.is_set():
                for _ in connection.notifies(timeout=_LOOK, stop_after=1):
                    self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(OSError):  # it is full of what nobody has heard yet, or was closed meanwhile
            self._tells.send(b".")

"""The key of access tokens where hosts share a store: a fact of the store, so that each believes tokens of the others.

Hosts have nothing else in common. A store in a home has its key beside it (web_files.py), so that a copy of the store
opens nothing; who can read a shared store can make access tokens for people who are signed in, and its role for rota
belongs to nobody else.
"""

from __future__ import annotations

import os
import threading

from rota.control.desk import Desks

_FACT = "web.key"
_KEY_BYTES = 32


class KeyInStore:
    """Made when it is first needed, by whichever host is first, and the same for all from then on."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._lock = threading.Lock()
        self._key = b""

    def key(self) -> bytes:
        """Return the key."""
        with self._lock:
            self._key = self._key or self._kept()
        return self._key

    def _kept(self) -> bytes:
        with self._desks.borrow() as desk, desk.store.transaction():
            known = desk.store.upkeep.fact(_FACT)  # which holds its place, so that two hosts do not make two
            if known is None:
                known = os.urandom(_KEY_BYTES).hex()
                desk.store.upkeep.put_fact(_FACT, known)
        return bytes.fromhex(known)

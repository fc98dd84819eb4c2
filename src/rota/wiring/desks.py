"""Desks for the threads that serve requests: a few open stores, lent one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rota.wiring.client import Client

_KEPT = 4
"""A database has few connections, for all hosts and everybody else."""


class ClientDesks:
    """See control.desk.Desks. A few stores stay open, more are opened while many ask at once."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._free: list[Client] = []
        self._closed = False

    @contextmanager
    def borrow(self) -> Iterator[Client]:
        """Lend a desk; the one that was given back last, whose cache is warm."""
        with self._lock:
            desk = self._free.pop() if self._free else None
        desk = desk or Client(self._home, must_exist=True)
        try:
            yield desk
        finally:
            self._take_back(desk)

    def _take_back(self, desk: Client) -> None:
        with self._lock:
            keeps = not self._closed and len(self._free) < _KEPT
            if keeps:
                self._free.append(desk)
        if not keeps:
            desk.close()

    def close(self) -> None:
        """Close the stores; those that are lent are closed when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for desk in free:
            desk.close()

"""Desks for the threads that serve requests: a few open stores, lent one at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rota.wiring.client import Client


class ClientDesks:
    """See control.desk.Desks. As many stores are open as requests were ever served at once."""

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
            with self._lock:
                if not self._closed:
                    self._free.append(desk)
                    desk = None
            if desk is not None:
                desk.close()

    def close(self) -> None:
        """Close the stores; those that are lent are closed when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for desk in free:
            desk.close()

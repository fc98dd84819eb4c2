"""Word of attempts that have failed, while their run goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class Word:
    """Takes the ids of runs that an attempt has failed of, from any thread, and tells of them in one of its own.

    The engine's thread, which is the first to know, holds a lock that whoever looks at a run needs: it must not wait.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._runs: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._go_on, name="autocron attempts", daemon=True)
        self._thread.start()

    def take(self, run_id: str) -> None:
        """Let it be told that something has happened to a run."""
        self._runs.put(run_id)

    def _go_on(self) -> None:
        while (run_id := self._runs.get()) is not None:
            self._tell(run_id)

    def close(self) -> None:
        """Tell of what has come so far, and end."""
        self._runs.put(None)
        self._thread.join()

"""Waiting for the engine of another program to end, to go on in its place.

Of several programs on one home (the workers of a web server, say) one has the engine; when it ends, another one takes
up its work within a second. `rota serve` is nobody's to replace: whoever runs it starts it again, and would then find
its place taken. So its end is only said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from rota.errors import EngineRunning, RotaError
from rota.ports import Log
from rota.process.lock import IN_PROGRAM, Holder, holder_of

_LOOK = 0.5
_MISSED = 10
"""After so many looks without an engine somebody should hear of it; a restart takes less."""


class Standby:
    """Looks after the lock of a home from a thread, and begins when it is free."""

    def __init__(self, home: str, begin: Callable[[], None], log: Log) -> None:
        self._home, self._begin, self._log = home, begin, log
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="rota standby", daemon=True)
        self._last = holder_of(home)
        self._missing = 0
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK):
            holder = holder_of(self._home)
            if holder is not None:
                self._last, self._missing = holder, 0
            elif self._take_over(self._last):
                return

    def _take_over(self, last: Holder | None) -> bool:
        """Take the place of an engine that has ended, if it was a program's; tell whether that is done."""
        self._missing += 1
        if last is not None and last.kind != IN_PROGRAM:
            if self._missing == _MISSED:
                self._log.warning(
                    f"nobody serves {self._home} any more: its jobs wait until `rota serve` is started again"
                )
            return False
        try:
            self._begin()
        except EngineRunning:
            return False  # another one was faster
        except (RotaError, OSError) as error:
            if self._missing == 1:
                self._log.error(
                    f"the engine that served {self._home} has ended, and its place cannot be taken: {error}"
                )
            return False
        self._log.info(f"the engine that served {self._home} has ended; this program has taken its place")
        return True

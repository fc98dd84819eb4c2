"""An engine that turns in a thread of somebody's program.

The store has one connection, which the engine and the program's threads share under a lock: a turn holds it for some
milliseconds, a verb for less. Waiting holds nothing. Whoever waits for something to happen (a run's end) is told after
each turn.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from rota.engine.loop import Engine
from rota.ports import Clock, Log

_LONGEST_REST = 1.0
_LOOK = 0.2
_HURRY = 0.05


class Background:
    """Turns an engine until it is asked to stop."""

    def __init__(self, engine: Engine, lock: threading.RLock, clock: Clock, log: Log, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._log = log
        self._wake = wake
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.turned = threading.Condition(lock)
        """Notified after every turn."""
        self._hurried = False
        """Set from a signal handler, so it is nothing that has a lock."""
        self.broken: BaseException | None = None
        """What ended the engine, if that was no stop."""

    def start(self) -> None:
        """Adopt what is left of the last time, and begin to turn."""
        with self.turned:
            self._engine.start()
        self._thread = threading.Thread(target=self._run, name="rota engine", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                with self.turned:
                    rest = self._engine.turn()
                    self.turned.notify_all()
                self._engine.wait(min(rest, _LONGEST_REST if self._engine.planning else _HURRY))
        except BaseException as error:  # noqa: BLE001 -- whatever it is, whoever waits for a run must hear of it
            self.broken = error
            story = "".join(traceback.format_exception(error))
            self._log.error(f"the engine has ended by a fault, and nothing is started any more: {story}")
        finally:
            with self.turned:
                self.turned.notify_all()

    @property
    def is_running(self) -> bool:
        """Tell whether it turns."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self, patience: float | None, *, kill: bool, grace: float = float("inf")) -> list[str]:
        """Plan nothing more, wait for what runs, and return the runs that are left.

        `patience` is how many seconds to wait, None for as long as it takes; `kill` ends what is left after that, and
        `grace` is how many seconds it has to end when it is asked to, if its job gives it more.
        """
        if not self.is_running:
            return []
        self._engine.planning = False
        self._wake()
        self._wait_until_idle(patience)
        if kill or self._hurried:
            self._end(grace)
        self._stopping.set()
        self._wake()
        assert self._thread is not None, "it is running"
        self._thread.join()
        with self.turned:
            self._engine.stopped()
            return list(self._engine.flights)

    def hurry(self) -> None:
        """Let a stop that waits for what runs wait no more, and end it; from a signal handler, too."""
        self._hurried = True

    def _end(self, grace: float) -> None:
        """End what runs, and wait until it has ended; when somebody hurries meanwhile, its grace is over."""
        for most in (0.0,) if self._hurried else (grace, 0.0):
            with self.turned:
                self._engine.end_all("the scheduler was stopped", most)
            self._wake()
            if self._wait_until_idle(None, hurried=most == 0.0):
                return

    def _wait_until_idle(self, patience: float | None, *, hurried: bool = False) -> bool:
        """Wait until nothing runs any more; False when the patience is over, or somebody hurries who did not before."""
        deadline = None if patience is None else self._clock.monotonic() + patience
        with self.turned:
            while self._engine.flights and self.is_running:
                left = _LOOK if deadline is None else deadline - self._clock.monotonic()
                if left <= 0 or (self._hurried and not hurried):
                    return False
                self.turned.wait(min(left, _LOOK))
        return True

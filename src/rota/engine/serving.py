"""Running an engine until somebody asks it to stop: signals, the stop itself, and process 1's duty to orphans."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from rota.engine.flights import Flight
from rota.engine.keeping import Keeper
from rota.engine.loop import Engine
from rota.engine.reloading import Reloader
from rota.engine.settings import EngineSettings, OnStop
from rota.errors import HomeGone
from rota.ports import Clock, Log

_Handler = Callable[[int, FrameType | None], Any] | int | None
_NAMED = 10
_HURRY = 0.1
_LOOK = 1.0


class Server:
    """Turns and waits. TERM or INT: plan nothing more, wait a grace, then leave, wait for or kill what runs."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        log: Log,
        settings: EngineSettings,
        reap: Callable[[], None] | None,
        *,
        hear_children: bool,
        ground: Callable[[], str] = lambda: "",
        files: Reloader | None = None,
        keepers: Sequence[Keeper] = (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._log = log
        self._settings = settings
        self._reap = reap
        self._hear_children = hear_children
        self._ground = ground
        """Says what is wrong with the home itself; nothing while it is as it was."""
        self._looked = float("-inf")
        self._files = files
        self._beside: list[Reloader | Keeper] = [*([files] if files is not None else []), *keepers]
        self._stops = 0
        self._seen = 0
        self._hangups = 0
        self._give_up: float | None = None
        self._awake, self._alarm = socket.socketpair()
        self.fd = self._awake.fileno()

    def run(self, begin: Callable[[], None]) -> None:
        """Begin, and serve until asked to stop; who asks while it begins is heard as well."""
        before = self._install()
        try:
            begin()
            while not self._done():
                self._look_down()
                rest = self._engine.turn()
                if not self._stops:
                    rest = min([rest, *(each.tick(self._clock.monotonic()) for each in self._beside)])
                self._engine.wait(min(rest, self._patience()))
                self._heed()
            self._report()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(-1)

    def close(self) -> None:
        """Close the descriptors that signals wake."""
        self._awake.close()
        self._alarm.close()

    def _install(self) -> dict[signal.Signals, _Handler]:
        self._awake.setblocking(False)
        self._alarm.setblocking(False)
        signal.set_wakeup_fd(self._alarm.fileno(), warn_on_full_buffer=False)

        def stop(*_: object) -> None:
            self._stops += 1

        def hangup(*_: object) -> None:
            self._hangups += 1

        handlers: dict[signal.Signals, _Handler] = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: hangup}
        if self._hear_children:
            handlers[signal.SIGCHLD] = lambda *_: None  # only its byte on the wakeup descriptor is wanted
        before: dict[signal.Signals, _Handler] = {
            number: signal.signal(number, handler) for number, handler in handlers.items()
        }
        if hasattr(signal, "SIGIO"):
            # Somebody opening a spool file in the microseconds that we hold its lease would make the kernel send this.
            before[signal.SIGIO] = signal.signal(signal.SIGIO, signal.SIG_IGN)
        return before

    def _look_down(self) -> None:
        """Once a second: stop at once when the home is not ours any more; the next engine adopts what runs."""
        monotonic = self._clock.monotonic()
        if monotonic - self._looked < _LOOK:
            return
        self._looked = monotonic
        problem = self._ground()
        if problem:
            self._log.error(problem)
            raise HomeGone(problem)

    def _heed(self) -> None:
        """Act on what signals have left."""
        try:
            while self._awake.recv(4096):
                pass
        except BlockingIOError:
            pass
        if self._reap is not None:
            self._reap()
        if self._hangups:
            self._hangups = 0
            self._log.reopen()
            if self._files is not None:
                self._files.ask()
            else:
                self._log.info("SIGHUP: there are no job files to read again")
        if self._stops > self._seen:
            self._begin_stop(again=self._seen > 0)
            self._seen = self._stops

    def _begin_stop(self, *, again: bool) -> None:
        running = len(self._engine.flights)
        self._engine.planning = False
        if again or self._settings.on_stop is OnStop.KILL:
            self._log.warning(f"stopping: ending {_attempts(running)}")
            self._give_up = None
            self._engine.end_all("the engine was stopped")
            return
        if self._settings.on_stop is OnStop.WAIT:
            self._log.info(f"stopping: waiting for {_attempts(running)}; a second signal ends them")
            return
        grace = self._settings.stop_grace.total_seconds()
        self._give_up = self._clock.monotonic() + grace
        if running:
            self._log.info(f"stopping: giving {_attempts(running)} {grace:g}s; a second signal ends them")

    def _done(self) -> bool:
        if not self._stops:
            return False
        if not self._engine.flights:
            return True
        return self._give_up is not None and self._clock.monotonic() >= self._give_up

    def _patience(self) -> float:
        if self._give_up is None:
            return 1.0 if not self._stops else _HURRY
        return max(0.0, self._give_up - self._clock.monotonic())

    def _report(self) -> None:
        """Name what is left running; the next engine adopts it."""
        left = list(self._engine.flights.values())
        if left:
            self._log.info(f"stopped; left running, to be adopted by the next engine: {_names(left)}")
        else:
            self._log.info("stopped; nothing is left running")
        self._engine.stopped()


def is_process_one() -> bool:
    """Tell whether orphans of the whole container become our children."""
    return os.getpid() == 1


def _attempts(count: int) -> str:
    return f"{count} running attempt{'' if count == 1 else 's'}"


def _names(flights: list[Flight]) -> str:
    names = [f"{flight.job.name} ({flight.run_id})" for flight in flights[:_NAMED]]
    more = len(flights) - _NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")

"""Keeping a process of rota's own alive beside the engine: the one that writes people's log, the one with the pages.

It is started with the engine, and again whenever it ends, after a pause that doubles each time that it does not last.
It holds on to the engine by a pipe (see process/beside.py), so it ends when the engine does, however that was. What it
says while it runs goes into the engine's log, where somebody may look: that it cannot write what it is there to write,
or, as a mere note, where it can be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rota.engine.reloading import HelperEnd
from rota.ports import Log

_LASTED = 30.0
_FIRST, _LONGEST = 1.0, 60.0
_NOTHING = 3600.0
_LINES = 5
_OURS = "rota: "
_NOTE = "rota: note: "
"""How a line begins that tells of nothing wrong."""


class Helpers(Protocol):
    """Starts processes of rota's own; see process/beside.py."""

    def start(self, name: str, words: Sequence[str]) -> None: ...  # noqa: D102 -- the sentence stands at the implementation
    def let_go(self, name: str) -> None: ...  # noqa: D102 -- the same
    def new_lines(self, name: str) -> list[str]: ...  # noqa: D102 -- the same
    def take_end(self, name: str) -> HelperEnd | None: ...  # noqa: D102 -- the same


class Keeper:
    """Keeps one helper running, or none when it has no words."""

    def __init__(self, name: str, helpers: Helpers, log: Log) -> None:
        self._name = name
        self._helpers = helpers
        self._log = log
        self._words: tuple[str, ...] = ()
        self._running: tuple[str, ...] = ()
        """What the helper that runs was started with."""
        self._began = self._due = float("-inf")
        self._pause = _FIRST

    def want(self, words: Sequence[str]) -> None:
        """Say what is to run from now on; nothing means that none is to run."""
        self._words = tuple(words)

    def tick(self, monotonic: float) -> float:
        """Do what is due, and return for how many seconds there is nothing to do.

        1. What it has said since the last time is passed on.
        2. One that has ended is told of, and started again after a pause.
        3. One that runs with other words than are wanted is let go; it ends, and the next one is started.
        """
        if self._running:
            self._pass_on(self._helpers.new_lines(self._name))
            end = self._helpers.take_end(self._name)
            if end is None:
                if self._running != self._words:
                    self._helpers.let_go(self._name)
                return _FIRST
            self._note(end, monotonic)
        if not self._words:
            return _NOTHING
        if monotonic < self._due:
            return self._due - monotonic
        try:
            self._helpers.start(self._name, self._words)
        except OSError as error:
            self._put_off(monotonic)
            rest = self._due - monotonic
            self._log.error(f"rota {self._name} cannot be started: {error}; it is tried again in {rest:g}s")
            return rest
        self._running, self._began = self._words, monotonic
        return _FIRST

    def _pass_on(self, lines: list[str]) -> None:
        for line in lines[:_LINES]:
            if line.startswith(_NOTE):
                self._log.info(line.removeprefix(_NOTE))
            else:
                self._log.warning(f"rota {self._name} says: {line.removeprefix(_OURS)}")
        if len(lines) > _LINES:
            self._log.warning(f"rota {self._name} says {len(lines) - _LINES} lines more, which are left out")

    def _note(self, end: HelperEnd, monotonic: float) -> None:
        wanted, self._running = self._running == self._words, ()
        if not wanted:
            return
        lasted = monotonic - self._began >= _LASTED
        self._pause = _FIRST if lasted else self._pause
        self._put_off(monotonic)
        said = "".join(f"; it said: {line}" for line in end.lines[-_LINES:])
        again = f"it is started again in {self._due - monotonic:g}s"
        self._log.error(f"rota {self._name} has ended (exit code {end.code}); {again}{said}")

    def _put_off(self, monotonic: float) -> None:
        self._due = monotonic + self._pause
        self._pause = min(_LONGEST, 2 * self._pause)

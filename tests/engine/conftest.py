"""An engine on a machine on paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from rota.control.verbs import Verbs
from rota.engine.loop import Engine
from rota.engine.settings import EngineSettings
from rota.ids import RunIds
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Overlap, Policy, Retries
from rota.model.run import Run, State
from rota.model.settlement import RunFilter
from rota.store.sqlite import SqliteDatabase

from .fleets import Fleet
from .machine import Act, FakeClock, FaultyStore, ListLog, NoPokes, ScriptedLauncher

HOST = "home"
_MOST_TURNS_AT_ONCE = 500
_BLINK = 1e-6


class World:
    """Everything around one engine, and short words for a test's story."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FaultyStore(SqliteDatabase(":memory:", patience=0.0, checkpoints=True))
        self.launcher = ScriptedLauncher(self.clock)
        self.log, self.pokes = ListLog(), NoPokes()
        self.ids = RunIds()
        self.verbs = Verbs(self.store, self.clock, HOST, self.ids.new, self._poke)
        self.rest = 0.0
        self.boot()

    def _poke(self) -> None:
        self.pokes.poked = True

    def boot(self, **settings: Any) -> Engine:
        """Start an engine; one that was there before is gone, as after a kill."""
        settings.setdefault("capacity", 4)
        self.engine = Engine(
            self.store, self.launcher, self.clock, self.log, self.pokes, HOST, EngineSettings(**settings), self.ids.new
        )
        self.engine.start()
        return self.engine

    def crash(self) -> None:
        """The engine is gone; what it started goes on, and its own memory is empty."""
        self.launcher.processes = {}
        self.launcher.reserved = []

    # -- a story ----------------------------------------------------------------------------------------------------

    def add(self, name: str, *schedules: str, act: Act | list[Act] | None = None, **policy: Any) -> None:
        """Add a job; a schedule is '5m', or '10m after' for one that counts from the end."""
        specs = tuple(
            ScheduleSpec("every", text.removesuffix(" after"), from_end=text.endswith(" after")) for text in schedules
        )
        if act is not None:
            self.launcher.script[name] = act if isinstance(act, list) else [act]
        policy["overlap"] = Overlap(policy.get("overlap", "skip"))
        if isinstance(policy.get("retries"), dict):
            policy["retries"] = Retries(**{"jitter": 0.0, **policy["retries"]})
        self.verbs.add(Job(name, Shell("true"), specs, Policy(**policy), timezone="UTC"))

    def live(self, span: timedelta | float) -> None:
        """Let time pass: turn whenever the engine wants to, or something ends."""
        left = span.total_seconds() if isinstance(span, timedelta) else span
        deadline, busy = self.clock.monotonic() + left, 0
        while True:
            self.rest = self.engine.turn()
            wake = self.clock.monotonic() + self.rest
            ends = self.launcher.next_end()
            wake = min(wake, deadline, *([] if ends is None else [max(ends, self.clock.monotonic())]))
            step = wake - self.clock.monotonic()
            busy = busy + 1 if step <= _BLINK else 0
            assert busy < _MOST_TURNS_AT_ONCE, "the engine spins"
            if busy > _MOST_TURNS_AT_ONCE / 2:
                step = _BLINK  # real time always moves a little, and gets floats over their last digit
            if self.clock.monotonic() >= deadline and self.rest > 0 and (ends is None or ends > deadline):
                return
            self.clock.pass_(step)

    def sleep_without_engine(self, span: timedelta) -> None:
        self.clock.pass_(span.total_seconds())

    # -- facts ------------------------------------------------------------------------------------------------------

    def runs(self, name: str) -> list[Run]:
        stored = self.store.jobs.find(name)
        assert stored is not None
        return self.store.runs.page(RunFilter(stored.id), None, 10_000)[::-1]

    def states(self, name: str) -> list[State]:
        return [run.state for run in self.runs(name)]

    def run(self, name: str) -> Run:
        (run,) = self.runs(name)
        return run

    def skips(self, name: str) -> list[tuple[str, int]]:
        stored = self.store.jobs.find(name)
        assert stored is not None
        found = self.store.ledger.page(
            stored.id, datetime.min.replace(tzinfo=self.clock.now().tzinfo, year=1990), None, 100
        )
        return [(record.skip.code.value, record.skip.count) for record in reversed(found)]

    def since(self, start: datetime) -> list[tuple[float, str]]:
        return [((at - start).total_seconds(), name) for at, name, _ in self.launcher.starts]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.close()


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    made = Fleet()
    yield made
    made.store.close()

"""A machine on paper: a clock that jumps, processes that follow a script, a store that can be made to refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from rota.errors import CannotStart, StoreUnavailable
from rota.model.job import Job
from rota.model.run import OutputPart, Run
from rota.model.settlement import Claimed, Exit, Harvest
from rota.plan.adopt import Evidence
from rota.process.live import Nothing
from rota.store.store import TableStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """Time that passes only when a test says so."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now, self._monotonic = now, 1_000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)

    def jump(self, by: timedelta) -> None:
        """Set the wall clock, as an operator or a time server does."""
        self._now += by


class Act(msgspec.Struct):
    """What one attempt will do."""

    seconds: float | None = 1.0
    """None: until it is ended."""
    code: int | None = 0
    heeds_term: bool = True
    refuses: CannotStart | None = None
    output: bytes = b""
    result: str | None = None
    leaves: float | None = None
    """How many seconds something of it lives on after SIGTERM or its end; None: nothing does."""


class Process(msgspec.Struct):
    claimed: Claimed
    act: Act
    started: float
    ends: float | None
    code: int | None
    told: bool = False
    gone: float = 0.0
    """When the last of its tree is gone."""


class ScriptedLauncher:
    """See ports.Launcher; acts are taken from the script in order, by job, and the last one is repeated."""

    boot = "boot"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.script: dict[str, list[Act]] = {}
        self.processes: dict[str, Process] = {}
        self.starts: list[tuple[datetime, str, int]] = []
        self.signals: list[tuple[float, str]] = []
        self.released: list[str] = []
        self.reserved: list[str] = []
        self.known: dict[str, Evidence] = {}
        self.hidden: set[str] = set()
        """Runs that live where this machine cannot see them."""
        self.swept = 0
        self.up_since = NOW - timedelta(seconds=40.257)
        """When the machine started; with another `boot` it has started again."""
        self._places = 0
        self._acts: dict[str, int] = {}

    # -- what the engine asks for ---------------------------------------------------------------------------------

    def machine_started(self, now: datetime) -> datetime:
        return min(self.up_since, now)

    def reserve(self, count: int) -> list[str]:
        while len(self.reserved) < count:
            self._places += 1
            self.reserved.append(f"j/{self._places}")
        return self.reserved[:count]

    def launch(self, claimed: Claimed, job: Job) -> None:
        self.reserved.remove(claimed.spool)
        number = self._acts[job.name] = self._acts.get(job.name, 0) + 1
        acts = self.script.get(job.name, [Act()])
        act = acts[min(number, len(acts)) - 1]
        at = self._clock.monotonic()
        assert claimed.run_id not in self.processes, "one attempt of a run at a time"
        process = Process(claimed, act, at, None if act.seconds is None else at + act.seconds, act.code)
        self.processes[claimed.run_id] = process
        if act.refuses is not None:
            process.told = True
            raise act.refuses
        process.gone = 0.0 if act.leaves is None or process.ends is None else process.ends + act.leaves
        self.starts.append((self._clock.now(), job.name, claimed.attempt))

    def wait(self, seconds: float) -> None:
        raise AssertionError("these tests call the turn; nothing waits")

    def take_exits(self) -> list[Exit]:
        exits = []
        for run_id, process in self.processes.items():
            if process.ends is not None and process.ends <= self._clock.monotonic() and not process.told:
                process.told = True
                exits.append(Exit(run_id, process.code))
        return exits

    def watch_output(self) -> bool:
        return False

    def terminate(self, run_id: str) -> int:
        return self._signal(run_id, "TERM", 143, heeded=self.processes[run_id].act.heeds_term)

    def kill(self, run_id: str) -> int:
        self.processes[run_id].gone = 0.0
        return self._signal(run_id, "KILL", 137, heeded=True)

    def kill_shim(self, run_id: str) -> None:
        self._signal(run_id, "KILL shim", None, heeded=True)

    def remains(self, run_id: str) -> bool:
        return self.processes[run_id].gone > self._clock.monotonic()

    def live(self, run_id: str) -> Nothing:
        assert run_id in self.processes
        return Nothing()

    def marked(self) -> list[tuple[str, int]]:
        return []

    def harvest(self, run_id: str) -> Harvest:
        act = self.processes[run_id].act
        parts = [OutputPart("stdout", act.output, b"", len(act.output))] if act.output else []
        return Harvest(parts, act.result)

    def release(self, run_id: str) -> None:
        del self.processes[run_id]
        self.released.append(run_id)

    def elsewhere(self, runs: list[Run]) -> list[str]:
        return [run.job for run in runs if run.id in self.hidden]

    def evidence(self, runs: list[Run]) -> dict[str, Evidence]:
        return {run.id: self.known[run.id] for run in runs}

    def adopt(self, run: Run, job: Job, pid: int | None) -> bool:
        at = self._clock.monotonic()
        acts = self.script.get(job.name, [Act()])
        ends = None if acts[-1].seconds is None else at + acts[-1].seconds
        claimed = Claimed(run.id, run.attempt, job.name, run.definition_id, run.trigger, run.slot, {}, run.spool, NOW)
        watched = pid is not None or self.known[run.id].others
        self.processes[run.id] = Process(claimed, acts[-1], at, ends, acts[-1].code, told=not watched)
        return watched

    def exit_of(self, run_id: str) -> Exit | None:
        raise AssertionError("nothing ends between evidence and adoption here")

    def sweep(self) -> None:
        self.swept += 1

    def look_after(self) -> None:
        pass

    # -- what tests ask for ---------------------------------------------------------------------------------------

    def next_end(self) -> float | None:
        ends = [process.ends for process in self.processes.values() if process.ends is not None and not process.told]
        return min(ends, default=None)

    def _signal(self, run_id: str, name: str, code: int | None, *, heeded: bool) -> int:
        process, at = self.processes[run_id], self._clock.monotonic()
        self.signals.append((at, name))
        alive = process.ends is None or process.ends > at
        if alive and heeded:
            process.ends, process.code = at, code
            if name == "TERM" and process.act.leaves is not None:
                process.gone = at + process.act.leaves
        return int(alive)


class FaultyStore(TableStore):
    """A store whose transactions fail where a test says, after all their writes: before their commit, or unanswered."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self.fail: Callable[[int], StoreUnavailable | None] = lambda _number: None
        self.unanswered: Callable[[int], StoreUnavailable | None] = lambda _number: None
        self.transactions = 0
        self._depth = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._depth += 1
        try:
            with super().transaction():
                yield
                if self._depth == 1:
                    self.transactions += 1
                    error = self.fail(self.transactions)
                    if error is not None:
                        raise error
            unanswered = self.unanswered(self.transactions) if self._depth == 1 else None
            if unanswered is not None:
                raise unanswered
        finally:
            self._depth -= 1


class ListLog:
    """Lines, kept."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, str]] = []
        self.reopened = 0

    def info(self, text: str, job: str = "", run: str = "") -> None:
        self.lines.append(("INFO", text, job, run))

    def warning(self, text: str, job: str = "", run: str = "") -> None:
        self.lines.append(("WARNING", text, job, run))

    def error(self, text: str, job: str = "", run: str = "") -> None:
        self.lines.append(("ERROR", text, job, run))

    def reopen(self) -> None:
        self.reopened += 1

    def texts(self, level: str = "") -> list[str]:
        return [text for kind, text, _, _ in self.lines if level in ("", kind)]


class NoPokes:
    """Nobody pokes, unless a test does."""

    def __init__(self) -> None:
        self.poked = False

    def drain(self) -> bool:
        poked, self.poked = self.poked, False
        return poked

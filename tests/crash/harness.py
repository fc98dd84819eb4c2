"""Homes with real engines: started, killed, held up and sent into other times, and what became of their runs.

Every wait is for a condition and has a deadline. Only processes that a test started are ever signalled: engines by
their pid, and what jobs left behind by the mark of the test's own home.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from rota.engine.settings import EngineSettings
from rota.model.action import Command, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import FINAL, OutputPart, Run, State
from rota.process.identity import marked_processes
from rota.wiring.client import Client

from .skew import SkewedClock

LONG = os.environ.get("ROTA_TEST_LONG") == "1"
_ROOT = Path(__file__).parents[2]
_T = TypeVar("_T")


def require(what: str, *, there: bool) -> None:
    """Skip the test where something it needs is missing; fail instead where everything must be there."""
    if there:
        return
    if os.environ.get("ROTA_TEST_REQUIRE") == "all":
        pytest.fail(f"this machine lacks {what}, and ROTA_TEST_REQUIRE=all")
    pytest.skip(f"needs {what}")


def wait_for(condition: Callable[[], _T], what: str, seconds: float = 15.0, pause: float = 0.02) -> _T:
    """Wait until a condition gives something true, and return that."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:g} s still not: {what}")
        time.sleep(pause)


def alive(pid: int) -> bool:
    """Tell whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


class EngineProcess:
    """One engine in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Path) -> None:
        self.process = process
        self.pid = process.pid
        self._errors = errors

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; after SIGKILL, wait until it is gone."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()

    def wait(self, seconds: float = 15.0) -> int:
        """Wait until it ends by itself, and return its exit code."""
        return self.process.wait(seconds)

    @property
    def errors(self) -> str:
        """What it said on standard error."""
        return self._errors.read_text(errors="replace")

    @property
    def resident(self) -> int:
        """Its memory in bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Home:
    """A temporary home, the engines that a test starts on it, and its doors."""

    def __init__(self, path: Path) -> None:
        self.path = path / "home"
        self.work = path / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self._skew = str(path / "skew")
        self.client = Client(str(self.path), clock=SkewedClock(self._skew))
        self.store, self.verbs = self.client.store, self.client.verbs
        self.engines: list[EngineProcess] = []

    # -- engines ------------------------------------------------------------------------------------------------------

    def start_engine(
        self,
        crash_at: str = "",
        prefix: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        ready: bool = True,
        **settings: object,
    ) -> EngineProcess:
        """Start an engine; `crash_at` arms a crash point, `prefix` is put before the command."""
        given = msgspec.json.encode(msgspec.structs.replace(EngineSettings(capacity=16), **settings)).decode()
        errors = self.path.parent / f"engine-{len(self.engines)}.err"
        environment = {**os.environ, "ROTA_CRASH_AT": crash_at, **(env or {})}
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "tests.crash.engine", str(self.path), self._skew, given],
                cwd=_ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        engine = EngineProcess(process, errors)
        self.engines.append(engine)
        if ready and not crash_at:
            wait_for(lambda: "serving" in engine.errors or process.poll() is not None, "the engine serves")
        return engine

    def start_and_crash(self, crash_at: str, **settings: object) -> None:
        """Start an engine that ends at a crash point, and see that it did."""
        assert self.start_engine(crash_at, **settings).wait() == -signal.SIGKILL, f"it was to be killed at {crash_at}"

    def move_clock(self, by: timedelta) -> None:
        """Move the clock of this home's engines and doors away from the machine's."""
        aside = f"{self._skew}.new"
        Path(aside).write_text(str(by.total_seconds()))
        Path(aside).rename(self._skew)

    # -- doors --------------------------------------------------------------------------------------------------------

    def add(
        self,
        name: str,
        command: str | list[str],
        *schedules: ScheduleSpec,
        policy: Policy | None = None,
        **fields: object,
    ) -> None:
        """Add a job; a text is a line for the shell, a list is a program and its arguments."""
        action = Shell(command) if isinstance(command, str) else Command(tuple(command))
        fields = {"cwd": str(self.work), **fields}
        self.verbs.add(Job(name, action, schedules, policy or Policy(), **fields))

    def trigger(self, name: str, command: str | list[str] | None = None, **fields: object) -> str:
        """Ask for a run, of a job that is made for it if there is a command."""
        if command is not None:
            self.add(name, command, **fields)
        return self.verbs.trigger(name)

    # -- what became of it --------------------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run:
        """Return a run as the store has it."""
        found = self.store.runs.find(run_id)
        assert found is not None, f"run {run_id} is gone"
        return found

    def runs(self, job: str) -> list[Run]:
        """Return a job's runs, oldest first."""
        from rota.model.settlement import RunFilter

        return self.store.runs.page(RunFilter(job_id=self.store.jobs.get(job).id), None, 100_000)[::-1]

    def wait_until_running(self, run_id: str, seconds: float = 15.0) -> Run:
        """Wait until the attempt's processes are there."""
        wait_for(lambda: self.run(run_id).state is State.RUNNING and self.pids(run_id), f"{run_id} runs", seconds)
        return self.run(run_id)

    def wait_for_end(self, run_id: str, seconds: float = 20.0) -> Run:
        """Wait until a run has ended, and return it."""
        wait_for(lambda: self.run(run_id).state in FINAL, f"{run_id} has ended", seconds)
        return self.run(run_id)

    def wait_for_mark(self, word: str, seconds: float = 15.0) -> str:
        """Wait until a job has made a file in the work directory, and return what is in it."""
        wait_for(lambda: (self.work / word).exists() and (self.work / word).read_text(), f"{word} is written", seconds)
        return (self.work / word).read_text().strip()

    def marks(self, word: str = "marks") -> list[str]:
        """Return the lines that jobs have appended to a file in the work directory."""
        path = self.work / word
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def attempts(self, run_id: str) -> int:
        """Return how many attempts a run has had."""
        return self.run(run_id).attempt

    def output(self, run_id: str, stream: str = "stdout") -> bytes:
        """Return what is kept of a stream of a run's last attempt."""
        part = self.output_part(run_id, stream)
        return b"" if part is None else part.head + part.tail

    def output_part(self, run_id: str, stream: str = "stdout") -> OutputPart | None:
        """Return the same with its size."""
        parts = self.store.runs.output(run_id, self.attempts(run_id))
        return next((part for part in parts if part.stream == stream), None)

    def events(self, kind: str) -> int:
        """Return how many events of a kind there were."""
        return sum(event.kind == kind for event in self.store.ledger.events(0, 1_000_000))

    @property
    def log(self) -> str:
        """The engine's log."""
        return (self.path / "rota.log").read_text(errors="replace")

    # -- processes ----------------------------------------------------------------------------------------------------

    def pids(self, run_id: str | None = None) -> list[int]:
        """Return the processes that carry a mark of this home, or of one of its runs."""
        found = marked_processes(self.client.home_id)
        return [pid for (run, _), pids in found.items() if run_id in (None, run) for pid in pids if alive(pid)]

    def shim(self, run_id: str) -> int:
        """Return the pid of a run's shim: the one that leads the session."""
        return wait_for(lambda: [pid for pid in self.pids(run_id) if os.getsid(pid) == pid], f"{run_id} has a shim")[0]

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Look at, or tamper with, the store behind everybody's back."""
        connection = sqlite3.connect(self.path / "rota.db", timeout=10)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def spool_blocks(self) -> int:
        """Return the bytes of disk that the spool takes."""
        return sum(file.stat().st_blocks * 512 for file in (self.path / "spool").iterdir())

    def close(self) -> None:
        """End everything that this home started."""
        for engine in self.engines:
            if engine.process.poll() is None:
                engine.kill()
        other = self.client.engine_pid()  # one that a job has started
        if other is not None:
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        for _ in range(50):
            left = self.pids()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.02)
        self.client.close()


def every(text: str, **fields: object) -> ScheduleSpec:
    """Return an interval."""
    return ScheduleSpec("every", text, **fields)


def cron(text: str) -> ScheduleSpec:
    """Return a cron schedule."""
    return ScheduleSpec("cron", text)


def status_of(pid: int, field: str) -> str:
    """Return a field of a process's status."""
    found = re.search(rf"^{field}:\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found, f"/proc/{pid}/status has no {field}"
    return found.group(1)

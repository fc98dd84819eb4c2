"""Several hosts on one PostgreSQL: real engines with homes of their own, killed, stopped and sent into other times."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec

from rota.engine.settings import EngineSettings
from rota.engine.trust import Leases
from rota.model.action import Shell
from rota.model.host import ANYWHERE, RunsOn
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import FINAL, Run, State
from rota.model.settlement import RunFilter
from rota.process.identity import marked_processes
from rota.process.lock import engine_pid
from rota.wiring.client import Client

from .harness import alive, wait_for

ROTA = str(Path(sys.executable).parent / "rota")
_ROOT = Path(__file__).parents[2]
LEASE = 3.0
FAR_OFF = 60.0
"""How long a test waits for what has to happen; the machine may be busy."""


class FleetHost:
    """One host: a home, and the engine that serves it."""

    def __init__(
        self,
        folder: Path,
        name: str,
        url: str,
        words: tuple[str, ...],
        prefix: tuple[str, ...],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.path = folder / name
        self.errors = folder / f"{name}.err"
        self._words, self._prefix = words, prefix
        self._cwd = folder
        self._env = {key: value for key, value in os.environ.items() if not key.startswith("ROTA_")}
        self._env |= {"ROTA_STORE": url, "ROTA_NO_WEB": "1", "TZ": "UTC"} | dict(env or {})
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start its engine, and wait until others know of it."""
        before = self.log.count("serving")
        self.launch()
        wait_for(lambda: self.log.count("serving") > before, f"{self.name} serves", FAR_OFF)

    def launch(self) -> None:
        """Start its engine, and wait for nothing."""
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [*self._prefix, *self._command()],
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def _command(self) -> list[str]:
        named = ["--home", str(self.path), "--host-name", self.name, "--lease", f"{LEASE:g}s"]
        return [ROTA, "serve", *named, *self._words]

    def signal(self, number: signal.Signals) -> None:
        """Send its engine a signal; after SIGKILL and SIGTERM, wait until it is gone."""
        assert self.process is not None
        os.kill(self.pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(FAR_OFF)

    @property
    def pid(self) -> int:
        """The engine's own pid: what starts it may be another program."""
        assert self.process is not None
        return engine_pid(str(self.path)) or self.process.pid

    @property
    def log(self) -> str:
        """Its engine's log."""
        path = self.path / "rota.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def id(self) -> str:
        """The id of its home; nothing before its first engine has begun."""
        record = self.path / "rota.host"
        return record.read_text().split('"id":"')[1].split('"')[0] if record.exists() else ""

    def pids(self) -> list[int]:
        """Return what its jobs have running."""
        home_id = self.id
        if not home_id:
            return []
        return [pid for pids in marked_processes(home_id).values() for pid in pids if alive(pid)]

    def close(self) -> None:
        """End everything that it started."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait(FAR_OFF)
        for _ in range(100):
            left = self.pids()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                return


class SkewedHost(FleetHost):
    """A host whose clock a test moves while its engine runs."""

    def __init__(
        self,
        folder: Path,
        name: str,
        url: str,
        settings: EngineSettings,
        prefix: tuple[str, ...],
        env: Mapping[str, str],
    ) -> None:
        super().__init__(folder, name, url, (), prefix, env)
        given = msgspec.structs.replace(settings, host_name=name, leases=Leases(timedelta(seconds=LEASE)))
        self._cwd = _ROOT  # where its program is found
        self._skew = folder / f"{name}.skew"
        self._settings = msgspec.json.encode(given).decode()

    def move_clock(self, seconds: float) -> None:
        """Move its wall clock away from the machine's; the others stay as they are."""
        aside = self._skew.with_suffix(".new")
        aside.write_text(str(seconds))
        aside.rename(self._skew)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "tests.crash.engine", str(self.path), str(self._skew), self._settings]


class Fleet:
    """Some hosts, a client beside them, and short words for a test's story."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self._url = folder, url
        self.work = folder / "work"
        self.work.mkdir()
        self.hosts: list[FleetHost] = []
        self.client = Client(str(folder / "desk"))

    def host(self, name: str, *words: str, prefix: tuple[str, ...] = (), start: bool = True) -> FleetHost:
        """Add a host."""
        made = self.enrol(FleetHost(self.folder, name, self._url, words, prefix))
        if start:
            made.start()
        return made

    def enrol(self, host: FleetHost) -> FleetHost:
        """Count a host among the fleet: it is ended with it."""
        self.hosts.append(host)
        return host

    def add(
        self, name: str, line: str, *schedules: ScheduleSpec, runs_on: RunsOn = ANYWHERE, policy: Policy | None = None
    ) -> None:
        """Add a job."""
        self.client.verbs.add(
            Job(name, Shell(line), schedules, policy or Policy(), cwd=str(self.work), runs_on=runs_on)
        )

    def trigger(self, name: str, line: str, runs_on: RunsOn = ANYWHERE, policy: Policy | None = None) -> str:
        """Ask for a run of a new job."""
        self.add(name, line, runs_on=runs_on, policy=policy)
        return self.client.verbs.trigger(name)

    def run(self, run_id: str) -> Run:
        """Return a run as the store has it."""
        found = self.client.store.runs.find(run_id)
        assert found is not None
        return found

    def runs(self, job: str) -> list[Run]:
        """Return a job's runs, oldest first."""
        job_id = self.client.store.jobs.get(job).id
        return self.client.store.runs.page(RunFilter(job_id), None, 10_000)[::-1]

    def wait_for_end(self, run_id: str) -> Run:
        """Wait until a run has ended."""
        wait_for(lambda: self.run(run_id).state in FINAL, f"{run_id} has ended", FAR_OFF)
        return self.run(run_id)

    def wait_until_running(self, run_id: str, attempt: int = 1) -> FleetHost:
        """Wait until an attempt runs, and return its host."""

        def runs() -> bool:
            run = self.run(run_id)
            return run.state is State.RUNNING and run.attempt == attempt and bool(self.host_of(run_id).pids())

        wait_for(runs, f"attempt {attempt} of {run_id} runs", FAR_OFF)
        return self.host_of(run_id)

    def host_of(self, run_id: str) -> FleetHost:
        """Return the host that has, or had, a run."""
        view = self.client.hosts.one(self.run(run_id).host or "")
        return next(host for host in self.hosts if host.name == view.host.name)

    def marks(self, word: str = "marks") -> list[str]:
        """Return the lines that jobs have appended to a file."""
        path = self.work / word
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def close(self) -> None:
        """End everything."""
        for host in self.hosts:
            host.close()
        self.client.close()

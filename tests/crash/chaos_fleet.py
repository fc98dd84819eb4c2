"""A fleet in trouble: three hosts and a real PostgreSQL, and then the books, checked from outside.

    python -m tests.crash.chaos_fleet --minutes 3 [--seed N]

Hosts are killed, stopped past their leases and cut off; the database is restarted, and is away for longer than any
lease; one host's clock is an hour off, and another one's disk is full. Whatever happens is drawn from the seed before
anything begins. Afterwards all is let come to rest, and tests/crash/fleet_verdict.py judges.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from queue import Queue

import psycopg
from tests.servers.postgres import Server

from rota.clock import up_for
from rota.engine.settings import EngineSettings
from rota.errors import RotaError
from rota.model.run import FINAL
from rota.wiring.client import Client

from .disks import SmallDisk, small_disk
from .fleet import LEASE, Fleet, FleetHost, SkewedHost
from .fleet_jobs import HOST, JOBS, POOL, POOL_SIZE, SCRIPT
from .fleet_script import HOSTS, OTHER_TIMES, SMALL_DISK, Deed, script
from .fleet_verdict import faults_of, figures, read_books, read_marks, store_faults
from .harness import wait_for
from .networks import Cut, Links, wired_server

CAPACITY, MAX_RUNNING = 7, 11
_DISK_SIZE = "6m"
_LOOK = 0.1
_AGAIN = 1.0
_RECOVERED = 15.0
"""So long after something that kept it from its store or its disk an engine may still end because of that."""
_REST = 180.0
_IDLE = 15.0
"""A transaction of a connection that was cut off is ended by the server after some seconds."""
Undo = Callable[[], None]


class People:
    """Ask for runs and for ends of some, in a thread of their own: who holds them up holds up nothing else."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._asked: Queue[Deed | None] = Queue()
        self.done: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run, name="people", daemon=True)
        self._thread.start()

    def ask(self, deed: Deed) -> None:
        """Let them do something as soon as they have time."""
        self._asked.put(deed)

    def close(self) -> None:
        """Let them end what they are at."""
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        client = Client(str(self._home))
        while (deed := self._asked.get()) is not None:
            with suppress(RotaError):  # nothing to cancel, or no store to say it to: as people do
                if deed.kind == "trigger":
                    client.verbs.trigger(deed.target)
                else:
                    client.verbs.cancel(deed.target)
                self.done[deed.kind] += 1
        client.close()


class Performance:
    """One performance: deeds in their order, each undone when its time is over, and engines started again."""

    def __init__(self, fleet: Fleet, server: Server, links: Links, disk: SmallDisk | None) -> None:
        self._fleet, self._server, self._links, self._disk = fleet, server, links, disk
        self._hosts = {host.name: host for host in fleet.hosts}
        self._down: dict[str, float] = {}
        """Hosts that are not running, and when they are to be started again."""
        self._excused = 0.0
        """Until when an engine may end by itself, because it cannot reach its store or its disk."""
        self._stopping = False
        self._began = time.monotonic()
        self.people = People(fleet.folder / "people")
        self.faults: list[str] = []
        self.done: Counter[str] = Counter()

    def play(self, deeds: Sequence[Deed], seconds: float) -> None:
        """Do all of it, and undo it."""
        order = count()
        waiting: list[tuple[float, int, str, Undo | Deed]] = [(deed.at, next(order), str(deed), deed) for deed in deeds]
        heapq.heapify(waiting)
        while waiting or self._now < seconds:
            self._look_after_engines()
            if not waiting or waiting[0][0] > self._now:
                time.sleep(_LOOK)
                continue
            _, _, words, what = heapq.heappop(waiting)
            if not isinstance(what, Deed):
                self._say(f"over: {words}")
                what()
            elif (undo := self._do(what)) is not None:
                heapq.heappush(waiting, (self._now + what.lasts, next(order), words, undo))

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{self._now:7.1f}  {text}\n")
        sys.stdout.flush()

    # -- deeds --------------------------------------------------------------------------------------------------------

    def _do(self, deed: Deed) -> Undo | None:
        """Do something, and return what undoes it; nothing when it cannot be done now."""
        kinds: dict[str, Callable[[Deed], Undo | None]] = {
            "kill": self._kill,
            "stop": self._stop,
            "cut": self._cut,
            "clock": self._set_clock,
            "disk": self._fill_disk,
            "outage": self._take_database_away,
            "restart": self._restart_database,
            "trigger": self._ask_people,
            "cancel": self._ask_people,
        }
        undo = kinds[deed.kind](deed)
        if undo is not None:
            self.done[deed.kind] += 1
            self._say(str(deed))
        return undo

    def _kill(self, deed: Deed) -> Undo | None:
        if deed.target in self._down:
            return None
        self._hosts[deed.target].signal(signal.SIGKILL)
        self._down[deed.target] = self._now + deed.lasts
        return _nothing

    def _stop(self, deed: Deed) -> Undo | None:
        if deed.target in self._down:
            return None
        host = self._hosts[deed.target]
        host.signal(signal.SIGSTOP)

        def go_on() -> None:
            with suppress(ProcessLookupError):  # it has ended by itself a moment before it was stopped
                host.signal(signal.SIGCONT)

        return go_on

    def _cut(self, deed: Deed) -> Undo:
        self._links.cut(deed.target, Cut(deed.how))
        self._excuse(deed.lasts)
        return lambda: self._links.restore(deed.target)

    def _set_clock(self, deed: Deed) -> Undo:
        host = self._hosts[deed.target]
        assert isinstance(host, SkewedHost)
        host.move_clock(float(deed.how))
        return lambda: host.move_clock(0)

    def _fill_disk(self, deed: Deed) -> Undo | None:
        if self._disk is None:
            return None
        self._disk.fill()
        self._excuse(deed.lasts)
        return self._disk.make_room

    def _take_database_away(self, deed: Deed) -> Undo:
        self._excuse(deed.lasts)
        self._server.stop()
        return self._server.start

    def _restart_database(self, deed: Deed) -> Undo:
        self._excuse(deed.lasts)
        self._server.stop(deed.how)
        self._server.start()
        return _nothing

    def _ask_people(self, deed: Deed) -> None:
        self.people.ask(deed)

    # -- engines ------------------------------------------------------------------------------------------------------

    def _excuse(self, seconds: float) -> None:
        self._excused = max(self._excused, self._now + seconds + _RECOVERED)

    def _look_after_engines(self) -> None:
        """Start again what was killed, and what has ended because it could not begin."""
        if self._stopping:
            return
        for name, host in self._hosts.items():
            assert host.process is not None
            if name in self._down:
                if self._now >= self._down[name]:
                    del self._down[name]
                    host.launch()
            elif host.process.poll() is not None:
                self._say(f"the engine of {name} has ended with {host.process.returncode}: {_last_line(host)}")
                self.done["ended by itself"] += 1
                self._down[name] = self._now + _AGAIN
                if self._now > self._excused:
                    self.faults.append(f"the engine of {name} ended by itself with {host.process.returncode}")

    def come_to_rest(self) -> None:
        """Let everything run, then pause all jobs, and wait until every run and every process has ended."""
        self._say("all troubles are over")
        self.people.close()
        self.done += self.people.done
        self._down = dict.fromkeys(self._down, 0.0)
        self._wait(self._are_up, "all hosts are up")
        for name in JOBS:
            self._fleet.client.verbs.pause(name)
        self._say("all jobs are paused")
        self._wait(self._is_quiet, "every run has ended")
        self._wait(lambda: not any(host.pids() for host in self._hosts.values()), "no process is left")
        self._stopping = True
        for name, host in self._hosts.items():
            self.faults += [f"process {pid} is left on {name}" for pid in host.pids()]
            host.signal(signal.SIGTERM)
            assert host.process is not None
            if host.process.returncode != 0:
                self.faults.append(f"the engine of {name} did not stop in order: {host.process.returncode}")
        self._wait(lambda: not self._transactions(), "no transaction is open", _IDLE)
        self.faults += [f"a transaction is left open: {told}" for told in self._transactions()]
        self._say("all is at rest")

    def _wait(self, condition: Callable[[], bool], what: str, seconds: float = _REST) -> None:
        """Wait, and look after engines meanwhile; what does not come true is a fault."""

        def looked() -> bool:
            self._look_after_engines()
            return condition()

        try:
            wait_for(looked, what, seconds, _LOOK)
        except AssertionError as error:
            self.faults.append(str(error))

    def _are_up(self) -> bool:
        views = self._fleet.client.hosts.all()
        return not self._down and [view.state for view in views] == ["up"] * len(HOSTS)

    def _is_quiet(self) -> bool:
        counts = self._fleet.client.store.runs.state_counts()
        return not any(number for state, number in counts.items() if state not in FINAL)

    def _transactions(self) -> list[str]:
        """Return what the server has open besides this question."""
        question = (
            "SELECT pid, state, query FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            return [str(row) for row in connection.execute(question).fetchall()]


def _nothing() -> None:
    """Undo what undoes itself."""


def _last_line(host: FleetHost) -> str:
    lines = host.errors.read_text(errors="replace").splitlines()
    return lines[-1] if lines else ""


# -- the stage --------------------------------------------------------------------------------------------------------


@contextmanager
def _store(url: str) -> Iterator[None]:
    """Let clients of this process use a store."""
    before = os.environ.get("ROTA_STORE")
    os.environ["ROTA_STORE"] = url
    try:
        yield
    finally:
        del os.environ["ROTA_STORE"]
        if before is not None:
            os.environ["ROTA_STORE"] = before


def _add_hosts(fleet: Fleet, links: Links, schema: str) -> None:
    """Add three hosts: two with a label, one of which has a clock that can be set; and one with a small disk."""
    words = ("--capacity", str(CAPACITY), "--max-running", str(MAX_RUNNING))
    labels = {"one": {"gpu": "yes"}, "two": {"gpu": "yes", "disk": "big"}, "three": {}}
    for name in HOSTS:
        url = f"postgresql://postgres@{links.netloc(name)}/postgres?schema={schema}"
        prefix, env = links.prefix(name), {HOST: name}
        if name == OTHER_TIMES:
            settings = EngineSettings(capacity=CAPACITY, max_running=MAX_RUNNING, labels=labels[name])
            fleet.enrol(SkewedHost(fleet.folder, name, url, settings, prefix, env)).start()
            continue
        given = [word for label in labels[name].items() for word in ("--label", "=".join(label))]
        fleet.enrol(FleetHost(fleet.folder, name, url, (*words, *given), prefix, env)).start()


def _add_jobs(fleet: Fleet) -> None:
    (fleet.work / "job").write_text(SCRIPT)
    fleet.client.store.jobs.set_pool(POOL, POOL_SIZE)
    for name, (line, schedules, policy, runs_on) in JOBS.items():
        fleet.add(name, line, *schedules, runs_on=runs_on, policy=policy)


def perform(seed: int, seconds: float, directory: Path) -> tuple[list[str], str]:
    """Perform once, and return what is wrong and a summary."""
    deeds = script(seed, seconds)
    with ExitStack() as stack:
        server, links = stack.enter_context(wired_server(HOSTS))
        schema = f"rota_chaos_{os.getpid()}"
        stack.enter_context(_store(f"{server.url}&schema={schema}"))
        disk = stack.enter_context(small_disk(directory / SMALL_DISK, _DISK_SIZE))
        fleet = Fleet(directory, f"{server.url}&schema={schema}")
        stack.callback(fleet.close)
        _add_hosts(fleet, links, schema)
        _add_jobs(fleet)
        performance = Performance(fleet, server, links, disk)
        stack.callback(performance.people.close)
        sys.stdout.write(f"seed {seed}, {seconds:.0f} s, leases of {LEASE:g} s, {links.kind}\n")
        performance.play(deeds, seconds)
        performance.come_to_rest()
        return _judge(fleet, performance, disk)


def _judge(fleet: Fleet, performance: Performance, disk: SmallDisk | None) -> tuple[list[str], str]:
    """Return what is wrong, and what there was to judge."""
    up = up_for()
    assert up is not None, "a machine with /proc can tell"
    machine_began = datetime.now(UTC) - timedelta(seconds=up)
    store = fleet.client.store
    marks = read_marks(fleet.marks(), machine_began)
    books = read_books(store, JOBS, marks, MAX_RUNNING, frozenset() if disk is None else frozenset({SMALL_DISK}))
    faults = performance.faults + store_faults(store, JOBS) + faults_of(books)
    logs = [host.errors.read_text(errors="replace") for host in fleet.hosts]
    told = {
        "adopted": "adopted: attempt",
        "given back": "queued again",
        "late results dropped": "its result is dropped",
        "planners": "this host plans from now on",
    }
    seen = ", ".join(f"{sum(log.count(text) for log in logs)} {word}" for word, text in told.items())
    did = ", ".join(f"{deed} {number}" for deed, number in performance.done.most_common())
    note = "" if disk is not None else "; no small disk can be mounted here"
    end = f"{len(faults)} faults" if faults else "nothing was lost, doubled or left"
    return faults, "\n".join([f"done: {did}{note}", figures(books), seen, end])


def _interrupted(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main() -> int:
    """Perform as the command line says; 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="keep the homes, to look into them")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # everything is put away then, too
        signal.signal(number, _interrupted)
    seed = given.seed if given.seed is not None else random.randrange(1_000_000)
    directory = Path(tempfile.mkdtemp(prefix=f"rota-chaos-fleet-{os.getpid()}-"))
    faults = ["it did not come to its end"]
    try:
        faults, summary = perform(seed, given.minutes * 60, directory)
        sys.stdout.write(summary + "\n")
        sys.stdout.writelines(f"  {fault}\n" for fault in faults[:40])
    finally:
        if given.keep or faults:
            sys.stdout.write(f"seed {seed}; the homes are in {directory}\n")
        else:
            shutil.rmtree(directory)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Hosts on one store, on a machine on paper: they turn while they are awake, and time passes for all of them."""

from __future__ import annotations

from datetime import timedelta

from rota.clock import FollowingClock
from rota.control.verbs import Verbs
from rota.engine.beating import Member
from rota.engine.loop import Engine
from rota.engine.settings import EngineSettings
from rota.engine.trust import Leases
from rota.ids import RunIds
from rota.model.action import Shell
from rota.model.host import ANYWHERE, NewHost, RunsOn
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy, Retries
from rota.model.run import Run
from rota.store.instants import to_us
from rota.store.sqlite import SqliteDatabase

from .machine import Act, FakeClock, FaultyStore, ListLog, NoPokes, ScriptedLauncher

LEASE = timedelta(seconds=30)
STEP = 0.5
FOREVER = [Act(seconds=None)]
AGAIN = Policy(retries=Retries(count=1, delay=timedelta(0), jitter=0.0))


class Shared(SqliteDatabase):
    """A database that many hosts share, whose clock is the test's."""

    is_shared = True

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(":memory:", patience=0.0, checkpoints=True)
        self._connection.create_function("now_us", 0, lambda: to_us(clock.now()))


class OnPaper:
    """One host: its engine turns as long as it is awake."""

    def __init__(self, fleet: Fleet, name: str, labels: dict[str, str]) -> None:
        self.name, self.awake, self.log, self.pokes = name, True, ListLog(), NoPokes()
        self.launcher = ScriptedLauncher(fleet.clock)
        self.launcher.script = fleet.script
        own = FollowingClock(fleet.store.hosts.clock, fleet.clock)
        host = NewHost(name, name, True, labels, 4, "1.0")
        steady = fleet.clock.monotonic
        self.member = Member(fleet.store, host, own, self.log, Leases(LEASE), steady)
        settings = EngineSettings(capacity=4)
        self.engine = Engine(
            fleet.store, self.launcher, own, self.log, self.pokes, name, settings, fleet.ids.new, self.member
        )
        self.engine.start()


class Fleet:
    """Some hosts, their store, and one clock for all of it."""

    def __init__(self) -> None:
        self.clock, self.ids = FakeClock(), RunIds()
        self.store = FaultyStore(Shared(self.clock))
        self.verbs = Verbs(self.store, self.clock, "desk", self.ids.new, self.poke)
        self.script: dict[str, list[Act]] = {}
        self.hosts: list[OnPaper] = []

    def host(self, name: str, **labels: str) -> OnPaper:
        self.hosts.append(OnPaper(self, name, labels))
        return self.hosts[-1]

    def poke(self) -> None:
        """Tell all hosts: they have one connection here, over which no change of another's is seen."""
        for host in self.hosts:
            host.pokes.poked = True

    def live(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            for host in self.hosts:
                if host.awake:
                    host.engine.turn()
            self.clock.pass_(STEP)

    def add(self, name: str, *, policy: Policy | None = None, runs_on: RunsOn = ANYWHERE, every: str = "") -> None:
        schedules = (ScheduleSpec("every", every),) if every else ()
        self.verbs.add(Job(name, Shell("true"), schedules, policy or Policy(), runs_on=runs_on))

    def run(self, run_id: str) -> Run:
        found = self.store.runs.find(run_id)
        assert found is not None
        return found

    def running(self, host: OnPaper) -> int:
        return len(self.store.runs.running_on(host.name))

    def planners(self) -> list[str]:
        return [host.name for host in self.hosts if host.member.leads]

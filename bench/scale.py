"""Hosts on one database, simulated with measured costs: how late runs start, and what is full.

What is simulated is what `engine/loop.py` does, at the grain of a turn: settle what ended, plan what is due (on the
hosts that plan), claim under the one lock of claims, commit, launch. Each piece takes a core of the server for its
share of CPU and the host's one thread for the rest. Slots come at random instants; a planned slot wakes all hosts.

It knows no vacuum, no full disk, no other user of the server, and no network but a round trip's time.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

import msgspec

from bench.events import Bell, Places, Process, Simulation

_SLICE = 0.001
"""For so long one keeps a core while others wait for it."""
_CLAIMS_A_TURN, _PLANS_A_TURN = 64, 250
_BEAT_EVERY = 10
_TURN_TRIPS, _PLANNERS_TRIPS, _RUN_TRIPS, _PLAN_TRIPS, _CLAIM_TRIPS, _COMMIT_TRIPS = 4, 4, 1, 1, 4, 2
"""Statements that are answered one by one: of a turn, of one that plans, of a settled run, of a planned slot, of all
claims of a turn, and of a commit after writes."""


class Cost(msgspec.Struct, frozen=True):
    """What a move takes of a host's thread, and how much of that is CPU of the server; seconds."""

    wall: float
    server: float

    def less(self, other: Cost) -> Cost:
        """Return what is left without the other."""
        return Cost(max(0.0, self.wall - other.wall), max(0.0, self.server - other.server))

    def part(self, share: float) -> Cost:
        """Return so much of it."""
        return Cost(self.wall * share, self.server * share)

    def plus(self, other: Cost, times: int = 1) -> Cost:
        """Return this and some of the other."""
        return Cost(self.wall + other.wall * times, self.server + other.server * times)

    def shown(self) -> str:
        """Say it for people."""
        return f"{self.wall * 1e6:.0f}, {self.server * 1e6:.0f} µs"


class Costs(msgspec.Struct, frozen=True):
    """What each move costs; `python -m bench.fleet moves` measures them."""

    look: Cost
    lead: Cost
    beat: Cost
    turn: Cost
    """Being woken for nothing."""
    plan_turn: Cost
    """What the host that plans does besides."""
    lanes: Cost
    """Asking for what is ready, once for all claims of a turn; the lock of claims is held meanwhile."""
    claim: Cost
    settle: Cost
    output: Cost
    plan: Cost
    commit: float
    launch: float


class Setting(msgspec.Struct, frozen=True):
    """What is simulated."""

    hosts: int
    rate: float = 0.0
    """Slots a second."""
    backlog: int = 0
    """Runs that are ready at the beginning."""
    cores: int = 8
    """Of the server."""
    capacity: int = 16
    lasts: float = 1.0
    """Seconds that a run takes."""
    writes: bool = True
    """Whether a run writes a line."""
    job_cpu: float = 0.0
    """Seconds of a core that a run takes; of interest where it is a core of the server."""
    planners: int = 1
    one_lock: bool = True
    """Whether claims come one after the other."""
    wakes_all: bool = True
    """Whether what is planned wakes every host, or just one that has a place free."""
    pipelined: bool = False
    """Whether the ends of a turn would be sent without waiting for each answer, as what is planned is."""
    round_trip: float = 0.0005
    """Of the network, for each statement that is answered."""
    one_machine: bool = False
    """Whether hosts and their jobs use the server's cores, as in a bench."""
    seconds: float = 10.0
    seed: int = 1


class Found(msgspec.Struct, frozen=True):
    """What came of it."""

    p50: float
    p99: float
    ended: float
    """Runs a second."""
    server: float
    """Which share of its cores was taken."""
    lock: float
    planner: float
    """Which share of the time the busiest planning host's thread was at work."""
    keeps_up: bool


class _Host:
    def __init__(self, cores: Places, free: int) -> None:
        self.cores = cores
        self.free = free
        self.bell = Bell()
        self.due: deque[float] = deque()
        self.ended: list[float] = []
        self.ticks = 0
        self.ticked = False
        self.busy = 0.0


class World:
    """One database and its hosts."""

    def __init__(self, costs: Costs, setting: Setting) -> None:
        self._costs, self._setting = costs, setting
        self._simulation = Simulation()
        self._chance = random.Random(setting.seed)
        self._server = Places(self._simulation, setting.cores)
        self._lock = Places(self._simulation, 1)
        self._ready: deque[float] = deque([0.0] * setting.backlog)
        self._late: list[float] = []
        self._arrived = self._done = 0
        self._hosts = [
            _Host(self._server if setting.one_machine else Places(self._simulation, 1), setting.capacity)
            for _ in range(setting.hosts)
        ]

    def run(self) -> Found:
        """Simulate, and say what came of it; the first tenth is not looked at."""
        setting, simulation = self._setting, self._simulation
        for host in self._hosts:
            simulation.begin(self._serve(host))
            simulation.begin(self._tick(host, self._chance.random()))
        if setting.rate:
            simulation.begin(self._arrive())
        simulation.run(setting.seconds)
        late = sorted(self._late[len(self._late) // 10 :]) or [float("inf")]
        planners = self._hosts[: setting.planners]
        return Found(
            p50=late[len(late) // 2],
            p99=late[int(len(late) * 0.99)],
            ended=self._done / simulation.now,
            server=self._server.used(),
            lock=self._lock.used(),
            planner=max(host.busy for host in planners) / simulation.now,
            keeps_up=len(self._late) >= 0.95 * self._arrived,
        )

    def _arrive(self) -> Process:
        """Let slots come, each due at a planner that its job's hash says."""
        while True:
            yield self._chance.expovariate(self._setting.rate)
            host = self._hosts[self._chance.randrange(self._setting.planners)]
            host.due.append(self._simulation.now)
            self._arrived += 1
            host.bell.ring()

    def _tick(self, host: _Host, first: float) -> Process:
        yield first
        while True:
            host.ticked = True
            host.ticks += 1
            host.bell.ring()
            yield 1.0

    def _serve(self, host: _Host) -> Process:
        plans = host in self._hosts[: self._setting.planners]
        host.bell.ring()
        while True:
            yield host.bell
            begin = self._simulation.now
            yield from self._look(host, plans)
            yield from self._turn(host, plans)
            host.busy += self._simulation.now - begin

    def _look(self, host: _Host, plans: bool) -> Process:
        """Do what comes by time: look for changes, ask for the lead, renew leases."""
        if not host.ticked:
            return
        host.ticked = False
        cost = self._costs.look.plus(self._costs.lead)
        if host.ticks % _BEAT_EVERY == 0:
            cost = cost.plus(self._costs.beat)
        yield from self._work(host, cost, 2)
        if plans:
            yield self._costs.commit

    def _turn(self, host: _Host, plans: bool) -> Process:
        """Go through one transaction, and launch what it has claimed."""
        ended, host.ended = host.ended, []
        host.free += len(ended)
        due = [host.due.popleft() for _ in range(min(len(host.due), _PLANS_A_TURN))]
        planned = len(due)
        yield from self._settle_and_plan(host, len(ended), planned, plans)
        locked = self._setting.one_lock and bool(host.free and (self._ready or due))
        if locked:
            yield self._lock
        claimed = list(self._claim(host, due))
        if claimed or locked:
            yield from self._work(host, self._costs.lanes.plus(self._costs.claim, len(claimed)), _CLAIM_TRIPS)
        if claimed or ended or planned:
            yield self._costs.commit + _COMMIT_TRIPS * self._setting.round_trip
        if locked:
            self._lock.leave()
        self._settled(len(ended))
        self._ready.extend(due)
        if planned:
            self._wake_others()
        for slot in claimed:
            yield from self._launch(host, slot)
        if host.due or len(claimed) == _CLAIMS_A_TURN:
            host.bell.ring()

    def _settle_and_plan(self, host: _Host, ended: int, planned: int, plans: bool) -> Process:
        costs = self._costs
        settle = costs.settle.plus(costs.output) if self._setting.writes else costs.settle
        cost = costs.turn.plus(settle, ended).plus(costs.plan, planned)
        ends = min(ended, 1) if self._setting.pipelined else ended
        trips = _TURN_TRIPS + _RUN_TRIPS * ends + (_PLAN_TRIPS if planned else 0)
        if plans:
            cost, trips = cost.plus(costs.plan_turn), trips + _PLANNERS_TRIPS
        yield from self._work(host, cost, trips)

    def _claim(self, host: _Host, due: list[float]) -> Iterator[float]:
        """Take what is ready, and then of what this turn has planned itself."""
        for _ in range(min(host.free, _CLAIMS_A_TURN)):
            if self._ready:
                slot = self._ready.popleft()
            elif due:
                slot = due.pop(0)
            else:
                return
            host.free -= 1
            yield slot

    def _settled(self, number: int) -> None:
        self._done += number
        if self._setting.backlog and self._done == self._setting.backlog:
            self._simulation.stop()

    def _wake_others(self) -> None:
        """Say that something was planned: to all, as it is, or to one, as it might be."""
        woken = self._hosts
        if not self._setting.wakes_all:
            free = [host for host in self._hosts if host.free]
            woken = [self._chance.choice(free)] if self._ready and free else []
        for host in woken:
            host.bell.ring()

    def _launch(self, host: _Host, slot: float) -> Process:
        yield from self._spend(host.cores, self._costs.launch)
        self._late.append(self._simulation.now - slot)
        self._simulation.begin(self._job(host))

    def _job(self, host: _Host) -> Process:
        if self._setting.one_machine:
            yield from self._spend(self._server, self._setting.job_cpu)
        yield self._setting.lasts
        host.ended.append(self._simulation.now)
        host.bell.ring()

    def _work(self, host: _Host, cost: Cost, trips: int) -> Process:
        yield from self._spend(self._server, cost.server)
        yield from self._spend(host.cores, cost.wall - cost.server)
        if self._setting.round_trip:
            yield trips * self._setting.round_trip

    def _spend(self, cores: Places, seconds: float) -> Process:
        """Take a core for so long, and let others have it now and then."""
        while seconds > 0:
            yield cores
            piece = min(seconds, _SLICE)
            yield piece
            cores.leave()
            seconds -= piece


def simulate(costs: Costs, setting: Setting) -> Found:
    """Return what becomes of a setting."""
    return World(costs, setting).run()

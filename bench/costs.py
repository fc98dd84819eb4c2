"""What each move costs: time of the host's one thread, and CPU of the server. The simulation starts from here."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench import subject
from bench.hosts import NOBODY, fleet
from bench.measures import Row
from bench.scale import Cost, Costs
from bench.server import Server
from bench.shown import plain
from rota.ids import RunIds
from rota.model.host import NewHost, Terms
from rota.model.job import Job, ScheduleSpec
from rota.model.run import OutputPart, State
from rota.model.settlement import Claimed, Ended
from rota.plan.due import plan_due
from rota.ports import Store

_BATCH, _BATCHES, _TIMES = 16, 60, 400
_HOST = "host-0"
_LEASE, _LEADS, _OUTAGE = timedelta(seconds=30), timedelta(seconds=3), timedelta(seconds=5)
_TERMS = Terms(_HOST, {}, _LEASE)


class _Bench:
    """One connection that makes the moves, alone, and a clock for both sides."""

    def __init__(self, postgres: Server, store: Store) -> None:
        self._postgres, self._store = postgres, store
        self.claimed: list[Claimed] = []
        self.ended: list[Claimed] = []

    def cost(self, move: Callable[[], None], times: int) -> Cost:
        """Return what one of so many moves costs."""
        before, begin = self._postgres.counts().cpu, time.perf_counter()
        for _ in range(times):
            move()
        wall = (time.perf_counter() - begin) / times
        return Cost(wall, min(wall, (self._postgres.counts().cpu - before) / times))

    def turn(self) -> None:
        """Be woken for nothing."""
        with self._store.transaction():
            self._store.hosts.find(_HOST)
            self._store.runs.claim_ready(_HOST, "boot", datetime.now(UTC), ["spool"] * _BATCH, None, _TERMS)

    def plan_turn(self) -> None:
        """Do what the host that plans does besides, with nothing due."""
        now = datetime.now(UTC)
        with self._store.transaction():
            self._store.runs.wake(now)
            self._store.jobs.due(now, 250)
            self._store.jobs.next_wake()

    def claim_one(self) -> None:
        """Claim a run."""
        self._claim(1)

    def claim(self) -> None:
        """Claim a batch."""
        self._claim(_BATCH)

    def _claim(self, number: int) -> None:
        now, spools = datetime.now(UTC), [f"spool-{place}" for place in range(number)]
        with self._store.transaction():
            self._store.hosts.find(_HOST)
            self.claimed += self._store.runs.claim_ready(_HOST, "boot", now, spools, None, _TERMS)

    def settle(self) -> None:
        """End a batch."""
        now = datetime.now(UTC)
        with self._store.transaction():
            for _ in range(_BATCH):
                one = self.claimed.pop()
                ended = Ended(one.run_id, one.attempt, State.SUCCEEDED, one.claimed_at, now, 0)
                assert self._store.runs.settle_if_running(ended, _HOST, now)
                self.ended.append(one)

    def output(self) -> None:
        """Keep a line of each of a batch."""
        with self._store.transaction():
            for _ in range(_BATCH):
                one = self.ended.pop()
                self._store.runs.add_output(one.run_id, one.attempt, [OutputPart("stdout", b"a line\n", b"", 7)])

    def look(self) -> None:
        """Ask whether anything has changed."""
        self._store.changed_by_others()

    def lead(self) -> None:
        """Say that one plans."""
        self._store.hosts.lead(_HOST, _LEADS, _OUTAGE, _LEASE)

    def beat(self) -> None:
        """Renew the leases of a batch."""
        self._store.hosts.beat(_HOST, _LEASE)
        self._store.hosts.clock()

    def plan(self) -> None:
        """Plan a batch of jobs that are due; looking for them is in it."""
        now, ids = datetime.now(UTC), RunIds()
        with self._store.transaction():
            due = self._store.jobs.due(now, _BATCH)
            active = self._store.runs.active_of([stored.id for stored in due])
            for stored in due:
                self._store.record_plan(stored, plan_due(stored, now, active.get(stored.id, [])), now, ids.new)


def measured(postgres: Server) -> Costs:
    """Measure every move, alone and one after the other."""
    with fleet(postgres) as world:
        store = world.client.store
        with store.transaction():
            store.hosts.register(NewHost(_HOST, _HOST, True, {}, _BATCH, "bench"))
        runs = _BATCH * _BATCHES
        one = world.add("job", ("/bin/true",))
        world.queue([one], _TIMES)
        bench = _Bench(postgres, store)
        claim_one = bench.cost(bench.claim_one, _TIMES)
        for _ in range(_TIMES // _BATCH):
            bench.settle()
        world.queue([world.add(f"job-{number}", ("/bin/true",)) for number in range(100)], runs)
        claim, settle = bench.cost(bench.claim, _BATCHES), bench.cost(bench.settle, _BATCHES - 1)
        beat = bench.cost(bench.beat, _TIMES)
        bench.settle()
        output = bench.cost(bench.output, _BATCHES)
        turn, plan_turn = bench.cost(bench.turn, _TIMES), bench.cost(bench.plan_turn, _TIMES)
        look, lead = bench.cost(bench.look, _TIMES), bench.cost(bench.lead, _TIMES)
        store.jobs.add_lane("", NOBODY.needs)
        slot = datetime.now(UTC) - timedelta(seconds=1)
        spec = ScheduleSpec("every", "1h", anchor=slot - timedelta(hours=1))
        jobs = [Job(f"due-{number}", subject.TRUE, (spec,), runs_on=NOBODY) for number in range(runs)]
        world.seed(jobs, [slot] * runs)
        plan = bench.cost(bench.plan, _BATCHES)
    commit = _commit(postgres)
    each = claim.less(claim_one).part(1 / (_BATCH - 1))
    return Costs(
        look=look,
        lead=lead.less(Cost(commit, 0)),
        beat=beat.less(Cost(commit, 0)),
        turn=turn,
        plan_turn=plan_turn,
        lanes=claim_one.less(turn).less(Cost(commit, 0)).less(each),
        claim=each,
        settle=settle.less(Cost(commit, 0)).part(1 / _BATCH),
        output=output.less(Cost(commit, 0)).part(1 / _BATCH),
        plan=plan.less(Cost(commit, 0)).part(1 / _BATCH),
        commit=commit,
        launch=_launch(),
    )


def _commit(postgres: Server) -> float:
    """Return for how long a commit waits for the disk: a small one beside the same that need not wait."""
    took = {}
    for how in ("on", "off"):
        postgres.execute(f"SET synchronous_commit TO {how}")
        begin = time.perf_counter()
        for _ in range(_TIMES):
            postgres.execute("SELECT txid_current(), pg_logical_emit_message(true, 'bench', 'x')")
        took[how] = (time.perf_counter() - begin) / _TIMES
    postgres.execute("SET synchronous_commit TO on")
    return max(0.0, took["on"] - took["off"])


def _launch() -> float:
    from bench.floor import ShimLoop

    loop = ShimLoop(200)
    begin = time.perf_counter()
    for _ in range(200):
        loop.start()
    seconds = (time.perf_counter() - begin) / 200
    loop.close()
    return seconds


def moves(postgres: Server) -> list[Row]:
    """Show what each move costs."""
    costs = measured(postgres)
    rows = []
    for name in ("look", "lead", "beat", "turn", "plan_turn", "lanes", "claim", "settle", "output", "plan"):
        cost: Cost = getattr(costs, name)
        rows.append(plain(f"a {name}: time of the host, of it CPU of PostgreSQL", cost.shown()))
    waits = f"{costs.commit * 1e6:.0f} µs, {costs.launch * 1e6:.0f} µs"
    return [*rows, plain("a commit's wait for the disk; a launch", waits)]

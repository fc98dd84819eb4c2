"""Whatever happens to runs in whatever order, what the store promises stays true."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rota.model.policy import Overlap
from rota.model.run import FINAL, MOVES, State, Trigger
from rota.model.settlement import Ended, NewRun
from rota.plan.overlap import Start, decide_overlap

from .worlds import MINUTE, NOW, SECOND, SQLITE, World, emptied, job, open_postgres

POOLS = ["", "disk"]
ENDS = [State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CANCELLED, State.LOST]
POLICIES = st.fixed_dictionaries(
    {
        "overlap": st.sampled_from(Overlap),
        "max_instances": st.integers(1, 3),
        "pool": st.sampled_from(POOLS),
        "priority": st.integers(0, 2),
        "start_by": st.none() | st.just(20 * MINUTE),
    }
)


class Lifecycle(RuleBasedStateMachine):
    """Random claims, ends, retries, cancels and edits; the model is a list of what was told to the store."""

    def __init__(self):
        super().__init__()
        self.store = self.open()
        self.now = NOW
        self.jobs = {}
        self.limits = {}
        self.size = 1

    def open(self):
        return World(SQLITE["sqlite memory"](""))

    @initialize(policies=st.lists(POLICIES, min_size=1, max_size=3))
    def make(self, policies):
        for number, policy in enumerate(policies):
            stored = self.store.make(f"job-{number}", **policy)
            self.jobs[stored.id] = stored
            self.limits[stored.id] = stored.job.policy.job_limit

    def allow_what_is_there(self, job_id, limit):
        """A limit that was lowered ends nothing: until enough have ended, what is there is the limit."""
        self.limits[job_id] = None if limit is None else max(limit, self.store.runs.placed(job_id))

    def pick(self, number):
        return self.jobs[sorted(self.jobs)[number % len(self.jobs)]]

    def running(self, number):
        found = self.store.runs.running_on("host")
        return found[number % len(found)] if found else None

    @rule(number=st.integers(0, 2))
    def due(self, number):
        """A slot is due: overlap decides, as planning does."""
        stored, self.now = self.pick(number), self.now + SECOND
        with self.store.transaction():
            decision = decide_overlap(stored.job.policy, self.store.runs.active(stored.id))
            if not isinstance(decision, Start):
                return
            run = self.store.new_id(self.now)
            new = NewRun(run, stored.id, stored.definition_id, Trigger.SCHEDULE, slot=self.now, held=decision.held)
            self.store.runs.add(new, stored.job, self.now)
            for victim in decision.victims:
                if not self.store.runs.cancel_if_not_running(victim, self.now, "replaced"):
                    self.store.runs.ask_to_cancel_if_running(victim, self.now, "replaced")

    @rule(number=st.integers(0, 2))
    def by_hand(self, number):
        stored = self.pick(number)
        limit = stored.job.policy.job_limit
        held = limit is not None and self.store.runs.placed(stored.id) >= limit
        self.store.queue(stored, now=self.now, held=held)

    @rule(places=st.integers(0, 4), limit=st.none() | st.integers(0, 4))
    def claim(self, places, limit):
        before = self.store.runs.state_counts().get(State.RUNNING, 0)
        claimed = self.store.claim(places, now=self.now, host="host", max_running=limit)
        assert limit is None or before + len(claimed) <= max(limit, before)

    @rule(number=st.integers(0, 9), state=st.sampled_from(ENDS), seconds=st.integers(-5, 99))
    def end(self, number, state, seconds):
        run = self.running(number)
        if run is None:
            return
        code = {State.SUCCEEDED: 0, State.LOST: None}.get(state, 3)
        at = self.now + timedelta(seconds=seconds)
        for attempt, host, wanted in (
            (run.attempt + 1, "host", False),
            (run.attempt, "x", False),
            (run.attempt, "host", True),
        ):
            ended = Ended(run.id, attempt, state, run.started_at, at, code)
            assert wanted is self.store.runs.settle_if_running(ended, host, self.now)

    @rule(number=st.integers(0, 9), pause=st.integers(0, 300))
    def fail_and_try_again(self, number, pause):
        run = self.running(number)
        if run is None:
            return
        ended = Ended(run.id, run.attempt, State.FAILED, run.started_at, self.now, 1)
        rested = self.store.runs.rest_if_running(ended, "host", self.now, self.now + timedelta(seconds=pause), "again")
        assert rested is (run.cancel_at is None)

    @rule(number=st.integers(0, 9))
    def give_back(self, number):
        run = self.running(number)
        if run is not None:
            assert self.store.runs.give_back_if_running(run.id, run.attempt, "host", self.now, "never started")

    @rule(number=st.integers(0, 9), which=st.integers(0, 2))
    def cancel(self, number, which):
        active = self.store.runs.active(self.pick(which).id)
        if active:
            run = active[number % len(active)]
            here = self.store.runs.cancel_if_not_running(run.id, self.now, "by hand")
            there = self.store.runs.ask_to_cancel_if_running(run.id, self.now, "by hand")
            assert here is (run.state is not State.RUNNING)
            assert not (here and there)

    @rule(minutes=st.integers(0, 30))
    def time_passes(self, minutes):
        self.now += minutes * MINUTE
        self.store.runs.wake(self.now)

    @rule(number=st.integers(0, 2), policy=POLICIES)
    def edit(self, number, policy):
        stored = self.pick(number)
        with self.store.transaction():
            new = job(stored.name, **policy)
            self.jobs[stored.id] = self.store.jobs.change_if_unchanged(stored, new, "hand", self.now, None, 0 * SECOND)
            self.store.runs.release_held()
        self.allow_what_is_there(stored.id, new.policy.job_limit)

    @rule(size=st.integers(1, 3))
    def resize(self, size):
        taken = self.store.jobs.pools().get("disk", (0, 0))[1]
        self.store.jobs.set_pool("disk", size)
        self.size = max(size, taken)

    @invariant()
    def places_are_within_limits(self):
        for job_id, limit in self.limits.items():
            assert limit is None or self.store.runs.placed(job_id) <= limit
            self.allow_what_is_there(job_id, self.jobs[job_id].job.policy.job_limit)
        _, taken = self.store.jobs.pools().get("disk", (1, 0))
        assert taken <= self.size
        self.size = max(self.store.jobs.pools().get("disk", (1, 0))[0], taken)

    @invariant()
    def no_run_is_held_beside_a_free_place(self):
        for stored in self.jobs.values():
            active, limit = self.store.runs.active(stored.id), stored.job.policy.job_limit
            held = [run for run in active if run.held]
            placed = len(active) - len(held)
            assert not held or (limit is not None and placed >= limit)
        assert self.store.runs.release_held() == 0, "the trigger has let all of them go"

    @invariant()
    def nothing_waits_in_the_past(self):
        """The engine rests until the next wake: an instant that no wake can clear would make it spin."""
        self.store.runs.wake(self.now)
        following = self.store.jobs.next_wake()
        assert following is None or following > self.now

    @invariant()
    def events_tell_each_run_s_way_along_the_table_and_totals_are_the_ends(self):
        ways = {}
        for event in self.store.ledger.events(0, 100_000):
            ways.setdefault(event.run_id, []).append(State(event.kind.removeprefix("run.")))
        for run_id, way in ways.items():
            assert State.QUEUED is way[0]
            assert all(new in MOVES[old] for old, new in pairwise(way)), way
            assert way[-1] is self.store.state(run_id)
        ends = Counter(way[-1] for way in ways.values() if way[-1] in FINAL)
        totals = Counter()
        for outcomes in self.store.ledger.totals(None, 0).values():
            totals.update({State(state): runs for state, (runs, _, _) in outcomes.items()})
        assert ends == totals

    def teardown(self):
        assert [] == self.store.upkeep.faults()
        self.store.close()


Lifecycle.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestWhateverHappens = Lifecycle.TestCase


def test_the_same_is_true_on_postgresql(postgres, url):
    class OnPostgres(Lifecycle):
        def open(self):
            return emptied(open_postgres(url))

    few = settings(max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OnPostgres, settings=few)

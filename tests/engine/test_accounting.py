"""Whatever people and machines do to a job, the ledger has each of its slots once, and each start is on record."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.errors import Conflict
from rota.model.policy import CatchUp, Overlap
from rota.plan.adopt import Evidence

from .conftest import World
from .machine import NOW, Act

MINUTE = timedelta(minutes=1)
POLICIES = st.fixed_dictionaries(
    {
        "overlap": st.sampled_from([each.value for each in Overlap]),
        "catch_up": st.sampled_from(CatchUp),
        "grace": st.sampled_from([timedelta(0), 5 * MINUTE, 60 * MINUTE]),
        "max_instances": st.integers(1, 2),
        "jitter": st.sampled_from([timedelta(0), timedelta(0), 3 * MINUTE]),
    }
)
ACTS = st.lists(
    st.builds(Act, seconds=st.sampled_from([0.5, 30.0, 150.0]), code=st.sampled_from([0, 1])), min_size=1, max_size=3
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["live", "live", "downtime", "back", "edit", "pause", "resume", "trigger", "cancel", "crash"]),
        st.sampled_from([0.3, 20, 61, 200, 1_000]),
        POLICIES,
    ),
    min_size=1,
    max_size=10,
)


def step(world: World, what: str, seconds: float, policy: dict) -> None:
    if what in ("live", "crash"):
        world.live(seconds)
    if what == "downtime":
        world.sleep_without_engine(timedelta(seconds=seconds))
        for process in world.launcher.processes.values():
            if process.ends is not None and process.ends <= world.clock.monotonic():
                process.ends = world.clock.monotonic()
    elif what == "back":
        world.clock.jump(-timedelta(seconds=seconds))
    elif what == "edit":
        job = world.store.jobs.get("job").job
        policy = {**policy, "overlap": Overlap(policy["overlap"])}
        world.verbs.change("job", msgspec.structs.replace(job, policy=msgspec.structs.replace(job.policy, **policy)))
    elif what == "crash":
        world.crash()
        for run in world.store.runs.running_on("home"):
            world.launcher.known[run.id] = Evidence(True, None, False, seconds > 60, None, None)
        world.boot()
    else:
        with suppress(Conflict):
            {
                "pause": lambda: world.verbs.pause("job"),
                "resume": lambda: world.verbs.resume("job"),
                "trigger": lambda: world.verbs.trigger("job"),
                "cancel": lambda: world.verbs.cancel("job"),
                "live": lambda: None,
            }[what]()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(POLICIES, ACTS, STEPS)
def test_each_slot_is_in_the_ledger_once_and_each_start_is_on_record(policy, acts, steps):
    world = World()
    world.add("job", "1m", act=acts, retries={"count": 1, "delay": timedelta(seconds=5)}, **policy)
    for each in steps:
        step(world, *each)
    world.live(5)
    stored = world.store.jobs.get("job")
    until = stored.planned_to
    slots = {NOW + number * MINUTE for number in range(1, (until - NOW) // MINUTE + 1)}
    runs = world.runs("job")
    made = [run.slot for run in runs if run.slot is not None]
    ranges = sorted(
        (record.skip for record in world.store.ledger.page(stored.id, NOW - 999 * MINUTE, None, 10_000)),
        key=lambda skip: skip.first_slot,
    )
    assert len(set(made)) == len(made)
    assert all(one.last_slot < two.first_slot for one, two in pairwise(ranges))
    inside = [slot for slot in slots for skip in ranges if skip.first_slot <= slot <= skip.last_slot]
    assert slots == set(made) | set(inside)
    assert len(slots) == len(made) + len(inside), "no slot has two records"
    assert len(inside) == sum(skip.count for skip in ranges)
    outcomes = world.store.ledger.totals(stored.id, 0).get("job", {})
    assert len(inside) == outcomes.get("skipped", (0,))[0]
    assert len([run for run in runs if run.ended_at]) == sum(
        outcomes[state][0] for state in outcomes if state != "skipped"
    )
    assert all(
        not before.ended_at or before.started_at is None or before.ended_at >= before.started_at for before in runs
    )
    starts = Counter(attempt for _, _, attempt in world.launcher.starts)
    assert sum(run.attempt for run in runs) <= starts.total(), "a claim that was given back is started again"
    limit = stored.job.policy.job_limit
    held = [run for run in world.store.runs.active(stored.id) if run.held]
    assert not held or (limit is not None and world.store.runs.placed(stored.id) >= limit)
    world.store.close()

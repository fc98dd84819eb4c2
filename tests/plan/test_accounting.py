"""Never lost, never doubled: every slot up to the cursor has exactly one record, whatever the engine lived through."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.model.job import ScheduleSpec
from rota.model.ledger import SkipCode
from rota.model.policy import CatchUp, Overlap
from rota.model.run import State
from rota.plan.due import CATCH_UP_CAP, plan_due, plan_silence
from rota.plan.overlap import ActiveRun
from rota.plan.timetables import timetable_of

from .slots import HOUR, MINUTE, NOW, SECOND, TICK, stored_job

MOST_SLOTS = 20_000


def every(seconds: float, ahead: int) -> tuple[ScheduleSpec, object]:
    """A schedule, and the same written as a plain loop."""
    step, anchor = timedelta(seconds=seconds), NOW - timedelta(seconds=ahead)

    def walk(since: datetime, until: datetime):
        number = max(1, (since - anchor) // step)
        while anchor + number * step <= until:
            if anchor + number * step > since:
                yield anchor + number * step
            number += 1

    return ScheduleSpec("every", f"{round(seconds * 1000)}ms", anchor=anchor), walk


def cron(minutes: int) -> tuple[ScheduleSpec, object]:
    def walk(since: datetime, until: datetime):
        at = since.replace(minute=0, second=0, microsecond=0)
        while at <= until:
            if at > since and at.minute % minutes == 0:
                yield at
            at += MINUTE

    return ScheduleSpec("cron", f"*/{minutes} * * * *"), walk


def once(minutes: int) -> tuple[ScheduleSpec, object]:
    at = NOW + timedelta(minutes=minutes)

    def walk(since: datetime, until: datetime):
        if since < at <= until:
            yield at

    return ScheduleSpec("at", at.isoformat()), walk


SCHEDULES = st.lists(
    st.builds(every, st.sampled_from([0.05, 0.5, 1, 7, 60, 61.5, 600, 3600, 86_400]), st.integers(0, 5000))
    | st.builds(cron, st.sampled_from([1, 5, 20, 60]))
    | st.builds(once, st.integers(-10, 900)),
    min_size=1,
    max_size=3,
)
POLICIES = st.fixed_dictionaries(
    {
        "catch_up": st.sampled_from(CatchUp),
        "overlap": st.sampled_from(Overlap),
        "max_instances": st.integers(1, 3),
        "grace": st.sampled_from([0 * SECOND, 3 * SECOND, MINUTE, HOUR, 100 * HOUR]),
        "not_before": st.none() | st.just(NOW + 10 * MINUTE),
        "not_after": st.none() | st.just(NOW + 3 * HOUR),
    }
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["wake", "wake", "wake", "downtime", "back", "edit", "pause"]),
        st.sampled_from([0.0, 0.002, 0.9, 5.0, 11.0, 59.0, 400.0, 4_000.0, 30_000.0]),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=12,
)


class Life:
    """A job's life on paper: a cursor, and the records that planning left."""

    def __init__(self, stored):
        self.stored, self.now = stored, NOW
        self.active, self.made, self.skips = [], [], []

    def plan(self, until=None):
        found = plan_due(self.stored, self.now, self.active, until)
        assert found.planned_to >= self.stored.planned_to, "the cursor never goes back"
        assert found.next_slot is None or found.next_slot > found.planned_to
        for run in found.runs:
            assert run.slot <= self.now
            self.made.append(run.slot)
            self.active.append(ActiveRun(f"run-{len(self.made)}", State.QUEUED, run.held))
        assert set(found.victims) <= {run.id for run in self.active}
        self.skips += found.skips
        self.move(found.planned_to, found.next_slot, found.skip_streak)

    def move(self, planned_to, next_slot, streak):
        self.stored = msgspec.structs.replace(
            self.stored, planned_to=planned_to, next_slot=next_slot, skip_streak=streak
        )

    def live(self, what, seconds, ended):
        """What an engine does, and what happens to it."""
        del self.active[:ended]
        step = timedelta(seconds=seconds)
        if what == "back":
            self.now -= min(step, 3 * HOUR)
        elif what == "wake" and self.stored.next_slot is not None:
            self.now = max(self.now, min(self.stored.next_slot + self.stored.jitter + step, self.now + 3 * HOUR))
        else:
            self.now += step
        if what == "pause":
            self.pause(step)
        elif what == "edit":
            self.plan(until=max(self.now, self.stored.planned_to))
        elif self.stored.next_slot is not None and self.stored.next_slot + self.stored.jitter <= self.now:
            self.plan()

    def pause(self, step):
        """As the verbs do: what was due is planned, what the pause holds is one range."""
        if self.now <= self.stored.planned_to:
            return
        self.plan(until=self.now)
        until = self.now + step
        self.skips += plan_silence(self.stored, self.stored.planned_to, until, SkipCode.PAUSED, "paused")
        self.now = until
        self.move(until, timetable_of(self.stored.job).next_after(until), self.stored.skip_streak)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEDULES, POLICIES, st.sampled_from([0, 0, 0.5, 90.0, 1_200.0]), STEPS)
def test_every_slot_up_to_the_cursor_is_accounted_for_exactly_once(schedules, policy, shift, steps):
    life = Life(stored_job(*(spec for spec, _ in schedules), shift=timedelta(seconds=shift), **policy))
    for step in steps:
        life.live(*step)
    until = min(life.stored.planned_to, policy["not_after"] or life.stored.planned_to)
    since = NOW if policy["not_before"] is None else max(NOW, policy["not_before"] - TICK)
    wanted = set()
    for _, walk in schedules:
        for slot in walk(since, until):
            wanted.add(slot)
            if len(wanted) > MOST_SLOTS:
                return
    made = set(life.made)
    assert len(made) == len(life.made), "nothing runs twice"
    rest = sorted(wanted - made)
    assert made <= wanted
    ranges = sorted(life.skips, key=lambda skip: skip.first_slot)
    assert all(one.last_slot < two.first_slot for one, two in pairwise(ranges)), "no overlap"
    for skip in ranges:
        inside, rest = rest[: skip.count], rest[skip.count :]
        assert (skip.first_slot, skip.last_slot, skip.count) == (inside[0], inside[-1], len(inside))
        assert not any(skip.first_slot <= slot <= skip.last_slot for slot in made)
    assert [] == rest, "nothing is lost"


@settings(max_examples=60, deadline=None)
@given(SCHEDULES, POLICIES, st.integers(1, 400_000))
def test_no_plan_makes_more_runs_than_the_cap(schedules, policy, seconds):
    stored = stored_job(*(spec for spec, _ in schedules), **policy)
    found = plan_due(stored, NOW + timedelta(seconds=seconds), [])
    assert len(found.runs) <= CATCH_UP_CAP
    assert len(found.skips) <= CATCH_UP_CAP + 3

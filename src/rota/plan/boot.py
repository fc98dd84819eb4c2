"""What a start of the machine means to a job that is to run then.

cron's rule: once for each start of the machine, and not again when only the scheduler starts again. So the slot is not
found by looking at a clock, as in plan/due.py. The first engine that comes up after a start asks about every such job
once, and the answers are written together with the fact that this start has been decided on: killed before that, it has
decided nothing; killed after, nobody asks again.

The slot is the instant at which the machine started. The job's cursor stays where it is, since it belongs to the
schedules that a clock makes due. A machine, and rota with it, takes its time to come up, so neither catch-up nor its
ten seconds apply here; grace does. Nor does jitter: a run is made at once, or not at all.

A clock may make the same job due at the very instant of the start. These are two slots with a record each, so the
start's is a microsecond later then.

A job that was made after the start runs if that is still within grace: a container starts, its jobs are read, and then
its engine comes up. Beyond grace it has missed nothing, because it was not there.

Every reason names the start. Two skips with the same reason would become one range, and a range of starts is not
something that anybody could count later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rota.model.job import Job, StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.model.run import Trigger
from rota.plan.due import STUCK_AFTER, Plan, PlannedRun, grace_of
from rota.plan.overlap import ActiveRun, Refuse, decide_overlap
from rota.plan.timetables import timetable_shown
from rota.schedule.duration import words

_TICK = timedelta(microseconds=1)


def boot_slot(job: Job, started: datetime) -> datetime:
    """Return the slot that a start of the machine is to a job: no schedule of a clock has the same."""
    if len(job.schedules) == 1:
        return started
    timetable = timetable_shown(job)  # of what cannot be read the planner tells, and it makes nothing due here
    while timetable.latest_until(started) == started:
        started += _TICK
    return started


def plan_boot(stored: StoredJob, started: datetime, now: datetime, active: Sequence[ActiveRun]) -> Plan | None:
    """Decide on the slot that a start of the machine is to a job; None if it is none.

    1. The job is out of service, does not ask for it, or counts only before or after: it is no slot. Neither is a start
       beyond grace from before the job was made.
    2. The job is paused, or the machine started too long ago: a skip.
    3. Else the overlap rule decides, as on every slot.
    """
    policy = stored.job.policy
    too_early = policy.not_before is not None and started < policy.not_before
    too_late = policy.not_after is not None and started > policy.not_after
    if not stored.job.at_boot or not stored.job.enabled or stored.removed_at is not None or too_early or too_late:
        return None
    beyond = now - started > grace_of(policy)
    if beyond and started < stored.created_at:
        return None
    if stored.paused_at is not None:
        return _skip(stored, started, SkipCode.PAUSED, "and the job was paused")
    if beyond:
        why = f"more than {words(policy.grace)} (grace) before the engine came to it"
        return _skip(stored, started, SkipCode.BEYOND_GRACE, why)
    decision = decide_overlap(policy, active)
    if isinstance(decision, Refuse):
        return _skip(stored, started, SkipCode.OVERLAP, f"and {decision.why}", decision.run_id)
    run = PlannedRun(started, Trigger.SCHEDULE, decision.held)
    return Plan((run,), (), decision.victims, stored.planned_to, stored.next_slot, skip_streak=0)


def _skip(stored: StoredJob, started: datetime, code: SkipCode, why: str, run_id: str | None = None) -> Plan:
    streak = stored.skip_streak + (code is SkipCode.OVERLAP)
    skip = Skip(started, started, 1, code, f"the machine started at {started:%Y-%m-%d %H:%M:%S} UTC, {why}", run_id)
    stuck = stored.skip_streak < STUCK_AFTER <= streak
    return Plan((), (skip,), (), stored.planned_to, stored.next_slot, streak, stuck)

"""Planning: from a job whose time has come to the records that account for every slot up to now.

A job's `planned_to` is a cursor: every slot up to it has its record, a run or a skip. Planning takes the slots between
the cursor and now, gives each its record, and moves the cursor. The store writes the result only if the cursor is still
where it was read, so two planners, or a planner and an editor, cannot both account for one slot; and the unique key
(job, slot) stands behind that.

A job with jitter wakes that much later than its slot, and on time for it is that much later too. So planning takes the
slots up to `until`, the last that the job has woken for; an editor takes those up to now, because the definition that
they belong to ends there.

Usually there is one slot, due a moment ago. After downtime there may be half a million; then the catch-up policy picks
which of them run, and the rest become one range, counted without visiting them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from rota.model.job import StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.model.policy import CatchUp, Overlap, Policy
from rota.model.run import State, Trigger
from rota.plan.overlap import ActiveRun, Refuse, Start, decide_overlap
from rota.plan.timetables import rest_of, timetable_of
from rota.schedule.duration import words
from rota.schedule.timetable import Timetable

ON_TIME = timedelta(seconds=10)
"""A slot planned later than this (and its jitter) was missed, and catch-up decides on it."""
LEAST_GRACE = timedelta(seconds=1)
"""No engine is there to the microsecond: with a grace of nothing a job would never run."""
CATCH_UP_CAP = 1_000
STUCK_AFTER = 3
"""So many skips in a row because of one running run are told as an event."""
_TICK = timedelta(microseconds=1)


class PlannedRun(msgspec.Struct, frozen=True):
    """A run to make for a slot."""

    slot: datetime
    trigger: Trigger
    held: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What planning one job came to: records for every slot up to the new cursor."""

    runs: tuple[PlannedRun, ...]
    skips: tuple[Skip, ...]
    victims: tuple[str, ...]
    planned_to: datetime
    next_slot: datetime | None
    skip_streak: int
    stuck: bool = False


def plan_due(stored: StoredJob, now: datetime, active: Sequence[ActiveRun], until: datetime | None = None) -> Plan:
    """Account for every slot of the job up to `until`: to the last that it has woken for by now, if nobody says else.

    1. Let catch-up choose: which slots run, which ranges are skipped.
    2. Let overlap decide on each slot that would run, in order, earlier ones of this plan counted.
    3. Move the cursor there, and find the slot after it.
    """
    timetable = timetable_of(stored.job)
    punctual = now - stored.jitter
    wanted, skips, cursor = _choose(stored, timetable, punctual, punctual if until is None else until)
    policy = stored.job.policy
    if policy.overlap == Overlap.REPLACE and len(wanted) > 1:
        why = "a later slot was due as well, and overlap is replace"
        skips.extend(Skip(slot, slot, 1, SkipCode.COALESCED, why) for slot in wanted[:-1])
        wanted = wanted[-1:]
    pending, runs, refused = list(active), [], []
    victims: list[str] = []
    catching_up = bool(wanted) and punctual - wanted[0] > ON_TIME
    for slot in wanted:
        missed = punctual - slot > ON_TIME
        decision = decide_overlap(policy, pending)
        if isinstance(decision, Refuse) and catching_up and policy.catch_up == CatchUp.ALL:
            decision = Start(held=True)  # `all` asks for each of them: they wait for their turn instead
        if isinstance(decision, Refuse):
            refused.append(Skip(slot, slot, 1, SkipCode.OVERLAP, decision.why, decision.run_id or None))
            continue
        runs.append(PlannedRun(slot, Trigger.CATCH_UP if missed else Trigger.SCHEDULE, decision.held))
        victims.extend(decision.victims)
        pending.append(ActiveRun("", State.QUEUED, decision.held))
    streak = 0 if runs else stored.skip_streak + len(refused)
    # A schedule that counts from the end of a run has no next slot until the run has ended.
    counted = None if wanted else stored.next_slot
    next_slot = timetable.next_after(cursor) if rest_of(stored.job) is None else counted
    return Plan(
        tuple(runs),
        (*skips, *refused),
        tuple(victims),
        cursor,
        next_slot,
        streak,
        stuck=stored.skip_streak < STUCK_AFTER <= streak,
    )


def plan_silence(stored: StoredJob, since: datetime, until: datetime, code: SkipCode, why: str) -> tuple[Skip, ...]:
    """Account for the slots of a time in which the job was not to run: one range, or nothing."""
    skip = _range(timetable_of(stored.job), since, until, code, why)
    return () if skip is None else (skip,)


def _choose(
    stored: StoredJob, timetable: Timetable, punctual: datetime, until: datetime
) -> tuple[list[datetime], list[Skip], datetime]:
    """Split the slots between the cursor and `until` into those that run and ranges that are skipped."""
    since, policy = stored.planned_to, stored.job.policy
    if rest_of(stored.job) is not None:
        # Counted from the end of the run before: the one slot is the one that the end has set.
        due = [] if stored.next_slot is None or stored.next_slot > until else [stored.next_slot]
        return due, [], max(until, since)
    first = stored.next_slot if stored.next_slot is not None else timetable.next_after(since)
    if first is None or first > until:
        return [], [], max(until, since)
    following = timetable.next_after(first)
    if (following is None or following > until) and punctual - first <= min(ON_TIME, grace_of(policy)):
        return [first], [], until  # the usual case: one slot, just due
    wanted, skips = _catch_up(policy, timetable, since, punctual, until)
    return wanted, [skip for skip in skips if skip is not None], until


def _catch_up(
    policy: Policy, timetable: Timetable, since: datetime, punctual: datetime, until: datetime
) -> tuple[list[datetime], list[Skip | None]]:
    """Decide on missed slots by the policy."""
    horizon = min(max(since, punctual - grace_of(policy) - _TICK), until)
    late = f"it came more than {words(policy.grace)} late (grace)"
    skips = [_range(timetable, since, horizon, SkipCode.BEYOND_GRACE, late)]
    match policy.catch_up:
        case CatchUp.LATEST:
            last = timetable.latest_until(until)
            if last is None or last <= horizon:
                return [], skips
            why = "a later slot was due as well, and catch_up is latest"
            skips.append(_range(timetable, horizon, last - _TICK, SkipCode.COALESCED, why))
            return [last], skips
        case CatchUp.ALL:
            wanted = _last_slots(timetable, horizon, until, CATCH_UP_CAP)
            if wanted:
                why = f"catch_up is all, which takes the last {CATCH_UP_CAP} at most"
                skips.append(_range(timetable, horizon, wanted[0] - _TICK, SkipCode.CATCH_UP_CAP, why))
            return wanted, skips
        case CatchUp.NONE:
            on_time = min(max(horizon, punctual - ON_TIME - _TICK), until)
            skips.append(_range(timetable, horizon, on_time, SkipCode.CATCH_UP_NONE, "catch_up is none"))
            wanted = _last_slots(timetable, on_time, until, CATCH_UP_CAP)
            if wanted:
                why = f"more than {CATCH_UP_CAP} slots were due at once"
                skips.append(_range(timetable, on_time, wanted[0] - _TICK, SkipCode.CATCH_UP_CAP, why))
            return wanted, skips


def grace_of(policy: Policy) -> timedelta:
    """Return how late a slot of the job may be and still run."""
    return max(policy.grace, LEAST_GRACE)


def _last_slots(timetable: Timetable, since: datetime, until: datetime, most: int) -> list[datetime]:
    """Return the last slots in (since, until], oldest first."""
    slots: list[datetime] = []
    slot = timetable.latest_until(until)
    while slot is not None and slot > since and len(slots) < most:
        slots.append(slot)
        slot = timetable.latest_until(slot - _TICK)
    return slots[::-1]


def _range(timetable: Timetable, since: datetime, until: datetime, code: SkipCode, why: str) -> Skip | None:
    """Return the slots in (since, until] as one skip, or None when there are none."""
    if until <= since:
        return None
    first = timetable.next_after(since)
    if first is None or first > until:
        return None
    last = timetable.latest_until(until)
    return None if last is None else Skip(first, last, timetable.count(since, until), code, why)

"""Planning: from a job whose time has come to the records that account for every slot up to now.

A job's `planned_to` is a cursor: every slot up to it has its record, a run or a skip. Planning takes the slots between
the cursor and now, gives each its record, and moves the cursor. The store writes the result only if the cursor is still
where it was read, so two planners, or a planner and an editor, cannot both account for one slot; and the unique key
(job, slot) stands behind that.

Usually there is one slot, due a moment ago. After downtime there may be half a million; then the catch-up policy picks
which of them run, and the rest become one range, counted without visiting them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

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
"""A slot planned later than this was missed, and catch-up decides on it."""
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


def plan_due(stored: StoredJob, now: datetime, active: Sequence[ActiveRun]) -> Plan:
    """Account for every slot of the job up to now.

    1. Let catch-up choose: which slots run, which ranges are skipped.
    2. Let overlap decide on each slot that would run, in order, earlier ones of this plan counted.
    3. Move the cursor to now, and find the slot after it.
    """
    timetable = timetable_of(stored.job)
    wanted, skips, cursor = _choose(stored, timetable, now)
    policy = stored.job.policy
    if policy.overlap is Overlap.REPLACE and len(wanted) > 1:
        why = "a later slot was due as well, and overlap is replace"
        skips.extend(Skip(slot, slot, 1, SkipCode.COALESCED, why) for slot in wanted[:-1])
        wanted = wanted[-1:]
    pending, runs, refused = list(active), [], []
    victims: list[str] = []
    for slot in wanted:
        missed = now - slot > ON_TIME
        decision = decide_overlap(policy, pending)
        if isinstance(decision, Refuse) and missed and policy.catch_up is CatchUp.ALL:
            decision = Start(held=True)  # `all` asks for each of them: they wait for their turn instead
        if isinstance(decision, Refuse):
            refused.append(Skip(slot, slot, 1, SkipCode.OVERLAP, decision.why, decision.run_id or None))
            continue
        runs.append(PlannedRun(slot, Trigger.CATCH_UP if missed else Trigger.SCHEDULE, decision.held))
        victims.extend(decision.victims)
        pending.append(ActiveRun("", State.QUEUED, decision.held))
    streak = 0 if runs else stored.skip_streak + len(refused)
    next_slot = None if rest_of(stored.job) is not None else timetable.next_after(cursor)
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


def _choose(stored: StoredJob, timetable: Timetable, now: datetime) -> tuple[list[datetime], list[Skip], datetime]:
    """Split the slots between the cursor and now into those that run and ranges that are skipped."""
    since, policy = stored.planned_to, stored.job.policy
    if rest_of(stored.job) is not None:
        # Counted from the end of the run before: the one slot is the one that the end has set.
        due = stored.next_slot is not None and stored.next_slot <= now
        return ([stored.next_slot] if due and stored.next_slot else []), [], now
    first = stored.next_slot if stored.next_slot is not None else timetable.next_after(since)
    if first is None or first > now:
        return [], [], max(now, since)
    following = timetable.next_after(first)
    if (following is None or following > now) and now - first <= min(ON_TIME, policy.grace):
        return [first], [], now  # the usual case: one slot, just due
    return _catch_up(policy, timetable, since, now)


def _catch_up(
    policy: Policy, timetable: Timetable, since: datetime, now: datetime
) -> tuple[list[datetime], list[Skip], datetime]:
    """Decide on missed slots by the policy."""
    horizon = max(since, now - policy.grace - _TICK)
    late = f"it came more than {words(policy.grace)} late (grace)"
    skips = [_range(timetable, since, horizon, SkipCode.BEYOND_GRACE, late)]
    match policy.catch_up:
        case CatchUp.LATEST:
            last = timetable.latest_until(now)
            if last is None or last <= horizon:
                return [], _kept(skips), now
            why = "a later slot was due as well, and catch_up is latest"
            skips.append(_range(timetable, horizon, last - _TICK, SkipCode.COALESCED, why))
            return [last], _kept(skips), now
        case CatchUp.ALL:
            wanted = _last_slots(timetable, horizon, now, CATCH_UP_CAP)
            if wanted:
                why = f"catch_up is all, which takes the last {CATCH_UP_CAP} at most"
                skips.append(_range(timetable, horizon, wanted[0] - _TICK, SkipCode.CATCH_UP_CAP, why))
            return wanted, _kept(skips), now
        case CatchUp.NONE:
            on_time = max(horizon, now - ON_TIME - _TICK)
            skips.append(_range(timetable, horizon, on_time, SkipCode.CATCH_UP_NONE, "catch_up is none"))
            return list(islice(timetable.between(on_time, now), CATCH_UP_CAP)), _kept(skips), now


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


def _kept(skips: Sequence[Skip | None]) -> list[Skip]:
    return [skip for skip in skips if skip is not None]

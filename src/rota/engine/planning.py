"""The planning tick: every job whose time has come gets its records, in pieces that never hold the loop for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from rota.model.job import StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.plan.due import plan_due, plan_silence
from rota.plan.timetables import rest_of, timetable_of
from rota.ports import Log, Store
from rota.schedule.duration import words

_JOBS_A_TURN = 250
CORRECTION = timedelta(hours=3)
"""A clock that goes back further than this was wrong before; less is a clock that wanders. cron draws the same line."""
_CLOCK_FACT = "clock"
_CLOCK_WRITTEN = timedelta(minutes=1)


class Planner:
    """Plans jobs that are due, and notices a clock that lied."""

    def __init__(self, store: Store, new_id: Callable[[datetime], str], log: Log) -> None:
        self._store = store
        self._new_id = new_id
        self._log = log
        fact = store.upkeep.fact(_CLOCK_FACT)
        self._latest = None if fact is None else datetime.fromisoformat(fact)
        self._written = self._latest

    def plan(self, now: datetime) -> bool:
        """Account for the due slots of up to a few hundred jobs; True when more are due."""
        due = self._store.jobs.due(now, _JOBS_A_TURN)
        for stored in due:
            active = [] if stored.job.policy.job_limit is None else self._store.runs.active(stored.id)
            plan = plan_due(stored, now, active)
            if self._store.record_plan_if_unmoved(stored, plan, now, self._new_id) and plan.stuck:
                text = f"skipped {plan.skip_streak} times in a row: {plan.skips[-1].reason}"
                self._log.warning(text, stored.name)
        return len(due) == _JOBS_A_TURN

    def clock_went_back(self, now: datetime) -> bool:
        """Tell whether the clock was corrected backwards by more than it may wander."""
        return self._latest is not None and now < self._latest - CORRECTION

    def note_clock(self, now: datetime) -> None:
        """Remember the latest time seen, on disk once a minute, so that a restart can compare."""
        if self._latest is None or now > self._latest:
            self._latest = now
        if self._written is None or now - self._written >= _CLOCK_WRITTEN:
            self._store.upkeep.put_fact(_CLOCK_FACT, now.isoformat())
            self._written = now

    def correct(self, now: datetime) -> None:
        """Compute every next slot anew: the clock came from the future and was corrected.

        Runs that exist keep their slots, and the unique key keeps them from being made again. Skips that reach beyond
        now were written by a wrong clock: what lies after now is taken back, and will be decided when it comes.
        """
        since = self._latest
        after = 0
        while batch := self._store.jobs.timed(after, _JOBS_A_TURN):
            for stored in batch:
                self._correct_job(stored, now)
            after = batch[-1].id
        text = f"the clock went back from {since} to {now}; every next slot was computed anew"
        self._store.ledger.add_event("clock.corrected", now, text=text)
        self._log.warning(text)
        self._latest = now
        self._store.upkeep.put_fact(_CLOCK_FACT, now.isoformat())
        self._written = now

    def _correct_job(self, stored: StoredJob, now: datetime) -> None:
        for record in self._store.ledger.take_back_after(stored.id, now):
            if record.skip.first_slot <= now:
                self._store.ledger.add_skips(stored.id, self._shortened(stored, record.skip, now), now)
        if stored.planned_to <= now:
            return
        if rest_of(stored.job) is None:
            self._store.jobs.set_cursor(stored.id, now, timetable_of(stored.job).next_after(now))
        else:
            self._store.jobs.set_cursor(stored.id, now, stored.next_slot)

    def _shortened(self, stored: StoredJob, skip: Skip, now: datetime) -> tuple[Skip, ...]:
        before = skip.first_slot - timedelta(microseconds=1)
        return plan_silence(stored, before, now, SkipCode(skip.code), skip.reason)

    def explain_wait(self, until: datetime | None, now: datetime) -> str:
        """Return when the next thing is due, for the log at the start."""
        return (
            "nothing is scheduled" if until is None else f"the next slot is in {words(max(until - now, timedelta(0)))}"
        )

"""The planning tick: every job whose time has come gets its records, in pieces that never hold the loop for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from rota.engine.crashpoints import reach
from rota.errors import BadSchedule, UnreadableJob
from rota.model.job import StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.plan.broken import BROKEN_FACT, Broken, decode_broken, encode_broken, why_broken
from rota.plan.due import plan_due, plan_silence
from rota.plan.timetables import rest_of, timetable_of
from rota.ports import Log, Store

_JOBS_A_TURN = 250
CORRECTION = timedelta(hours=3)
"""A clock that goes back further than this was wrong before; less is a clock that wanders. cron draws the same line."""
_CLOCK_FACT = "clock"
_CLOCK_WRITTEN = timedelta(minutes=1)
_WANDERS = timedelta(seconds=5)


class _Shelved(msgspec.Struct, frozen=True):
    """What is to be known of a job in order not to plan it."""

    id: int
    name: str
    definition_id: int
    planned_to: datetime


def _shelved(stored: StoredJob) -> _Shelved:
    return _Shelved(stored.id, stored.name, stored.definition_id, stored.planned_to)


class Planner:
    """Plans jobs that are due, and notices a clock that lied."""

    def __init__(self, store: Store, new_id: Callable[[datetime], str], log: Log) -> None:
        self._store = store
        self._new_id = new_id
        self._log = log
        self.take_over()

    def take_over(self) -> None:
        """Know of the clock what is on disk, and nothing else: what this host saw when it planned last may be old."""
        fact = self._store.upkeep.fact(_CLOCK_FACT)
        self._latest = None if fact is None else datetime.fromisoformat(fact)
        self._written = self._latest
        self._noted = (self._latest, self._written)
        """The same two, as they will be when the transaction is on disk."""
        self._followed: tuple[datetime, float] | None = None
        """Wall and monotonic clock, read together."""
        self._followed_next: tuple[datetime, float] | None = None

    def plan(self, now: datetime) -> bool:
        """Account for the due slots of up to a few hundred jobs; True when more are due."""
        try:
            due = self._store.jobs.due(now, _JOBS_A_TURN)
        except UnreadableJob as error:
            self._shelve(_Shelved(error.job_id, error.name, error.definition_id, error.planned_to), now, error.why)
            return True
        active = self._store.runs.active_of([stored.id for stored in due if stored.job.job_limit is not None])
        for stored in due:
            try:
                plan = plan_due(stored, now, active.get(stored.id, []))
            except BadSchedule as error:
                self._shelve(_shelved(stored), now, str(error))
                continue
            self._store.record_plan(stored, plan, now, self._new_id)
            if plan.stuck:
                text = f"skipped {plan.skip_streak} times in a row: {plan.skips[-1].reason}"
                self._log.warning(text, stored.name)
            reach("mid-plan")
        return len(due) == _JOBS_A_TURN

    def follow(self, now: datetime, monotonic: float) -> None:
        """Notice a clock that was set back while we looked on: pauses between attempts must not grow by that."""
        if self._followed is not None:
            was, then = self._followed
            back = was + timedelta(seconds=monotonic - then) - now
            if back > _WANDERS:
                self._store.runs.bring_forward(back)
        self._followed_next = now, monotonic

    def _shelve(self, job: _Shelved, now: datetime, why: str) -> None:
        """Take a job out of planning whose schedule can be read no more (its zone is gone, say): others go on."""
        self._store.jobs.set_cursor(job.id, job.planned_to, None)
        broken = decode_broken(self._store.upkeep.fact(BROKEN_FACT)) | {job.id: Broken(job.definition_id, why)}
        self._store.upkeep.put_fact(BROKEN_FACT, encode_broken(broken))
        self._store.ledger.add_event("job.broken", now, job.id, reason=why)
        self._log.error(f"it is not planned any more, because its schedule cannot be read: {why}", job.name)

    def mend(self, now: datetime) -> bool:
        """Plan again whose schedule can be read again (its plug-in is there now, say); tell whether there is any.

        What could not be decided on meanwhile is decided on now: the cursor is where it was.
        """
        broken = decode_broken(self._store.upkeep.fact(BROKEN_FACT))
        left: dict[int, Broken] = {}
        mended = False
        for job_id, known in broken.items():
            try:
                stored = self._store.jobs.by_id(job_id)
            except UnreadableJob:
                left[job_id] = known  # a newer rota, or its next definition, mends it
                continue
            if not why_broken(broken, stored):
                continue  # somebody has changed, paused or removed it
            try:
                following = timetable_of(stored.job).next_after(stored.planned_to)
                plan_due(msgspec.structs.replace(stored, next_slot=following), now, ())  # all of it, or it breaks again
            except BadSchedule as error:
                left[job_id] = Broken(stored.definition_id, str(error))
                continue
            self._store.jobs.set_cursor(stored.id, stored.planned_to, following)
            self._store.ledger.add_event("job.mended", now, stored.id)
            self._log.info("its schedule can be read again, so it is planned again", stored.name)
            mended = True
        if left != broken:
            self._store.upkeep.put_fact(BROKEN_FACT, encode_broken(left))
        return mended

    def clock_went_back(self, now: datetime) -> bool:
        """Tell whether the clock was corrected backwards by more than it may wander."""
        return self._latest is not None and now < self._latest - CORRECTION

    def note_clock(self, now: datetime) -> None:
        """Remember the latest time seen, on disk once a minute, so that a restart can compare."""
        latest, written = self._noted
        if latest is None or now > latest:
            latest = now
        if written is None or now - written >= _CLOCK_WRITTEN:
            self._store.upkeep.put_fact(_CLOCK_FACT, now.isoformat())
            written = now
        self._noted = latest, written

    def committed(self) -> None:
        """Believe what was noted: it is on disk. A correction that was rolled back is made again."""
        self._latest, self._written = self._noted
        self._followed = self._followed_next

    def rolled_back(self) -> None:
        """Forget what was noted: nothing of it is on disk."""
        self._noted = self._latest, self._written

    def correct(self, now: datetime) -> None:
        """Compute every next slot anew: the clock came from the future and was corrected.

        Runs that exist keep their slots, and the unique key keeps them from being made again. Skips that reach beyond
        now were written by a wrong clock: what lies after now is taken back, and will be decided when it comes. Pauses
        between attempts were measured by it as well, so they are over.
        """
        since = self._latest
        after = 0
        while batch := self._store.jobs.timed(after, now, _JOBS_A_TURN):
            for stored in batch:
                try:
                    self._correct_job(stored, now)
                except BadSchedule as error:
                    self._shelve(_shelved(stored), now, str(error))
            after = batch[-1].id
        self._store.runs.wake_all(now)
        text = f"the clock went back from {since} to {now}; every next slot was computed anew"
        self._store.ledger.add_event("clock.corrected", now, text=text)
        self._log.warning(text)
        self._store.upkeep.put_fact(_CLOCK_FACT, now.isoformat())
        self._noted = now, now

    def _correct_job(self, stored: StoredJob, now: datetime) -> None:
        for record in self._store.ledger.take_back_after(stored.id, now):
            if record.skip.first_slot <= now:
                self._store.ledger.add_skips(stored.id, self._shortened(stored, record.skip, now), now)
        if stored.planned_to <= now:
            return
        running = stored.next_slot is None
        stored = self._anchored_anew(stored, now)
        rest = rest_of(stored.job)
        following = timetable_of(stored.job).next_after(now) if rest is None else now + rest
        # Counted from the end of a run that still goes on, the next slot is set by that end.
        known = stored.wants_slots and (rest is None or not running)
        self._store.jobs.set_cursor(stored.id, now, following if known else None)

    def _anchored_anew(self, stored: StoredJob, now: datetime) -> StoredJob:
        """Give an `every` that the wrong clock anchored a new anchor: from its own it would be silent until then."""
        latest = now if self._latest is None else self._latest
        specs = tuple(
            msgspec.structs.replace(spec, anchor=now) if spec.anchor and now < spec.anchor <= latest else spec
            for spec in stored.job.schedules
        )
        if specs == stored.job.schedules or stored.removed_at is not None:
            return stored
        job = msgspec.structs.replace(stored.job, schedules=specs)
        return self._store.jobs.change_if_unchanged(stored, job, stored.origin, now, rest_of(job), stored.jitter)

    def _shortened(self, stored: StoredJob, skip: Skip, now: datetime) -> tuple[Skip, ...]:
        before = skip.first_slot - timedelta(microseconds=1)
        return plan_silence(stored, before, now, SkipCode(skip.code), skip.reason)

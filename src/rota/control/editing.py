"""What verbs do to a job's definition and its place in time, inside of their transactions.

Whoever changes a job first accounts for every slot up to now under the definition that is about to end; the new one
begins strictly later. The catalogue of jobs as a whole has a revision, which every change of a definition moves: an
applier that worked out its difference at one revision writes nothing at another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from shlex import quote

import msgspec

from rota.errors import BadJob, BadSchedule, JobExists
from rota.model.job import BY_HAND, Job, StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.model.run import Trigger
from rota.model.settlement import NewRun
from rota.plan.due import plan_due, plan_silence
from rota.plan.timetables import jitter_of, rest_of, timetable_of, timetable_shown, with_anchors
from rota.ports import Store
from rota.schedule.at import At
from rota.schedule.duration import words
from rota.schedule.parse import parse
from rota.schedule.zones import local_zone_name

_REVISION = "revision"


class Applied(msgspec.Struct, frozen=True):
    """What came of making or changing a job."""

    stored: StoredJob
    warnings: tuple[str, ...] = ()


class Editor:
    """Makes, changes and removes jobs; the caller has the transaction open."""

    def __init__(self, store: Store, home_id: str, new_id: Callable[[datetime], str]) -> None:
        self._store = store
        self._home_id = home_id
        self._new_id = new_id

    def revision(self) -> int:
        """Return the number of the catalogue's last change."""
        return int(self._store.upkeep.fact(_REVISION) or 0)

    def move_revision(self) -> int:
        """Say that definitions have changed, and return the new number.

        Whoever edits does it first: the number is held until the transaction ends, so edits come one after the other,
        and none holds a job that another one waits for.
        """
        revision = self.revision() + 1
        self._store.upkeep.put_fact(_REVISION, str(revision))
        return revision

    def checked(self, job: Job, before: Job | None, now: datetime) -> Job:
        """Refuse what cannot mean anything, anchor what counts from now, and write down the zone that is meant."""
        job = with_zone(with_anchors(job, before, now), local_zone_name)
        job.check()
        timetable_of(job)
        rest_of(job)
        return job

    def add(self, job: Job, origin: str, now: datetime) -> Applied:
        """Make a job that is not there yet; one that was removed is there again, with its history.

        A file's job that comes back, perhaps after a blink in which half of the file was missing, comes back as it was:
        with its phase, and paused if it was.
        """
        before = self._store.jobs.find(job.name)
        job = with_anchors(job, before.job if before is not None else None, now)
        rest, jitter = rest_of(job), jitter_of(job, self._home_id)
        if before is not None and before.removed_at is None:
            raise JobExists(
                f"there is a job named {job.name!r} already; remove it first (rota remove {quote(job.name)}), "
                "or choose another name"
            )
        if before is None:
            stored = self._store.jobs.add(job, origin, now, rest, jitter)
        else:
            stored = self._store.jobs.change_if_unchanged(before, job, origin, now, rest, jitter)
            if origin == BY_HAND and stored.paused_at is not None:
                self._store.jobs.pause_if_unchanged(stored, None, now)
                stored = self._store.jobs.by_id(stored.id)
        applied = self._begin(stored, before, now)
        if stored.paused_at is None:
            return applied
        still = f"it was paused when it was removed, and still is; to end that: rota resume {quote(job.name)}"
        return msgspec.structs.replace(applied, warnings=(*applied.warnings, still))

    def change(self, before: StoredJob, job: Job, origin: str, now: datetime) -> Applied:
        """Give a planned job another definition."""
        rest, jitter = rest_of(job), jitter_of(job, self._home_id)
        stored = self._store.jobs.change_if_unchanged(before, job, origin, now, rest, jitter)
        return self._begin(stored, before, now)

    def remove(self, stored: StoredJob, now: datetime) -> None:
        """Take a planned job out of service; its runs that wait for a start are cancelled, what runs goes on."""
        self._store.jobs.remove_if_unchanged(stored, now)
        for run in self._store.runs.active(stored.id):
            self._store.runs.cancel_if_not_running(run.id, now, "the job was removed")
        self._store.ledger.add_event("job.removed", now, stored.id)

    def planned(self, stored: StoredJob, now: datetime) -> StoredJob:
        """Account for every slot up to now under the present definition, and return the job as it is then."""
        try:
            if stored.paused_at is not None and stored.job.enabled:
                self.account_for_pause(stored, now)
            elif stored.next_slot is not None and stored.next_slot <= now:
                active = [] if stored.job.runs_on.all else self._store.runs.active(stored.id)
                plan = plan_due(stored, now, active, until=now)
                self._store.record_plan_if_unmoved(stored, plan, now, self._new_id)
            else:
                return stored
        except BadSchedule:
            return stored  # nobody knows its slots, and that keeps nobody from changing or removing it
        return self._store.jobs.by_id(stored.id)

    def account_for_pause(self, stored: StoredJob, now: datetime) -> int:
        """Record the slots that passed in a pause until now, move the cursor, and return how many they were."""
        if not stored.job.enabled:
            return 0
        skips = plan_silence(stored, stored.planned_to, now, SkipCode.PAUSED, "the job was paused")
        self._store.ledger.add_skips(stored.id, skips, now)
        self._store.jobs.set_cursor(stored.id, max(now, stored.planned_to), None)
        return sum(skip.count for skip in skips)

    def _begin(self, stored: StoredJob, before: StoredJob | None, now: datetime) -> Applied:
        """Plan from now on, and decide on instants of `at` that have passed already."""
        warnings = self._past_instants(stored, before, now) or _never_due(stored.job, now)
        self.set_cursor(stored, now)
        return Applied(self._store.jobs.by_id(stored.id), tuple(warnings))

    def set_cursor(self, stored: StoredJob, now: datetime) -> None:
        """Plan from now on."""
        cursor = max(now, stored.planned_to)
        rest = rest_of(stored.job)
        if rest is None:
            following = timetable_of(stored.job).next_after(cursor)
        else:  # the end of a run that goes on will set it
            following = None if self._store.runs.active(stored.id) else cursor + rest
        self._store.jobs.set_cursor(stored.id, cursor, following if stored.wants_slots else None)

    def _past_instants(self, stored: StoredJob, before: StoredJob | None, now: datetime) -> list[str]:
        """Decide on `at` instants before now: within grace they run, else they are skips; neither happens twice.

        What the job's earlier definition had as a slot, up to its cursor, has its record already.
        """
        warnings = []
        for spec in stored.job.schedules if stored.wants_slots else ():
            if spec.kind != "at" or spec.at_boot:
                continue  # a start of the machine that has passed is the engine's, which decides on each once
            schedule = parse("at", spec.text, zone=stored.job.timezone)
            assert isinstance(schedule, At), "parse gives an At for 'at'"
            slot, grace = schedule.instant, stored.job.policy.grace
            if slot > now or not _is_slot(stored.job, slot) or self._store.runs.for_slot(stored.id, slot):
                continue
            if before is not None and slot <= before.planned_to and _is_slot(before.job, slot):
                continue
            if now - slot <= grace:
                held = self.is_full(stored)
                new = NewRun(self._new_id(now), stored.id, stored.definition_id, Trigger.CATCH_UP, slot=slot, held=held)
                self._store.add_run(new, stored.job, now, self._new_id)
                continue
            why = f"it had passed more than {words(grace)} (grace) before the job was made"
            skip = Skip(slot, slot, 1, SkipCode.BEYOND_GRACE, why)
            self._store.ledger.add_skips(stored.id, [skip], now)
            warnings.append(f"{slot:%Y-%m-%d %H:%M:%S} UTC has passed already and will not run: {why}")
        return warnings

    def is_full(self, stored: StoredJob) -> bool:
        """Tell whether the job's own limit keeps a new run waiting."""
        limit = stored.job.job_limit
        return limit is not None and self._store.runs.placed(stored.id) >= limit

    def set_pool(self, name: str, size: int) -> None:
        """Make or resize a pool."""
        if size < 1:
            raise BadJob(f"pool {name!r}: its size is {size}; it must be 1 or more")
        self._store.jobs.set_pool(name, size)


def with_zone(job: Job, here: Callable[[], str]) -> Job:
    """Give a job whose slots depend on a zone the one of this machine, as it is named here and now.

    The engine, and whoever looks at the job later, may have another TZ in their environment; the promise is kept.
    """
    if job.timezone is not None or all(spec.kind in ("every", "custom") or spec.at_boot for spec in job.schedules):
        return job
    return msgspec.structs.replace(job, timezone=here())


def _never_due(job: Job, now: datetime) -> list[str]:
    """Warn of schedules that have nothing to come; what they had up to now is another matter."""
    if not job.schedules or rest_of(job) is not None:
        return []
    timetable, until = timetable_of(job), job.policy.not_after
    starts_to_come = job.at_boot and (until is None or until > now)
    if timetable.next_after(now) is not None or starts_to_come:
        return []
    if timetable.latest_until(now) is not None and any(
        spec.kind == "at" and not spec.at_boot for spec in job.schedules
    ):
        return []  # an instant that has just passed; it runs within grace, or was warned of
    return [f"its schedule has no slot to come ({timetable.explain()}), so it will never run by itself"]


def _is_slot(job: Job, instant: datetime) -> bool:
    return timetable_shown(job).latest_until(instant) == instant

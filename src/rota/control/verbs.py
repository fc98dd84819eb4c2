"""The verbs that change something; every door calls these. A verb is one transaction and a poke."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from shlex import quote

import msgspec

from rota.control.references import Finder
from rota.errors import BadJob, Conflict, IllegalMove, JobExists
from rota.model.job import BY_HAND, Job, StoredJob
from rota.model.ledger import Skip, SkipCode
from rota.model.run import ACTIVE, Run, State, Trigger
from rota.model.settlement import NewRun, RunFilter
from rota.plan.due import plan_due, plan_silence
from rota.plan.timetables import jitter_of, rest_of, timetable_of, with_anchors
from rota.ports import Clock, Store
from rota.schedule.at import At
from rota.schedule.duration import words
from rota.schedule.parse import parse
from rota.schedule.zones import local_zone_name

_MAX_PARAMS = 64 * 1024


class Applied(msgspec.Struct, frozen=True):
    """What came of making or changing a job."""

    stored: StoredJob
    warnings: tuple[str, ...] = ()


class Verbs:
    """Add, change, remove, pause, resume, trigger, cancel, retry."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        home_id: str,
        new_id: Callable[[datetime], str],
        poke: Callable[[], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._home_id = home_id
        self._new_id = new_id
        self._poke = poke
        self._finder = Finder(store)

    def add(self, job: Job, origin: str = BY_HAND) -> Applied:
        """Make a job that is not there yet."""
        now = self._clock.now()
        job = self._checked(job, None, now)
        rest, jitter = rest_of(job), jitter_of(job, self._home_id)
        with self._store.transaction():
            before = self._store.jobs.find(job.name)
            if before is not None and before.removed_at is None:
                raise JobExists(
                    f"there is a job named {job.name!r} already; remove it first (rota remove {quote(job.name)}), "
                    "or choose another name"
                )
            if before is None:
                stored = self._store.jobs.add(job, origin, now, rest, jitter)
            else:
                stored = self._store.jobs.change_if_unchanged(before, job, origin, now, rest, jitter)
            applied = self._begin(stored, before, now)
        self._poke()
        return applied

    def change(self, name: str, job: Job, revision: int | None = None) -> Applied:
        """Give a job a new definition; what was due until now is decided under the old one."""
        now = self._clock.now()
        with self._store.transaction():
            before = self._planned(self._store.jobs.get(name), now)
            if revision is not None and revision != before.revision:
                raise Conflict(
                    f"job {name!r} is at revision {before.revision}, not {revision}: somebody changed it; look again"
                )
            job = self._checked(job, before.job, now)
            rest, jitter = rest_of(job), jitter_of(job, self._home_id)
            stored = self._store.jobs.change_if_unchanged(before, job, before.origin, now, rest, jitter)
            applied = self._begin(stored, before, now)
            self._store.runs.release_held()
        self._poke()
        return applied

    def remove(self, name: str) -> list[Run]:
        """Take a job out of service, and return its runs that go on; those that wait for a start are cancelled."""
        now = self._clock.now()
        with self._store.transaction():
            stored = self._planned(self._store.jobs.get(name), now)
            self._store.jobs.remove_if_unchanged(stored, now)
            for run in self._store.runs.active(stored.id):
                self._store.runs.cancel_if_not_running(run.id, now, "the job was removed")
            left = self._store.runs.page(RunFilter(job_id=stored.id, state="active"), None, 1000)
            self._store.ledger.add_event("job.removed", now, stored.id)
        self._poke()
        return left

    def pause(self, name: str) -> bool:
        """Make no more slots of a job due; False when it was paused already."""
        now = self._clock.now()
        with self._store.transaction():
            stored = self._planned(self._store.jobs.get(name), now)
            if stored.paused_at is not None:
                return False
            self._store.jobs.pause_if_unchanged(stored, now, now)
            self._store.ledger.add_event("job.paused", now, stored.id)
        self._poke()
        return True

    def resume(self, name: str) -> int:
        """End a pause, and return how many slots passed in it; none of them is caught up."""
        now = self._clock.now()
        with self._store.transaction():
            stored = self._store.jobs.get(name)
            if stored.paused_at is None:
                raise Conflict(f"job {name!r} is not paused")
            passed = self._account_for_pause(stored, now)
            self._store.jobs.pause_if_unchanged(stored, None, now)
            self._set_cursor(self._store.jobs.by_id(stored.id), now)
            self._store.ledger.add_event("job.resumed", now, stored.id)
        self._poke()
        return passed

    def trigger(self, name: str, params: dict[str, str] | None = None, request_key: str | None = None) -> str:
        """Ask for a run now, and return its id; the same request key asks only once."""
        now = self._clock.now()
        _check_params(params or {})
        with self._store.transaction():
            stored = self._store.jobs.get(name)
            if request_key is not None:
                known = self._store.runs.with_request_key(request_key)
                if known is not None:
                    self._check_same_job(known, stored, request_key)
                    return known
            new = NewRun(
                self._new_id(now),
                stored.id,
                stored.definition_id,
                Trigger.MANUAL,
                params=params or {},
                request_key=request_key,
                held=self._is_full(stored),
            )
            self._store.runs.add(new, stored.job, now)
        self._poke()
        return new.id

    def retry(self, reference: str) -> str:
        """Ask for an ended run once more, with its parameters, and return the new run's id."""
        now = self._clock.now()
        with self._store.transaction():
            run = self._finder.run(reference)
            if run.state in ACTIVE:
                raise IllegalMove(f"run {run.id} is {run.state}; only a run that has ended can be tried again")
            stored = self._store.jobs.get(run.job)
            new = NewRun(
                self._new_id(now),
                stored.id,
                stored.definition_id,
                Trigger.RETRY,
                params=run.params,
                retry_of=run.id,
                held=self._is_full(stored),
            )
            self._store.runs.add(new, stored.job, now)
        self._poke()
        return new.id

    def cancel(self, reference: str, why: str = "cancelled by hand") -> list[Run]:
        """End a run, or all active runs of a job, and return them as they were."""
        now = self._clock.now()
        with self._store.transaction():
            runs = self._finder.active_runs(reference)
            # Those that wait go first: ending one that has a place would let the next one start.
            for run in sorted(runs, key=lambda run: (run.state is not State.QUEUED, run.id)):
                if not self._store.runs.cancel_if_not_running(run.id, now, why):
                    self._store.runs.ask_to_cancel_if_running(run.id, now, why)
        self._poke()
        return runs

    # -- the parts that verbs share -----------------------------------------------------------------------------------

    def _checked(self, job: Job, before: Job | None, now: datetime) -> Job:
        """Refuse what cannot mean anything, anchor what counts from now, and write down the zone that is meant."""
        job = _with_zone(with_anchors(job, before, now))
        job.check()
        timetable_of(job)
        rest_of(job)
        return job

    def _planned(self, stored: StoredJob, now: datetime) -> StoredJob:
        """Account for every slot up to now under the present definition, and return the job as it is then."""
        if stored.paused_at is not None and stored.job.enabled:
            self._account_for_pause(stored, now)
        elif stored.next_slot is not None and stored.next_slot <= now:
            plan = plan_due(stored, now, self._store.runs.active(stored.id), until=now)
            self._store.record_plan_if_unmoved(stored, plan, now, self._new_id)
        else:
            return stored
        return self._store.jobs.by_id(stored.id)

    def _account_for_pause(self, stored: StoredJob, now: datetime) -> int:
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
        self._set_cursor(stored, now)
        return Applied(self._store.jobs.by_id(stored.id), tuple(warnings))

    def _set_cursor(self, stored: StoredJob, now: datetime) -> None:
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
            if spec.kind != "at":
                continue
            schedule = parse("at", spec.text, zone=stored.job.timezone)
            assert isinstance(schedule, At), "parse gives an At for 'at'"
            slot, grace = schedule.instant, stored.job.policy.grace
            if slot > now or not _is_slot(stored.job, slot) or self._store.runs.for_slot(stored.id, slot):
                continue
            if before is not None and slot <= before.planned_to and _is_slot(before.job, slot):
                continue
            if now - slot <= grace:
                held = self._is_full(stored)
                new = NewRun(self._new_id(now), stored.id, stored.definition_id, Trigger.CATCH_UP, slot=slot, held=held)
                self._store.runs.add(new, stored.job, now)
                continue
            why = f"it had passed more than {words(grace)} (grace) before the job was made"
            skip = Skip(slot, slot, 1, SkipCode.BEYOND_GRACE, why)
            self._store.ledger.add_skips(stored.id, [skip], now)
            warnings.append(f"{slot:%Y-%m-%d %H:%M:%S} UTC has passed already and will not run: {why}")
        return warnings

    def _check_same_job(self, run_id: str, stored: StoredJob, request_key: str) -> None:
        run = self._store.runs.find(run_id)
        if run is not None and run.job_id != stored.id:
            raise Conflict(
                f"the request key {request_key!r} has asked for run {run_id} of job {run.job!r} already; "
                f"choose another key for job {stored.name!r}"
            )

    def _is_full(self, stored: StoredJob) -> bool:
        limit = stored.job.policy.job_limit
        return limit is not None and self._store.runs.placed(stored.id) >= limit

    def set_pool(self, name: str, size: int) -> None:
        """Make or resize a pool."""
        if size < 1:
            raise BadJob(f"pool {name!r}: its size is {size}; it must be 1 or more")
        with self._store.transaction():
            self._store.jobs.set_pool(name, size)
        self._poke()


def _with_zone(job: Job) -> Job:
    """Give a job whose slots depend on a zone the one of this machine, as it is named here and now.

    The engine, and whoever looks at the job later, may have another TZ in their environment; the promise is kept.
    """
    if job.timezone is not None or all(spec.kind == "every" for spec in job.schedules):
        return job
    return msgspec.structs.replace(job, timezone=local_zone_name())


def _never_due(job: Job, now: datetime) -> list[str]:
    """Warn of schedules that have nothing to come; what they had up to now is another matter."""
    if not job.schedules or rest_of(job) is not None:
        return []
    timetable = timetable_of(job)
    if timetable.next_after(now) is not None:
        return []
    if timetable.latest_until(now) is not None and any(spec.kind == "at" for spec in job.schedules):
        return []  # an instant that has just passed; it runs within grace, or was warned of
    return [f"its schedule has no slot to come ({timetable.explain()}), so it will never run by itself"]


def _is_slot(job: Job, instant: datetime) -> bool:
    return timetable_of(job).latest_until(instant) == instant


def _check_params(params: dict[str, str]) -> None:
    for name, value in params.items():
        if not name.isidentifier() or not name.isascii():
            raise BadJob(f"parameter {name!r}: a name is letters, digits and '_', because it becomes ROTA_PARAM_{name}")
        if "\0" in value:
            raise BadJob(f"parameter {name!r}: a value cannot hold a NUL character")
    if sum(len(value) for value in params.values()) > _MAX_PARAMS:
        raise BadJob(f"the parameters are longer than {_MAX_PARAMS} characters; pass a file's name instead")

"""From a job's schedules as text to one timetable, and the small shift that jitter gives it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache, partial
from zlib import crc32

import msgspec

from rota.errors import BadSchedule
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.schedule.base import Schedule
from rota.schedule.duration import parse_duration
from rota.schedule.forgiving import Forgiving
from rota.schedule.parse import parse
from rota.schedule.timetable import Timetable


def timetable_of(job: Job) -> Timetable:
    """Return the union of the job's schedules; raises BadSchedule when one cannot be read."""
    return _compile(job.schedules, job.timezone, job.policy.not_before, job.policy.not_after)


def timetable_shown(job: Job) -> Timetable:
    """Return the same for those who only look: a schedule that cannot be read has no slots."""
    if all(spec.kind != "custom" for spec in job.schedules):  # what can be read once can always be asked
        with suppress(BadSchedule):
            return timetable_of(job)
    parts = [
        msgspec.structs.replace(job, schedules=(spec,), policy=Policy()) for spec in job.schedules if not spec.from_end
    ]
    schedules = [Forgiving(partial(_only_schedule, part)) for part in parts]
    return Timetable(schedules, job.policy.not_before, job.policy.not_after)


def _only_schedule(job: Job) -> Schedule:
    return timetable_of(job).schedules[0]


def rest_of(job: Job) -> timedelta | None:
    """Return the pause after a run's end for a schedule that counts from there, else None."""
    for spec in job.schedules:
        if spec.from_end:
            return parse_duration(spec.text)
    return None


def with_anchors(job: Job, before: Job | None, now: datetime) -> Job:
    """Anchor each `every` at its first apply; a schedule whose text is unchanged keeps its anchor, and so its phase."""
    known = {(spec.kind, spec.text): spec.anchor for spec in before.schedules} if before else {}
    specs = tuple(
        spec
        if spec.kind != "every" or spec.anchor is not None
        else msgspec.structs.replace(spec, anchor=known.get((spec.kind, spec.text)) or now)
        for spec in job.schedules
    )
    return msgspec.structs.replace(job, schedules=specs)


def jitter_of(job: Job, home_id: str) -> timedelta:
    """Return how much later than its slot the job wakes here: always the same for one job and home."""
    if not job.policy.jitter:
        return timedelta(0)
    return job.policy.jitter * (crc32(f"{home_id}/{job.name}".encode()) / 2**32)


@lru_cache(maxsize=512)
def _compile(
    schedules: tuple[ScheduleSpec, ...], timezone: str | None, not_before: datetime | None, not_after: datetime | None
) -> Timetable:
    parsed = [
        parse(spec.kind, spec.text, zone=timezone, anchor=spec.anchor, dst=spec.dst)
        for spec in schedules
        if not spec.from_end
    ]
    return Timetable(parsed, not_before, not_after)

"""What the tests of planning share: jobs as stored, and slots enumerated without rota's own schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec, StoredJob
from rota.model.policy import Policy
from rota.model.run import State
from rota.plan.overlap import ActiveRun
from rota.plan.timetables import rest_of, timetable_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
EVERY_MINUTE = ScheduleSpec("every", "1m", anchor=NOW)


def stored_job(
    *schedules: ScheduleSpec, shift: timedelta = timedelta(0), at: datetime = NOW, **policy: Any
) -> StoredJob:
    """A job that was made at an instant, as the store would give it back."""
    job = Job("backup", Shell("true"), schedules or (EVERY_MINUTE,), Policy(**policy), timezone="UTC")
    rest = rest_of(job)
    return StoredJob(
        id=1,
        job=job,
        definition_id=1,
        origin="hand",
        revision=1,
        paused_at=None,
        removed_at=None,
        planned_to=at,
        next_slot=timetable_of(job).next_after(at) if rest is None else at + rest,
        jitter=shift,
        skip_streak=0,
        created_at=at,
    )


def running(*ids: str, held: tuple[str, ...] = ()) -> list[ActiveRun]:
    return [ActiveRun(run, State.RUNNING, False) for run in ids] + [ActiveRun(run, State.QUEUED, True) for run in held]

"""When a job of tasks_loop is due: at once if it never ran, else when a slot has passed, or a retry is owed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from rota.compat.tasks_loop.job import Job, JobState
from rota.sdk.schedules import Cron
from rota.sdk.times import next_slot, now

AT_ONCE = datetime.min.replace(tzinfo=UTC)
_LONGEST_PAUSE = timedelta(hours=1)


def due_at(job: Job, retry_delay: float) -> datetime | None:
    """Return since when, or from when on, a job is due; None is never. Raises RotaError if its schedule is wrong.

    Slots that passed while it ran are not made up for.
    """
    if job.last_run is None:
        slot_after(job.schedule, now())
        return AT_ONCE
    last = instant_of(job.last_run)
    slot = slot_after(job.schedule, last)
    if not owes_retry(job):
        return slot
    retry = retry_at(job, retry_delay)
    return retry if slot is None else min(slot, retry)


def owes_retry(job: Job) -> bool:
    """Tell whether a failed job is to be tried again: `max_retries` times after its first attempt."""
    return job.state is JobState.FAILED and 0 < job.retry_count <= job.max_retries


def retry_at(job: Job, retry_delay: float) -> datetime:
    """Return when the pause after the last attempt is over; each pause is twice the one before, up to an hour."""
    ended = now() if job.last_run is None else instant_of(job.last_run)
    doubled = retry_delay * 2.0 ** min(job.retry_count - 1, 30)
    return ended + min(timedelta(seconds=doubled), _LONGEST_PAUSE)


def slot_after(schedule: str, instant: datetime) -> datetime | None:
    """Return the first slot of a cron expression after an instant."""
    return _slot_after(schedule, instant.astimezone(UTC))


def wall_time(instant: datetime) -> datetime:
    """Return an instant as this machine's clock on the wall shows it; of an hour that comes twice it keeps which."""
    return datetime.fromtimestamp(instant.timestamp())  # noqa: DTZ006 -- the API's times have no zone


def instant_of(wall: datetime) -> datetime:
    """Return the instant of a time on this machine's clock on the wall; one that is aware is an instant already."""
    return wall.astimezone(UTC)


@lru_cache(maxsize=4096)
def _slot_after(schedule: str, instant: datetime) -> datetime | None:
    return next_slot(Cron(schedule.strip()), instant)

"""Jobs, as REST answers and asks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from rota.api.schemas.base import RUN_ID, Answer, Asked, Cursor, Instant, Seconds
from rota.api.schemas.runs import Attempt, Run, Skip
from rota.control.bulk import MOST, Action


class Schedule(Answer):
    """When a job is due."""

    kind: Literal["cron", "every", "at", "calendar", "custom"]
    text: str = Field(description="As it was written.", examples=["30 2 * * *"])
    timezone: str | None = Field(description="The zone of its wall clock.", examples=["Europe/Berlin"])
    anchor: Instant | None = Field(default=None, description="`every` counts from here.")
    from_end: bool = Field(default=False, description="`every` counts from the end of the run before.")


class LastRun(Answer):
    """What a job tells of its newest run."""

    id: str = Field(examples=[RUN_ID])
    state: str = Field(examples=["succeeded"])
    started_at: Instant | None
    ended_at: Instant | None
    exit_code: int | None = Field(examples=[0])


class Job(Answer):
    """A job in a list."""

    name: str = Field(examples=["backup"])
    origin: str = Field(description="Where it was made: `hand`, or `file:` with a path.", examples=["hand"])
    action: dict[str, Any] = Field(
        description="What it does, by its `kind`.", examples=[{"kind": "shell", "line": "pg_dump db > db.sql"}]
    )
    schedules: list[Schedule]
    enabled: bool
    paused: bool
    priority: str | int = Field(examples=["medium"])
    next_slot: Instant | None = Field(description="When it is due next.")
    last_run: LastRun | None
    tags: list[str] = Field(examples=[["nightly"]])
    broken: str = Field(default="", description="Why its schedule cannot be read, so that it is not planned.")


class Retries(Answer):
    """Whether and when a failed attempt is tried again."""

    count: int
    delay: Seconds
    backoff: float
    max_delay: Seconds
    jitter: float
    only_on: list[int]


class Policy(Answer):
    """How a job behaves; durations are seconds."""

    overlap: str = Field(examples=["skip"])
    max_instances: int
    catch_up: str = Field(examples=["latest"])
    grace: Seconds
    retries: Retries
    timeout: Seconds | None
    kill_after: Seconds
    start_by: Seconds | None
    pool: str | None
    jitter: Seconds
    not_before: Instant | None
    not_after: Instant | None


class JobDetails(Job):
    """A job with everything that its author said."""

    description: str
    timezone: str | None
    cwd: str | None
    env: dict[str, str] = Field(
        description="Its variables. Who may not change jobs sees `***` for what a name says is a secret.",
        examples=[{"PGDATABASE": "db"}],
    )
    secrets: dict[str, str] = Field(description="Variables by where their values are; never the values.")
    env_files: list[str]
    user: str | None
    umask: str | None
    runs_on: str | dict[str, str] | None = Field(
        description="Where it may run: `all` (once on each host), a host's name, or labels; null for any host.",
        examples=[{"gpu": "a100"}],
    )
    policy: Policy
    revision: int = Field(description="Goes up with each change; also the `ETag`.", examples=[3])
    paused_at: Instant | None
    created_at: Instant
    planned_to: Instant = Field(description="Every slot up to here has its record.")
    document: dict[str, Any] | None = Field(
        description="The same in the words of a job file, without what is default: what `PUT` takes. null for a "
        "function of somebody's program.",
        examples=[{"run": "pg_dump db > db.sql", "cron": "30 2 * * *"}],
    )


class JobPage(Answer):
    """Jobs, by name."""

    items: list[Job]
    next: Cursor


class Made(JobDetails):
    """A job that was made or changed, and what somebody should know about it."""

    warnings: list[str] = Field(examples=[["its schedule has no slot to come, so it will never run by itself"]])


class Removed(Answer):
    """A job was removed; what still runs goes on."""

    name: str
    still_active: list[str] = Field(description="Its runs that go on, by id.")


class Paused(Answer):
    """Whether a job is paused now."""

    name: str
    paused: bool
    changed: bool = Field(description="It was not so before.")
    passed: int = Field(default=0, description="How many slots passed in a pause that was ended; none is caught up.")
    next_slot: Instant | None = None


class RunRequest(Asked):
    """What a run is asked for with."""

    params: dict[str, str] = Field(
        default={},
        description="Parameters: the job finds them in its environment as ROTA_PARAM_NAME.",
        examples=[{"day": "2027-01-31"}],
    )


class Slot(Answer):
    """A coming slot."""

    job: str
    slot: Instant


class Slots(Answer):
    """Coming slots, in order."""

    items: list[Slot]


class Figures(Answer):
    """Figures of a job: counts of every run there ever was, durations and lateness of the newest hundred."""

    job: str
    runs: int
    succeeded: int
    failed: int
    timed_out: int
    cancelled: int
    lost: int
    skipped: int
    retries: int
    success_rate: float | None = Field(description="Of the runs that ended by themselves.", examples=[0.98])
    average: Seconds | None
    median: Seconds | None
    p95: Seconds | None
    late_p50: Seconds | None
    late_p99: Seconds | None
    advice: list[str] = Field(description="What somebody who knows rota would say about these figures.")


class Why(Answer):
    """Why something ran, or did not."""

    about: str = Field(examples=["job 'backup' at Sun 2027-01-31 02:30:00 CET"])
    job: str
    sentences: list[str] = Field(examples=[["The slot at … was skipped: the job was paused."]])
    slot: Instant | None
    run: Run | None
    result: Any = Field(description="What its function returned.")
    attempts: list[Attempt]
    skip: Skip | None


class LedgerEntry(Answer):
    """A run, or slots that were skipped."""

    kind: Literal["run", "skip"]
    run: Run | None = None
    skip: Skip | None = None


class LedgerPage(Answer):
    """What became of a job's slots, newest first."""

    items: list[LedgerEntry]
    next: Cursor


class Filter(Asked):
    """Which jobs are meant; all that is said must be true of them."""

    text: str = Field(default="", max_length=200, description="In the name.")
    tag: str = Field(default="", max_length=200)
    origin: str = Field(default="", max_length=4_096)
    state: str = Field(default="", max_length=40, description="Of the newest run: a state, `active` or `trouble`.")
    paused: bool | None = None
    enabled: bool | None = None


class BulkRequest(Asked):
    """One verb on many jobs: on those that are named, or on those that a filter finds."""

    action: Action
    names: list[str] | None = Field(default=None, max_length=MOST, examples=[["backup", "report"]])
    filter: Filter | None = Field(default=None, examples=[None])


class Outcome(Answer):
    """What came of it for one job."""

    name: str
    ok: bool
    run: str | None = Field(description="The run that was made.")
    problem: str


class Bulk(Answer):
    """What came of it for each job."""

    outcomes: list[Outcome]
    failed: int = Field(description="For how many it did not work.")

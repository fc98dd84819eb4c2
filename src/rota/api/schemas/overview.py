"""How things stand, and when they happen, as REST answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rota.api.schemas.base import Answer, Asked, Fault, Instant, Seconds
from rota.api.schemas.jobs import Slot
from rota.api.schemas.runs import Run, Skip

A_SCHEDULE = {"cron": "30 2 * * *", "timezone": "Europe/Berlin", "n": 3}
_Text = Annotated[str | None, Field(max_length=1_000)]


class Engine(Answer):
    """Whether what is due is being done, here and, where hosts share a store, by others."""

    running: bool = Field(description="The engine of this home is there.")
    scheduling: bool = Field(description="This engine or another host is at work, and nothing is undone that is due.")
    late: Seconds = Field(description="For how long something has been left undone.")
    host: str | None = Field(description="What this host is called; null with a store in the home.", examples=["db-1"])
    others: list[str] = Field(description="The other hosts that were seen lately.", examples=[["db-2"]])
    planner: str | None = Field(description="The host that plans; null with a store in the home.", examples=["db-1"])


class Jobs(Answer):
    """How many jobs there are."""

    total: int
    paused: int
    disabled: int


class NextSlots(Answer):
    """When a job comes next."""

    job: str = Field(examples=["backup"])
    slots: list[Instant] = Field(description="Its next slots; three at most.")


class Summary(Answer):
    """How things stand."""

    now: Instant
    sentence: str = Field(
        description="How things stand.", examples=["Scheduling. In the last 24 hours 1 run went wrong."]
    )
    engine: Engine
    jobs: Jobs
    active: dict[str, int] = Field(
        description="Runs that have not ended, by state.", examples=[{"running": 2, "queued": 1}]
    )
    running: list[Run] = Field(description="What runs, longest first; ten at most.")
    overdue: int = Field(description="How many runs have waited for a place for more than five seconds.")
    held_up: list[Run] = Field(description="The ones of these that have waited longest; ten at most.")
    lately: dict[str, int] = Field(
        description="How many runs of the last 24 hours ended in which way.", examples=[{"succeeded": 96, "failed": 1}]
    )
    missed: int = Field(description="How many slots of the last 24 hours nobody planned in time.")
    trouble: list[Run] = Field(description="The newest runs that ended badly.")
    skips: list[Skip] = Field(
        description="The newest slots of the last 24 hours that were skipped, but for paused jobs; ten at most."
    )
    next: Slot | None = Field(description="What is planned next; in the past, if it should have been planned.")
    coming: list[NextSlots] = Field(description="The jobs that come next, in order; ten at most.")


class Timeline(Answer):
    """Time around now."""

    since: Instant
    until: Instant
    now: Instant
    runs: list[Run] = Field(description="What ran in this span, newest first.")
    slots: list[Slot] = Field(description="What is coming in it, in order.")
    more_runs: bool = Field(description="There are older runs in it that are not shown.")
    older_trouble: list[Run] = Field(description="Of these older runs those that ended badly, newest first.")
    more_slots: bool = Field(description="There are later slots in it that are not shown.")


class Hour(Answer):
    """One hour of the week."""

    runs: int
    failed: int
    busy: Seconds


class Load(Answer):
    """When the machine is busy."""

    timezone: str
    weeks: int
    days: list[list[Hour]] = Field(description="Monday to Sunday, each with 24 hours.")


class PreviewRequest(Asked):
    """A schedule: one of `cron`, `every`, `at`, `calendar` and `custom`, and what belongs to it."""

    cron: _Text = Field(default=None, description="As in cron.", examples=["30 2 * * *"])
    every: _Text = Field(default=None, description="An interval.", examples=[None])
    at: _Text = Field(default=None, description="Once.", examples=[None])
    calendar: _Text = Field(default=None, description="As in systemd.", examples=[None])
    custom: _Text = Field(default=None, description="Of a plug-in: its name, and what it takes.", examples=[None])
    start: Literal["start", "end"] = Field(
        default="start", alias="from", description="With `every`: count from the start or the end of the run before."
    )
    anchor: _Text = Field(default=None, description="With `every`: count from this instant.", examples=[None])
    dst: Literal["fire", "skip"] = Field(
        default="fire",
        description="With `calendar`: what becomes of a wall-clock time that a change of the clock skips.",
    )
    timezone: _Text = Field(default=None, description="An IANA name [the machine's].", examples=["Europe/Berlin"])
    n: int = Field(default=10, ge=1, le=100, description="How many slots.")


class Coming(Answer):
    """A slot on both clocks."""

    slot: Instant
    local: str = Field(description="The same on the wall clock of the zone.", examples=["Sun 2027-01-31 02:30:00 CET"])
    relative: str = Field(examples=["in 3h 12m"])


class Preview(Answer):
    """What a schedule means."""

    kind: str = Field(examples=["cron"])
    text: str = Field(examples=["30 2 * * *"])
    timezone: str = Field(examples=["Europe/Berlin"])
    explanation: str = Field(examples=["at 02:30 every day (Europe/Berlin)"])
    next: list[Coming]
    notes: list[str] = Field(
        description="What happens within a year where the clock changes, and why there may be no slot.",
        examples=[
            ["On Sun 2027-03-28 the clock goes from 02:00 to 03:00, so there is no 02:30: it fires at 03:00 instead"]
        ],
    )


class Validation(Answer):
    """What is wrong with a document."""

    valid: bool
    jobs: list[str] = Field(description="The jobs that can be read, by name.")
    problems: list[Fault]
    warnings: list[Fault]

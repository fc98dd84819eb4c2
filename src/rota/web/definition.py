"""What a job is, in words for its page: facts, each with its lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec

from rota.control.definition import bounds_of, policies_of
from rota.control.preview import explain
from rota.control.questions import Questions
from rota.control.times import with_zone, zone_named
from rota.model.host import ANYWHERE
from rota.model.job import BY_HAND, Job, StoredJob
from rota.model.origin import is_applied, is_file, shown

_SLOTS = 10


class Fact(msgspec.Struct, frozen=True):
    """A word, and what is so; `is_code` is as its author wrote it."""

    word: str
    lines: Sequence[str]
    is_code: bool = False


class ComingSlot(msgspec.Struct, frozen=True):
    """A coming slot, and how the job's own clock shows it, if that is another one."""

    at: datetime
    on_its_clock: str


def facts_of(stored: StoredJob) -> list[Fact]:
    """Return what the author of a job said."""
    job = stored.job
    found = [Fact("runs", job.action.describe().splitlines(), is_code=True), Fact("when", _when(job))]
    found.append(Fact("in", [job.cwd or "the home of rota"], is_code=job.cwd is not None))
    more = (
        ("environment", [f"{name}={value}" for name, value in job.env.items()]),
        ("secrets", [f"{name} from {place}" for name, place in job.secrets.items()]),
        ("files of variables", job.env_files),
        ("as the user", [job.user] if job.user else []),
        ("umask", [] if job.umask is None else [f"{job.umask:03o}"]),
    )
    found += [Fact(word, lines, is_code=True) for word, lines in more if lines]
    found += [Fact("runs on", [job.runs_on.words()])] if job.runs_on != ANYWHERE else []
    found += [Fact(word.replace("_", " "), [text]) for word, text in policies_of(job.policy)]
    return found


def origin_of(stored: StoredJob) -> str:
    """Say where a job is made, and so where it is changed."""
    if is_file(stored.origin):
        return f"It is made by the file {shown(stored.origin)}, and changed there."
    if is_applied(stored.origin):
        return f"It is made by {shown(stored.origin)}, and changed there."
    if stored.origin == BY_HAND:
        return "It was made by hand, on the command line, over REST or here."
    return "A program has made it, and changes it."


def slots_of(questions: Questions, stored: StoredJob, now: datetime, zone: tzinfo) -> list[ComingSlot]:
    """Return the next slots of a job, on two clocks if they differ; `every` counts time and has no clock."""
    its_zone = zone_named(stored.job.timezone)
    slots = questions.coming(stored.name, now, _SLOTS)
    has_clock = not all(spec.kind == "every" for spec in stored.job.schedules)
    differ = has_clock and any(
        slot.at.astimezone(its_zone).utcoffset() != slot.at.astimezone(zone).utcoffset() for slot in slots
    )
    return [ComingSlot(slot.at, with_zone(slot.at, its_zone) if differ else "") for slot in slots]


def _when(job: Job) -> list[str]:
    said = [f"{explain(spec, job.timezone)} ({spec.describe()})" for spec in job.schedules]
    bounds = bounds_of(job.policy)
    return [*said, bounds] if said and bounds else said or ["by hand only"]

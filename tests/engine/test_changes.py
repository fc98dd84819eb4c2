"""Whatever changes in a job is told in words: no field of a job, a policy or a schedule is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rota.control.changes import words_changed
from rota.model.action import Shell
from rota.model.host import RunsOn
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import CatchUp, OutputMode, Overlap, Policy

from .on_paper import Files, job

MINUTE = timedelta(minutes=1)
EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
OTHERWISE = {
    "name": None,  # a job of another name is another job
    "action": Shell("other"),
    "schedules": (ScheduleSpec("every", "2m"),),
    "policy": None,  # its words are below
    "timezone": "Asia/Tokyo",
    "description": "x",
    "tags": ("x",),
    "enabled": False,
    "cwd": "/",
    "env": {"A": "1"},
    "secrets": {"A": "env:B"},
    "env_files": ("/x",),
    "user": "nobody",
    "umask": 0o27,
    "runs_on": RunsOn(host="x"),
}
POLICIES = {
    "overlap": Overlap.ALLOW,
    "max_instances": 2,
    "catch_up": CatchUp.NONE,
    "grace": MINUTE,
    "retries": [
        {"count": 1},
        {"delay": MINUTE},
        {"backoff": 3.0},
        {"max_delay": MINUTE},
        {"jitter": 0.5},
        {"only_on": (1,)},
    ],
    "timeout": MINUTE,
    "kill_after": MINUTE,
    "start_by": MINUTE,
    "priority": 33,
    "pool": "x",
    "jitter": MINUTE,
    "not_before": EARLY,
    "not_after": LATE,
    "output": [{"head": 1}, {"tail": 1}, {"mode": OutputMode.PIPE}],
}
SPECS = {
    "kind": ScheduleSpec("cron", "daily"),
    "text": ScheduleSpec("calendar", "weekly"),
    "anchor": None,  # told where nothing else is different; see below
    "from_end": None,  # only an interval has it, and so another text
    "dst": ScheduleSpec("calendar", "daily", dst="skip"),
}


def every_change():
    yield from ({word: value} for word, value in OTHERWISE.items() if value is not None)
    for word, value in POLICIES.items():
        for each in value if isinstance(value, list) else [None]:
            kind = type(getattr(Policy(), word))
            yield {"policy": Policy(**{word: value if each is None else kind(**each)})}


@pytest.fixture
def files(world):
    return Files(world)


@pytest.mark.parametrize("change", list(every_change()), ids=str)
def test_whatever_changes_is_told_in_words(files, change):
    files.apply(job("a"))
    (edit,) = files.look(msgspec.structs.replace(job("a"), **change)).changed
    assert words_changed(edit)


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if spec], ids=str)
def test_whatever_changes_in_a_schedule_is_told_in_words(files, spec):
    files.apply(msgspec.structs.replace(job("a"), schedules=(ScheduleSpec("calendar", "daily"),)))
    (edit,) = files.look(msgspec.structs.replace(job("a"), schedules=(spec,))).changed
    assert words_changed(edit)


def test_no_word_of_a_job_is_forgotten_here():
    kinds = {Job: OTHERWISE, Policy: POLICIES, ScheduleSpec: SPECS}
    assert [list(words) for words in kinds.values()] == [list(kind.__struct_fields__) for kind in kinds]

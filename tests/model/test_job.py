"""What a job may be, and what is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rota.errors import BadJob
from rota.model.action import Command, Python, Shell
from rota.model.job import MAX_NAME, Job, ScheduleSpec, StoredJob, check_name
from rota.model.policy import PRIORITIES, Output, OutputMode, Overlap, Policy, Retries, priority_name

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["backup", "nightly backup", "a/b.c:d", "Sicherung-ü", "备份", "x" * MAX_NAME, "1"])
def test_people_may_name_jobs_as_they_like(name):
    check_name(name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "a name is not empty"),
        (" backup", "neither starts nor ends with a space"),
        ("backup ", "neither starts nor ends with a space"),
        ("-backup", "a leading '-' would read as an option"),
        ("..", "it would read as a folder in a path"),
        ("two\nlines", "only printable characters"),
        ("a\tb", "only printable characters"),
        ("a\x1b[31m", "only printable characters"),
        ("x" * (MAX_NAME + 1), f"{MAX_NAME + 1} characters; {MAX_NAME} at most"),
    ],
)
def test_a_name_that_could_not_be_typed_or_shown_is_refused(name, problem):
    with pytest.raises(BadJob, match=problem):
        check_name(name)


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        (Job("a", Shell("")), "there is nothing to run; give a command"),
        (Job("a", Shell("  \n")), "there is nothing to run"),
        (Job("a", Command(())), "there is nothing to run"),
        (Job("a", Command(("", "x"))), "there is nothing to run"),
        (Job("a", Shell("echo \0")), "a command cannot hold a NUL character"),
        (Job("a", Command(("echo", "\0"))), "a command cannot hold a NUL character"),
        (Job("a", Python("no target")), "'no target' is not pkg.mod:func, for example 'reports.daily:main'"),
        (Job("a", Python("pkg.mod")), "is not pkg.mod:func"),
        (Job("a", Python("pkg..mod:f")), "is not pkg.mod:func"),
        (Job("a", Shell("true"), policy=Policy(max_instances=0)), "max_instances is 0; it must be 1 or more"),
        (Job("a", Shell("true"), policy=Policy(retries=Retries(count=-1))), "retries is -1; it must be 0 or more"),
        (
            Job("a", Shell("true"), (ScheduleSpec("every", "1m", from_end=True), ScheduleSpec("every", "2m"))),
            "a schedule that counts from the end of the run must be the only one",
        ),
        (Job("-a", Shell("true")), "a leading '-'"),
    ],
)
def test_what_cannot_mean_anything_is_refused(job, problem):
    with pytest.raises(BadJob, match=problem):
        job.check()


@pytest.mark.parametrize("action", [Shell("echo hi"), Command(("echo", "")), Python("pkg.mod:Class.method")])
def test_what_means_something_is_taken(action):
    Job("backup", action).check()


def test_actions_are_shown_as_people_would_write_them():
    assert "echo 'a b'" == Command(("echo", "a b")).describe()
    assert "echo a | b" == Shell("echo a | b").describe()
    assert "m:f(1, 'x', n=None)" == Python("m:f", (1, "x"), {"n": None}).describe()
    assert "every 10m after the end" == ScheduleSpec("every", "10m", from_end=True).describe()


def test_a_job_survives_being_written_down():
    job = Job(
        "backup",
        Python("m:f", (1,), {"a": [None]}),
        (ScheduleSpec("every", "1m", anchor=NOW), ScheduleSpec("cron", "0 * * * *", dst="fire")),
        Policy(
            overlap=Overlap.QUEUE, grace=timedelta(microseconds=1), retries=Retries(3, only_on=(1, 2)), not_before=NOW
        ),
        env={"A": "b"},
        umask=0o22,
    )
    assert job == msgspec.json.decode(msgspec.json.encode(job), type=Job)


def test_another_user_s_output_comes_through_a_pipe_unless_somebody_says_otherwise():
    assert OutputMode.FILE is Job("a", Shell("x")).output_mode
    assert OutputMode.PIPE is Job("a", Shell("x"), user="nobody").output_mode
    assert (
        OutputMode.FILE
        is Job("a", Shell("x"), policy=Policy(output=Output(mode=OutputMode.FILE)), user="n").output_mode
    )


def test_only_allow_has_no_limit():
    limits = {overlap: Policy(overlap=overlap, max_instances=3).job_limit for overlap in Overlap}
    assert {Overlap.SKIP: 3, Overlap.QUEUE: 3, Overlap.REPLACE: 3, Overlap.ALLOW: None} == limits
    assert Policy(overlap="allow").job_limit is None, "a plain text means the same"


def test_priorities_have_names():
    assert list(PRIORITIES) == [priority_name(number) for number in PRIORITIES.values()]
    assert "7" == priority_name(7)


@pytest.mark.parametrize(
    ("change", "wants"),
    [
        ({}, True),
        ({"paused_at": NOW}, False),
        ({"removed_at": NOW}, False),
        ({"job": Job("a", Shell("x"), enabled=False)}, False),
    ],
)
def test_only_a_job_in_service_wants_slots(change, wants):
    stored = StoredJob(
        id=1, job=Job("a", Shell("x")), definition_id=1, origin="hand", revision=1, paused_at=None, removed_at=None,
        planned_to=NOW, next_slot=None, jitter=timedelta(0), skip_streak=0, created_at=NOW,
    )  # fmt: skip
    assert wants is msgspec.structs.replace(stored, **change).wants_slots

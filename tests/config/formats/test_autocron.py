"""AutoCron's autocron.yaml and its saved tasks."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rota.config.formats.pool_names import short_names
from rota.config.writers.rota_yaml import write_jobs
from rota.model.action import Command
from rota.model.policy import CatchUp, Overlap, Retries
from rota.plan.timetables import timetable_of

PYTHON = os.path.join(sys.prefix, "bin", "python3")


def one(files, words: str):
    return files.read("autocron.yaml", f"tasks:\n  - {{name: a, script: a.py, {words}}}\n")


@pytest.mark.parametrize(
    ("schedule", "kind", "text"),
    [
        ("5m", "every", "5m"),
        ("every 1h", "every", "1h"),
        ("30 seconds", "every", "30 seconds"),
        ("'0 9 * * *'", "cron", "0 9 * * *"),
        ("'*/30 * * * *'", "cron", "*/30 * * * *"),
        ("'@daily'", "cron", "@daily"),
        ("'0 9 * * MON'", "cron", "0 9 * * MON"),
    ],
)
def test_a_schedule_is_an_interval_or_a_cron_expression(files, schedule, kind, text):
    (spec,) = one(files, f"schedule: {schedule}").job.schedules
    assert (kind, text) == (spec.kind, spec.text)


def test_a_python_script_is_run_by_this_python_and_another_by_itself(files):
    text = "tasks: [{name: a, script: x/a.py, schedule: 5m}, {name: b, script: ~/b.sh, schedule: 5m, args: [1]}]"
    jobs = files.read("autocron.yaml", text).jobs
    assert Command((PYTHON, "x/a.py")) == jobs["a"].action
    assert Command((os.path.expanduser("~/b.sh"), "1")) == jobs["b"].action


def test_retries_wait_longer_each_time_up_to_an_hour(files):
    policy = one(files, "schedule: 5m, retries: 3, timeout: 300").job.policy
    assert Retries(3, timedelta(seconds=60), 2.0, timedelta(hours=1)) == policy.retries
    assert timedelta(seconds=300) == policy.timeout
    assert timedelta(seconds=5) == one(files, "schedule: 5m, retries: 1, retry_delay: 5").job.policy.retries.delay


def test_the_policies_of_the_python_api_may_stand_in_the_file(files):
    words = (
        "overlap_policy: queue, max_instances: 2, misfire_grace_time: 60, coalesce: false, timezone: UTC, enabled: no"
    )
    job = one(files, f"schedule: 5m, {words}").job
    assert (Overlap.QUEUE, 2, timedelta(seconds=60), CatchUp.ALL) == (
        job.policy.overlap, job.policy.max_instances, job.policy.grace, job.policy.catch_up
    )  # fmt: skip
    assert ("UTC", False) == (job.timezone, job.enabled)


def test_max_workers_is_a_pool_and_the_log_is_kept(files):
    found = files.read(
        "autocron.yaml",
        "scheduler: {max_workers: 2, timezone: Asia/Tokyo}\nlogging: {level: INFO, path: logs/a.log}\n"
        "tasks: [{name: a, script: a.py, schedule: '0 9 * * *'}]\n",
    )
    pool = f"autocron:{files.folder / 'autocron.yaml'}"
    assert {pool: 2} == found.jobset.pools
    assert (pool, "Asia/Tokyo") == (found.job.policy.pool, found.job.timezone)
    assert {"log_file": str(files.folder / "logs/a.log")} == found.jobset.settings


def test_what_comes_later_is_said_and_no_password_is_kept(files):
    found = one(files, "schedule: 5m, notify: email, email: {password: hunter2}, safe_mode: true, max_memory_mb: 100")
    for words in ("notify is not carried over", "email is not", "safe_mode is not", "max_memory_mb is not"):
        assert words in found.said
    assert 4 == len(found.jobset.notes)
    assert "hunter2" not in repr(found)


SAVED = {
    "version": "1.0",
    "saved_at": "2025-10-27T15:30:00",
    "tasks": [
        {
            "task_id": "1", "name": "täsk 😀", "script": "/path/to/script.py", "schedule_type": "interval",
            "schedule_value": "1h", "retries": 3, "retry_delay": 60, "timeout": None, "notify": None,
            "email_config": None, "enabled": True, "safe_mode": False, "max_memory_mb": None, "max_cpu_percent": None,
            "last_run": "2025-10-27T14:10:00", "next_run": "2025-10-27T15:10:00", "run_count": 145, "fail_count": 0,
        },
    ],
}  # fmt: skip


def test_saved_tasks_are_read_from_json_with_everything_that_save_tasks_writes(files):
    found = files.read("tasks.json", json.dumps(SAVED, indent=2))
    assert ("autocron", "täsk 😀", Retries(3, timedelta(minutes=1))) == (
        found.jobset.format, found.job.name, found.job.policy.retries
    )  # fmt: skip
    assert [] == found.problems
    assert [] == found.jobset.notes


def test_a_saved_interval_keeps_its_phase(files):
    job = files.read("tasks.json", json.dumps(SAVED)).job
    slot = timetable_of(job).next_after(datetime(2026, 1, 1, tzinfo=UTC))
    assert (10, 0) == (slot.minute, slot.second)


def test_a_saved_cron_task_and_an_empty_list_are_read(files):
    task = {"name": "a", "script": "a.py", "schedule_type": "cron", "schedule_value": "0 9 * * *"}
    assert ["0 9 * * *"] == [
        spec.text for spec in files.read("t.json", json.dumps(SAVED | {"tasks": [task]})).job.schedules
    ]
    assert [] == files.read("u.json", json.dumps(SAVED | {"tasks": []})).problems


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("schedule: 5x", "2:40: schedule '5x': unknown unit 'x'"),
        ("schedule: '0 25 * * *'", "2:42: schedule '0 25 * * *': hour must be 0 to 23, not 25"),
        ("retries: 3", "schedule is missing in this task; write an interval such as 5m, or a cron expression"),
        ("every: 5m, cron: '@daily'", "every and cron are given; one is enough"),
        ("schedule: 5m, retires: 3", "unknown key 'retires' in this task; did you mean 'retries'?"),
        ("schedule: 5m, retries: many", "retries must be a whole number, not 'many'"),
        ("schedule: 5m, retries: true", "retries must be a whole number, not 'true'"),
        ("schedule: [5m]", "schedule must be text, not a list"),
        ("schedule: 5m, overlap_policy: sikp", "overlap_policy is 'sikp', which is unknown; did you mean 'skip'?"),
        ("schedule: 5m, timezone: Mars", "no time zone is named 'Mars'"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(files, words, said):
    found = one(files, words)
    assert [] == found.jobset.jobs
    assert said in found.said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: 5", "autocron.yaml:1:8: tasks must be a list"),
        ("tasks: [5]", "autocron.yaml:1:9: a task must be a mapping of keys to values, not '5'"),
        ("tasks: [{name: a, schedule: 5m}]", "script is missing in this task"),
        ("tasks: [{script: a.py, schedule: 5m}]", "name is missing in this task"),
        ("tasks: []\nlogings: {}", "autocron.yaml:2:1: unknown key 'logings' in this file; did you mean 'logging'?"),
        ("version: '2.0'\ntasks: []", "autocron.yaml:1:10: version '2.0' is unknown; rota reads 1.0"),
        ("version: '1.0'\ntasks: [{name: a, script: b, schedule_type: cron}]", "schedule_value is missing"),
        ("version: '1.0'\ntasks: [{name: a, script: b, schedule_value: 5m}]", "schedule_type is missing"),
    ],
)
def test_a_file_that_is_wrong_says_where(files, text, said):
    assert said in files.read("autocron.yaml", text).said


def test_of_two_tasks_with_one_name_both_places_are_told(files):
    text = "tasks:\n  - {name: a, script: a.py, schedule: 5m}\n  - {name: a, script: b.py, schedule: 5m}\n"
    found = files.read("autocron.yaml", text)
    assert "autocron.yaml:3:12: name 'a' is given twice; it was first given at autocron.yaml:2:12" in found.said


def test_the_operating_system_s_scheduler_and_desktop_notifications_are_said_not_to_be_used(files):
    settings = "scheduler: {use_os_scheduler: true}\nnotifications: {desktop: true}\n"
    found = files.read("autocron.yaml", settings + "tasks: [{name: a, script: a.py, every: 5m}]\n")
    assert "use_os_scheduler is not carried over: rota's own engine starts these jobs" in found.said
    assert "notifications is not carried over" in found.said
    assert (2, 0) == (len(found.jobset.general), len(found.jobset.notes))


def test_a_limit_of_0_is_a_limit_and_no_limit_is_none(files):
    assert "max_memory_mb is not carried over" in one(files, "schedule: 5m, max_memory_mb: 0").said
    assert "" == one(files, "schedule: 5m, max_memory_mb: null, safe_mode: false, email: {}, notify: ''").said.replace(
        f"autocron.yaml:2:23: script: {files.folder / 'a.py'} is not there now; the job will fail until it is", ""
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("here.sh", "here.sh is not executable; the job will fail; try: chmod +x"),
        ("folder", "folder is no file; the job will fail until it is one"),
        ("nowhere.sh", "nowhere.sh is not there now; the job will fail until it is"),
        ("here.py", ""),
        ("ready.sh", ""),
    ],
)
def test_a_script_that_would_fail_at_night_is_told_by_day(files, script, said):
    (files.folder / "folder").mkdir()
    for name in ("here.sh", "here.py", "ready.sh"):
        files.write(name, "")
    (files.folder / "ready.sh").chmod(0o755)
    found = files.read("autocron.yaml", f"tasks: [{{name: a, script: {script}, schedule: 5m}}]")
    assert said in found.said
    assert bool(said) == bool(found.said)
    assert 1 == len(found.jobs)


def test_whole_numbers_may_be_written_with_a_point_and_others_not(files):
    assert 3 == one(files, "schedule: 5m, retries: 3.0").job.policy.retries.count
    assert "retries must be a whole number, not '3.5'" in one(files, "schedule: 5m, retries: 3.5").said


def test_a_name_without_a_letter_is_empty(files):
    said = files.read("autocron.yaml", "tasks: [{name: ' ', script: a, every: 5m}]").said
    assert "autocron.yaml:1:16: name is empty in this task\n" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "tasks:\n  - name: a\n  script: a.py\n",
            "3:3: a key outside of the list item that is above it; indent it to column 5, like the keys of that item",
        ),
        (
            "tasks:\n  -   name: a\n      script: a.py\n  every: 5m\n  - name: b\n",
            "4:3: a key outside of the list item",
        ),
        ("tasks:\n  -   name: a\n  every: 5m\n", "indent it to column 7"),
        ("tasks:\n  -\n    name: a\n  every: 5m\n", "indent it like its neighbours"),
    ],
)
def test_a_key_that_lost_its_indentation_is_told_where_to_stand(files, text, said):
    assert said in files.read("autocron.yaml", text).said


ODD = """\
tasks:
  - notify: desktop
    name: a
    script: a.py
    schedule: 5m
  - {name: b, script: b.py, schedule: 5m, notify: desktop}
  - name: c
    script: c.py
    schedule: 5m
notifications: {desktop: true}
"""


def test_what_is_not_carried_over_stands_above_its_job_or_at_the_top(files):
    found = files.read("autocron.yaml", ODD)
    lines = write_jobs([found.jobset]).splitlines()
    note = "  # not carried over: notify: notifications come with a later rota"
    assert [note, note] == [lines[lines.index(f"  {name}:") - 1] for name in "ab"]
    assert "" == lines[lines.index("  c:") - 1]
    assert (
        "#   autocron.yaml:10:1: notifications: notifications come with a later rota" in lines[: lines.index("jobs:")]
    )


def test_two_files_with_workers_share_no_pool_and_a_file_keeps_its_own(files):
    text = "scheduler: {max_workers: 2}\ntasks: [{name: a, script: a.py, schedule: 5m}]\n"
    here, there = files.read("here/autocron.yaml", text), files.read("there/autocron.yaml", text)
    assert here.jobset.pools.keys().isdisjoint(there.jobset.pools)
    assert here.jobset.pools == files.read("here/autocron.yaml").jobset.pools


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["autocron:/srv/shop/autocron.yaml"], ["autocron-shop"]),
        (["autocron:/autocron.yaml", "tasks-loop:/"], ["autocron", "tasks-loop"]),
        (["autocron:/srv/autocron/tasks.json", "tasks-loop:/srv/tasks-loop-2"], ["autocron", "tasks-loop-2"]),
        (["autocron:/a/x/a.yaml", "autocron:/b/x/a.yaml"], ["autocron:/a/x/a.yaml", "autocron:/b/x/a.yaml"]),
        (["db", "autocron:soon", "mine:/a"], ["db", "autocron:soon", "mine:/a"]),
    ],
)
def test_a_pool_gets_a_short_name_in_a_file_of_one_s_own_if_that_is_the_only_one(names, short):
    assert short == list(short_names(names).values())

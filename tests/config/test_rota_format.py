"""What may be written in rota's own files, and which jobs that makes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from rota.config.own.documents import JobDocument, SharedDocument
from rota.config.own.schema import schema
from rota.config.own.starter import starter
from rota.model.action import Command, Python, Shell
from rota.model.job import ScheduleSpec
from rota.model.policy import CatchUp, Output, OutputMode, Overlap, Policy, Retries

from .reads import job_of, jobs_of, read_text


def test_a_text_is_a_line_of_shell_and_a_list_is_a_program(tmp_path):
    assert Shell("echo $HOME | cat") == job_of(tmp_path, 'run: "echo $HOME | cat"').action
    assert Command(("echo", "1.10", "5", "a b")) == job_of(tmp_path, "run: [echo, 1.10, 5, a b]").action


def test_a_number_that_is_a_text_is_what_was_written(tmp_path):
    words = ("tail", "-n", "+8", "+0", "-0", "0o17", "007", "1e3", "+1.50", "8")
    job = job_of(tmp_path, f"run: [{', '.join(words)}], tags: [+8, 2024], description: -0")
    assert (Command(words), ("+8", "2024"), "-0") == (job.action, job.tags, job.description)


def test_a_number_may_be_written_with_its_sign(tmp_path):
    policy = job_of(tmp_path, "run: x, retries: +3, priority: +5, max_instances: +2, timeout: +90").policy
    assert (Retries(3), 5, 2, timedelta(seconds=90)) == (
        policy.retries,
        policy.priority,
        policy.max_instances,
        policy.timeout,
    )
    assert {int} == {type(policy.retries.count), type(policy.priority), type(policy.max_instances)}


def test_a_task_gets_a_number_as_it_was_written(tmp_path):
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    assert Command(("./run.sh", "+8", "-0")) == job_of(tmp_path, "task: ., args: [+8, -0]").action


def test_a_function_has_arguments_of_any_kind(tmp_path):
    job = job_of(tmp_path, "python: pkg.mod:func, args: [1, 1.5, on, {a: null}], kwargs: {days: 7, when: 2026-01-01}")
    assert Python("pkg.mod:func", (1, 1.5, "on", {"a": None}), {"days": 7, "when": "2026-01-01"}) == job.action


def test_a_task_is_a_directory_with_run_sh_and_runs_there(tmp_path):
    (tmp_path / "tasks" / "sync").mkdir(parents=True)
    (tmp_path / "tasks" / "sync" / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "tasks" / "sync" / "run.sh").chmod(0o755)
    job = job_of(tmp_path, "task: tasks/sync, args: [--days, 30, 1.50, true]")
    assert Command(("./run.sh", "--days", "30", "1.50", "true")) == job.action
    assert str(tmp_path / "tasks" / "sync") == job.cwd


def test_without_a_schedule_it_runs_by_hand_only(tmp_path):
    assert () == job_of(tmp_path, "run: x").schedules


@pytest.mark.parametrize(
    ("line", "schedules"),
    [
        ("cron: 30 2 * * *", [ScheduleSpec("cron", "30 2 * * *")]),
        ("cron: ['@daily', '@hourly']", [ScheduleSpec("cron", "@daily"), ScheduleSpec("cron", "@hourly")]),
        ("every: 5m", [ScheduleSpec("every", "5m")]),
        ("every: 90", [ScheduleSpec("every", "90")]),
        ("every: {every: 5m, from: end}", [ScheduleSpec("every", "5m", from_end=True)]),
        (
            "every: {every: 1h, anchor: 2026-01-01 00:10}",
            [ScheduleSpec("every", "1h", datetime(2026, 1, 1, 0, 10, tzinfo=UTC))],
        ),
        ("at: 2027-01-31 10:00", [ScheduleSpec("at", "2027-01-31 10:00")]),
        ("at: ' Boot '", [ScheduleSpec("at", "boot")]),
        ("at: [boot, 2027-01-31 10:00]", [ScheduleSpec("at", "boot"), ScheduleSpec("at", "2027-01-31 10:00")]),
        ("schedules: [{at: boot}, {every: 5m}]", [ScheduleSpec("at", "boot"), ScheduleSpec("every", "5m")]),
        ("calendar: Mon..Fri 09:00", [ScheduleSpec("calendar", "Mon..Fri 09:00")]),
        (
            "schedules: [{cron: '@daily'}, {calendar: 'Mon 09:00', dst: skip}, {every: 5m}]",
            [
                ScheduleSpec("cron", "@daily"),
                ScheduleSpec("calendar", "Mon 09:00", dst="skip"),
                ScheduleSpec("every", "5m"),
            ],
        ),
        ("schedules: [{every: 5m, from: end}]", [ScheduleSpec("every", "5m", from_end=True)]),
    ],
)
def test_a_schedule_may_be_written_in_every_way(tmp_path, line, schedules):
    assert tuple(schedules) == job_of(tmp_path, f"run: x, timezone: UTC, {line}").schedules


def test_every_policy_may_be_written(tmp_path):
    job = job_of(
        tmp_path,
        "run: x, overlap: queue, max_instances: 2, catch_up: all, grace: 2h, timeout: 1h30m, kill_after: 5, "
        "retries: {count: 3, delay: 1m, backoff: 1.5, max_delay: 10m, jitter: 20%, only_on: [1, 75]}, "
        "start_by: 5 minutes, priority: urgent, pool: db, jitter: 30s, timezone: Europe/Berlin, "
        "not_before: 2026-01-01, not_after: 2027-01-01, output: {head: 10KB, tail: 1.5 MiB, mode: pipe}",
    )
    assert job.policy == Policy(
        overlap=Overlap.QUEUE,
        max_instances=2,
        catch_up=CatchUp.ALL,
        grace=timedelta(hours=2),
        retries=Retries(3, timedelta(minutes=1), 1.5, timedelta(minutes=10), 0.2, (1, 75)),
        timeout=timedelta(minutes=90),
        kill_after=timedelta(seconds=5),
        start_by=timedelta(minutes=5),
        priority=0,
        pool="db",
        jitter=timedelta(seconds=30),
        not_before=datetime(2025, 12, 31, 23, tzinfo=UTC),
        not_after=datetime(2026, 12, 31, 23, tzinfo=UTC),
        output=Output(10 * 1024, 3 * 512 * 1024, OutputMode.PIPE),
    )


def test_every_policy_of_the_model_has_a_key():
    keys = {field.alias or name for name, field in SharedDocument.model_fields.items()}
    assert set() == set(Policy.__struct_fields__) - keys


@pytest.mark.parametrize(("text", "mask"), [("027", 0o027), ("'22'", 0o22), ("22", 0o22), ("0o77", 0o77), ("0", 0)])
def test_a_umask_is_octal_however_it_is_written(tmp_path, text, mask):
    assert mask == job_of(tmp_path, f"run: x, umask: {text}").umask


def test_the_rest_of_a_job(tmp_path):
    job = job_of(tmp_path, "run: x, user: nobody, tags: [a, b, a], description: off, enabled: false")
    assert ("nobody", ("a", "b"), "off", False) == (job.user, job.tags, job.description, job.enabled)


def test_paths_count_from_the_file(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.setenv("HOME", "/root")
    assert str(tmp_path) == job_of(tmp_path, "run: x").cwd
    assert str(tmp_path / "deep") == job_of(tmp_path, "run: x, cwd: deep").cwd
    assert ("/root/e",) == job_of(tmp_path, "run: x, env_file: ~/e").env_files


def test_defaults_hold_for_all_jobs_unless_they_say_otherwise(tmp_path):
    jobs = jobs_of(
        tmp_path,
        """
        timezone: Europe/Berlin
        defaults: {retries: {count: 2, delay: 1m}, tags: [night], env: {A: 1, B: 2}, overlap: queue, enabled: false}
        env: {A: file, F: file}
        jobs:
          a: {run: x}
          b: {run: x, retries: 5, tags: [], env: {B: own}, overlap: skip, enabled: true, timezone: UTC}
        """.replace("\n        ", "\n"),
    )
    a, b = jobs["a"], jobs["b"]
    assert (Retries(2, timedelta(minutes=1)), Retries(5, timedelta(minutes=1))) == (a.policy.retries, b.policy.retries)
    assert (("night",), ()) == (a.tags, b.tags)
    assert ({"A": "1", "B": "2", "F": "file"}, {"A": "1", "B": "own", "F": "file"}) == (a.env, b.env)
    assert (Overlap.QUEUE, Overlap.SKIP, False, True) == (a.policy.overlap, b.policy.overlap, a.enabled, b.enabled)
    assert ("Europe/Berlin", "UTC") == (a.timezone, b.timezone)


def test_a_variable_is_the_text_that_was_written(tmp_path):
    env = "{A: 1.10, B: on, C: True, D: 0123, E: '', F: 2026-01-01, G: 1e3}"
    said = {"A": "1.10", "B": "on", "C": "True", "D": "0123", "E": "", "F": "2026-01-01", "G": "1e3"}
    assert said == job_of(tmp_path, f"run: x, env: {env}").env


def test_a_secret_is_kept_as_the_place_where_it_is(tmp_path):
    (tmp_path / "token").write_text("x")
    job = job_of(
        tmp_path,
        "run: x, env: {A: {from: 'file:token'}, B: {from: 'env:HOME'}, C: {from: 'keyring:shop/me@x/y'}, D: plain}",
    )
    assert {"A": f"file:{tmp_path}/token", "B": "env:HOME", "C": "keyring:shop/me@x/y"} == job.secrets
    assert {"D": "plain"} == job.env
    assert OutputMode.PIPE is job.output_mode


def test_variables_of_the_environment_are_put_in_but_not_into_lines_of_shell(tmp_path):
    text = """
jobs:
  a:
    run: 'echo ${HOME} ${x%.txt}'
    description: '${BUCKET} and ${NONE:-a default} and $${BUCKET}'
    timeout: ${T:-30}
  b: {run: [echo, '${BUCKET}', '$HOME'], env: {A: '${BUCKET}'}, max_instances: '${N:-3}'}
"""
    jobs = jobs_of(tmp_path, text)
    assert Shell("echo ${HOME} ${x%.txt}") == jobs["a"].action
    assert "b and a default and ${BUCKET}" == jobs["a"].description
    assert timedelta(seconds=30) == jobs["a"].policy.timeout
    assert Command(("echo", "b", "$HOME")) == jobs["b"].action
    assert ({"A": "b"}, 3) == (jobs["b"].env, jobs["b"].policy.max_instances)


def test_the_variables_that_were_used_are_known(tmp_path):
    reading = read_text(tmp_path, "jobs: {a: {run: [x, '${BUCKET}', '${NONE:-}']}}")
    assert [{"BUCKET": "b", "NONE": None}] == [jobset.variables for jobset in reading.jobsets]


def test_a_file_has_pools_and_settings_of_the_engine(tmp_path):
    text = "pools: {db: 2}\nengine: {capacity: 8, max_running: 20, log_file: logs/rota.log}\njobs: {}\n"
    reading = read_text(tmp_path, text)
    assert {"db": 2} == reading.pools
    assert {"capacity": 8, "max_running": 20, "log_file": f"{tmp_path}/logs/rota.log"} == reading.settings


def test_json_says_the_same(tmp_path):
    document = {"$schema": "x", "jobs": {"a": {"run": ["echo", "1.10"], "cron": "@daily"}}}
    reading = read_text(tmp_path, json.dumps(document), "jobs.json")
    assert not reading.problems
    assert [Command(("echo", "1.10"))] == [found.job.action for _, found in reading.jobs]


def test_the_schema_knows_every_key_and_refuses_others():
    made = schema()
    job = made["$defs"]["JobDocument"]
    assert {field.alias or name for name, field in JobDocument.model_fields.items()} == set(job["properties"])
    assert job["additionalProperties"] is False
    assert all("description" in field for field in job["properties"].values())
    json.dumps(made)


def test_the_starter_is_sound_with_all_of_its_comments_taken_off(tmp_path):
    (tmp_path / "tasks" / "sync").mkdir(parents=True)
    (tmp_path / "tasks" / "sync" / "run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "tasks" / "sync" / "run.sh").chmod(0o755)
    text = starter("s.json")
    assert [] == list(read_text(tmp_path, text).problems)
    whole = re.sub(r"^( *)# ", r"\1", "\n".join(text.splitlines()[4:]), flags=re.MULTILINE)
    assert ["hello", "backup", "report", "sync"] == list(jobs_of(tmp_path, whole))


@pytest.mark.parametrize(
    ("defaults", "own", "told"),
    [
        ("{}", "overlap: allow, max_instances: 2", ["rota.yaml:3:31"]),
        ("{overlap: allow}", "max_instances: 2", ["rota.yaml:3:15"]),
        ("{overlap: allow, max_instances: 2}", "enabled: true", ["rota.yaml:1:28"]),
        ("{max_instances: 2}", "overlap: allow", []),
        ("{overlap: allow, max_instances: 2}", "overlap: queue", []),
        ("{}", "overlap: allow", []),
    ],
)
def test_a_limit_that_overlap_allow_takes_away_is_told(tmp_path, defaults, own, told):
    reading = read_text(tmp_path, f"defaults: {defaults}\njobs:\n  a: {{run: x, {own}}}\n")
    assert not reading.problems
    assert told == [str(problem.mark) for problem in reading.problems.warnings]
    assert all("`max_instances` has no effect with `overlap: allow`" in each.text for each in reading.problems.warnings)

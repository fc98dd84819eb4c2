"""tasks_loop's directories of job files."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.model.action import Shell
from rota.model.policy import PRIORITIES, Retries

DAILY = """\
# jobs/example-daily.yaml
id: example-daily
name: Daily Health Check
description: Check system health every day at 2am
command: echo "Health check complete"
schedule: "0 2 * * *"  # Cron: 2am daily
priority: high
enabled: true
max_retries: 2
timeout_seconds: 60
"""
WEEKLY = "id: weekly\nname: Weekly\ncommand: 'true'\nschedule: '@weekly'\n"
CONFIG = """\
jobs_dir: jobs
poll_interval_seconds: 60
default_timeout_seconds: 120
max_concurrent_jobs: 2
log_level: INFO
log_file: logs/scheduler.log
"""


@pytest.fixture
def project(files):
    files.write("agent/jobs/daily.yaml", DAILY)
    files.write("agent/jobs/weekly.yml", WEEKLY)
    files.write("agent/config/scheduler.yaml", CONFIG)
    return files


@pytest.mark.parametrize("name", ["agent", "agent/jobs", "agent/config/scheduler.yaml"])
def test_a_project_is_its_directory_its_jobs_or_its_configuration(project, name):
    found = project.read(name)
    assert ["example-daily", "weekly"] == list(found.jobs)
    assert {"tasks-loop-agent": 2} == found.jobset.pools
    assert {"log_file": str(project.folder / "agent/logs/scheduler.log")} == found.jobset.settings
    assert timedelta(seconds=120) == found.jobs["weekly"].policy.timeout
    assert [] == found.problems


def test_a_job_is_a_line_of_shell_in_the_project_s_directory(project):
    job = project.read("agent").jobs["example-daily"]
    assert Shell('echo "Health check complete"') == job.action
    assert str(project.folder / "agent") == job.cwd
    assert "Daily Health Check: Check system health every day at 2am" == job.description
    assert (PRIORITIES["high"], Retries(2), timedelta(seconds=60), "tasks-loop-agent") == (
        job.policy.priority, job.policy.retries, job.policy.timeout, job.policy.pool
    )  # fmt: skip


def test_without_a_configuration_one_job_runs_at_a_time_for_five_minutes(files):
    files.write("p/jobs/weekly.yaml", WEEKLY)
    found = files.read("p")
    assert {"tasks-loop-p": 1} == found.jobset.pools
    assert timedelta(seconds=300) == found.job.policy.timeout


def test_a_single_file_is_one_job_of_the_project_around_it(project):
    found = project.read("agent/jobs/daily.yaml")
    assert ["example-daily"] == list(found.jobs)
    assert {"tasks-loop-agent": 2} == found.jobset.pools


def test_all_files_that_were_read_are_remembered(project):
    inputs = project.read("agent").jobset.inputs
    names = ("jobs", "jobs/daily.yaml", "jobs/weekly.yml", "config/scheduler.yaml")
    assert {str(project.folder / "agent" / name) for name in names} == set(inputs)


@pytest.mark.parametrize(
    ("text", "said", "skipped"),
    [
        ("id: x\nname: X\nschedule: '@daily'\n", "x.yaml:1:1: command is missing in this job", ["x"]),
        (
            "id: x\nname: X\ncommand: a\nschedule: '0 25 * * *'\n",
            "x.yaml:4:14: schedule '0 25 * * *': hour must",
            ["x"],
        ),
        ("id: x\nname: X\ncommand: a\nschedule: '@daily'\npriority: hihg\n", "did you mean 'high'?", ["x"]),
        ("id: x\nname: X\ncommand: a\nschedule: '@daily'\nretries: 2\n", "did you mean 'max_retries'?", ["x"]),
        ("id: 'x'\nname: [\n", "x.yaml:", ["x"]),
        ("", "x.yaml:1:1: the file is empty", []),
        ("- 1\n", "x.yaml:1:1: a job must be a mapping of keys to values, not a list", []),
    ],
)
def test_a_bad_file_is_told_and_left_out_while_the_others_run(project, text, said, skipped):
    project.write("agent/jobs/x.yaml", text)
    found = project.read("agent")
    assert ["example-daily", "weekly"] == list(found.jobs)
    assert [] == found.problems
    assert said in found.said
    assert "this file is left out, the others run" in found.said
    assert skipped == found.jobset.skipped


def test_a_file_that_is_no_text_is_left_out(project):
    (project.folder / "agent/jobs/x.yaml").write_bytes(b"\xff\xfe\x00")
    found = project.read("agent")
    assert ["example-daily", "weekly"] == list(found.jobs)
    assert "agent/jobs/x.yaml:1:1: it cannot be read" in found.said


def test_of_two_jobs_with_one_id_both_places_are_told(project):
    project.write("agent/jobs/z.yaml", WEEKLY)
    found = project.read("agent")
    assert (
        "agent/jobs/z.yaml:1:5: id 'weekly' is given twice; it was first given at agent/jobs/weekly.yml:1:5"
        in found.said
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jobs_dir: nowhere\n", "agent/nowhere:1:1: there is no such directory of jobs"),
        ("jobs_dri: jobs\n", "agent/config/scheduler.yaml:1:1: unknown key 'jobs_dri' in this configuration"),
        ("max_concurrent_jobs: 0\n", "max_concurrent_jobs must be 1 to 1,000,000, not '0'"),
        ("- 1\n", "a configuration must be a mapping of keys to values"),
    ],
)
def test_a_bad_configuration_is_an_error(project, text, said):
    project.write("agent/config/scheduler.yaml", text)
    assert any(said in problem for problem in project.read("agent").problems)


def test_a_directory_of_other_files_is_not_one_of_tasks_loop(files):
    files.write("rota.d/a.yaml", "jobs: {a: {run: 'true'}}\n")
    assert "rota" == files.read("rota.d").jobset.format


def test_a_directory_whose_first_file_is_no_job_is_not_taken(files):
    files.write("d/a.yaml", "- 1\n")
    files.write("d/b.yaml", WEEKLY)
    assert "a job, or" not in str(files.read("d/b.yaml").said)

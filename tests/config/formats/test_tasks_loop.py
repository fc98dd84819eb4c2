"""tasks_loop's directories of job files."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rota.config.formats.registry import directory_format
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


def pool(files, name: str) -> str:
    return f"tasks-loop:{files.folder / name}"


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
    assert {pool(project, "agent"): 2} == found.jobset.pools
    assert {"log_file": str(project.folder / "agent/logs/scheduler.log")} == found.jobset.settings
    assert timedelta(seconds=120) == found.jobs["weekly"].policy.timeout
    assert [] == found.problems


def test_a_job_is_a_line_of_shell_in_the_project_s_directory(project):
    job = project.read("agent").jobs["example-daily"]
    assert Shell('echo "Health check complete"') == job.action
    assert str(project.folder / "agent") == job.cwd
    assert "Daily Health Check: Check system health every day at 2am" == job.description
    assert (PRIORITIES["high"], Retries(2), timedelta(seconds=60), pool(project, "agent")) == (
        job.policy.priority, job.policy.retries, job.policy.timeout, job.policy.pool
    )  # fmt: skip


def test_without_a_configuration_one_job_runs_at_a_time_for_five_minutes(files):
    files.write("p/jobs/weekly.yaml", WEEKLY)
    found = files.read("p")
    assert {pool(files, "p"): 1} == found.jobset.pools
    assert timedelta(seconds=300) == found.job.policy.timeout


def test_a_single_file_is_one_job_of_the_project_around_it(project):
    found = project.read("agent/jobs/daily.yaml")
    assert ["example-daily"] == list(found.jobs)
    assert {pool(project, "agent"): 2} == found.jobset.pools


def test_all_files_that_were_read_are_remembered(project):
    inputs = project.read("agent").jobset.inputs
    names = ("jobs/", "jobs/daily.yaml", "jobs/weekly.yml", "config/scheduler.yaml")
    assert {f"{project.folder}/agent/{name}" for name in names} == set(inputs)


def test_a_configuration_that_may_come_is_remembered(files):
    files.write("p/jobs/weekly.yaml", WEEKLY)
    assert str(files.folder / "p/config/scheduler.yaml") in files.read("p").jobset.inputs
    assert str(files.folder / "p/config/scheduler.yaml") in files.read("p/jobs").jobset.inputs


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
        ("id: 'x'\nname: [\n", "x.yaml:", []),
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
    assert (not skipped) == found.jobset.nameless


def test_a_file_that_is_no_text_is_left_out(project):
    (project.folder / "agent/jobs/x.yaml").write_bytes(b"\xff\xfe\x00")
    found = project.read("agent")
    assert ["example-daily", "weekly"] == list(found.jobs)
    assert "agent/jobs/x.yaml:1:1: it cannot be read" in found.said


def test_of_two_jobs_with_one_id_both_places_are_told(project):
    project.write("agent/jobs/z.yaml", WEEKLY)
    found = project.read("agent")
    assert found.jobset.nameless
    assert (
        "agent/jobs/z.yaml:1:5: id 'weekly' is given twice; it was first given at agent/jobs/weekly.yml:1:5"
        in found.said
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log_level: INFO\njobs_dir: nowhere\n", "agent/config/scheduler.yaml:2:11: there is no directory of jobs"),
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


def test_a_directory_whose_first_file_is_of_another_format_is_not_taken(files):
    files.write("d/a.yaml", "tasks: [{name: a, script: a.py, schedule: 5m}]\n")
    files.write("d/b.yaml", WEEKLY)
    assert directory_format(str(files.folder / "d"), None) is None
    files.write("d/a.yaml", "- {id: a, func: a.sh, trigger: {type: interval, hours: 1}}\n")
    assert directory_format(str(files.folder / "d"), None) is None
    files.write("d/a.yaml", "pools: {db: 1}\n")
    assert directory_format(str(files.folder / "d"), None) is None
    assert "rota" == files.read("d/scheduler.yaml", "pools: {db: 1}\n").jobset.format


# --- what of a left-out file can be believed

DAMAGED = {
    "empty": b"",
    "latin-1": WEEKLY.replace("Weekly", "Wöchentlich").encode("latin-1"),
    "a capital letter": WEEKLY.replace("id:", "Id:").encode(),
    "an open bracket": b"{id: weekly, name: Weekly, command: 'true', schedule: '@weekly'",
    "half of the file": WEEKLY[: WEEKLY.index("kly")].encode(),
    "no id": WEEKLY.replace("id: weekly\n", "").encode(),
    "an id without letters": WEEKLY.replace("id: weekly", "id: ' '").encode(),
    "two ids": b"id: other\n" + WEEKLY.encode(),
    "the id of another": DAILY.encode(),
    "a quote that is never closed": b"id: 'other\n" + WEEKLY.encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_may_be_any_job_of_the_directory_so_none_goes(project, content):
    (project.folder / "agent/jobs/weekly.yml").write_bytes(content)
    found = project.read("agent")
    assert ["example-daily"] == list(found.jobs)
    assert (True, []) == (found.jobset.nameless, found.jobset.skipped)


@pytest.mark.parametrize(
    "text",
    [
        WEEKLY.replace("id:", '"id":').replace("'@weekly'", "nonsense"),
        WEEKLY.replace("'@weekly'", "nonsense"),
        "{id: weekly, name: Weekly, command: 'true',\n schedule: nonsense}\n",
    ],
)
def test_an_id_that_yaml_reads_is_believed(project, text):
    project.write("agent/jobs/weekly.yml", text)
    found = project.read("agent")
    assert (False, ["weekly"]) == (found.jobset.nameless, found.jobset.skipped)


def test_a_pipe_among_the_jobs_is_told_and_not_waited_for(project):
    os.mkfifo(project.folder / "agent/jobs/a.yaml")
    found = project.read("agent")
    assert "agent/jobs/a.yaml:1:1: this is no regular file" in found.said
    assert found.jobset.nameless


# --- which directories are meant


def test_a_configuration_alone_makes_a_project_wherever_its_jobs_are(files):
    files.write("p/myjobs/weekly.yaml", WEEKLY)
    files.write("p/config/scheduler.yaml", "jobs_dir: myjobs\n")
    for name in ("p", "p/myjobs", "p/config/scheduler.yaml"):
        found = files.read(name)
        assert ["weekly"] == list(found.jobs)
        assert {pool(files, "p"): 1} == found.jobset.pools
        assert "" == found.said


@pytest.mark.parametrize("name", ["p", "p/jobs"])
def test_a_first_file_with_a_fault_makes_the_directory_no_other(files, name):
    files.write("p/jobs/a.yaml", WEEKLY.replace("command", "commnd").replace("weekly", "broken"))
    files.write("p/jobs/b.yaml", WEEKLY)
    found = files.read(name)
    assert ("tasks-loop", ["weekly"], ["broken"]) == (found.jobset.format, list(found.jobs), found.jobset.skipped)
    assert "a.yaml:3:1: unknown key 'commnd' in this job; this file is left out" in found.said


@pytest.mark.parametrize("folder", ["p", "p/jobs"])
@pytest.mark.parametrize("name", ["scheduler.yaml", "scheduler.yml"])
def test_a_configuration_beside_the_jobs_is_no_job(files, folder, name):
    files.write(f"{folder}/weekly.yaml", WEEKLY)
    files.write(f"{folder}/{name}", "jobs_dir: jobs\nmax_concurrent_jobs: 3\ndefault_timeout_seconds: 7\n")
    for said in (folder, f"{folder}/{name}", f"{folder}/weekly.yaml"):
        found = files.read(said)
        assert "" == found.said
        assert ({pool(files, "p"): 3}, timedelta(seconds=7)) == (found.jobset.pools, found.job.policy.timeout)


def test_a_configuration_in_the_project_itself_names_the_directory_of_jobs(files):
    files.write("p/jobs/weekly.yaml", WEEKLY)
    files.write("p/scheduler.yaml", "max_concurrent_jobs: 3\n")
    found = files.read("p")
    assert (["weekly"], {pool(files, "p"): 3}, "") == (list(found.jobs), found.jobset.pools, found.said)


def test_a_job_that_is_called_scheduler_is_a_job(files):
    files.write("p/jobs/scheduler.yaml", WEEKLY)
    assert ["weekly"] == list(files.read("p").jobs)


def test_a_directory_without_a_job_is_told(files):
    files.write("p/config/scheduler.yaml", "jobs_dir: jobs\n")
    (files.folder / "p/jobs").mkdir()
    assert "p/jobs:1:1: there is no job in this directory" in files.read("p").said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WEEKLY.replace("command", "commnd"), "a.yaml:3:1: unknown key 'commnd' in this job; did you mean 'command'?"),
        (WEEKLY.replace("id:", "Id:"), "a.yaml:1:1: unknown key 'Id' in this job; did you mean 'id'?"),
        ("id: a\nschedule: '@daily'\n", "command is missing in this job"),
    ],
)
def test_a_single_file_with_a_fault_is_still_a_job(files, text, said):
    found = files.read("a.yaml", text)
    assert "tasks-loop" == found.jobset.format
    assert said in found.said


def test_two_projects_with_one_name_share_no_pool(files):
    for place in ("one", "two"):
        files.write(f"{place}/agent/jobs/weekly.yaml", WEEKLY)
    assert files.read("one/agent").jobset.pools.keys().isdisjoint(files.read("two/agent").jobset.pools)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40), name=st.sampled_from(["jobs/x.yaml", "jobs/scheduler.yaml", "x.yml"]))
def test_whatever_a_file_holds_no_job_of_the_directory_is_lost(project, content, name):
    (project.folder / "agent" / name).write_bytes(content)
    found = project.read("agent")
    assert found.problems or {"example-daily", "weekly"} <= set(found.jobs)

"""Simple Task Manager's config.yaml."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rota.model.action import Command

TWO = """\
scheduler:
  log_file: ~/logs/scheduler.log
  default_timeout: 120
tasks:
  - name: calendar-sync
    path: tasks/calendar-sync
    cron: "0 10 * * *"
    args: [--days, 30, 1.50]
  - name: off
    path: tasks/other
    cron: "*/15 * * * *"
    timeout: 60
    enabled: false
"""


def test_a_task_is_its_run_script_in_its_directory_with_arguments_as_text(files):
    files.task("tasks/calendar-sync")
    found = files.read("config.yaml", TWO)
    job = found.jobs["calendar-sync"]
    assert "simple-task-manager" == found.jobset.format
    assert Command(("./run.sh", "--days", "30", "1.50")) == job.action
    assert str(files.folder / "tasks/calendar-sync") == job.cwd
    assert timedelta(seconds=120) == job.policy.timeout
    assert "" == found.said


def test_a_task_may_be_called_off_and_a_disabled_one_needs_no_directory(files):
    files.task("tasks/calendar-sync")
    job = files.read("config.yaml", TWO).jobs["off"]
    assert (False, timedelta(seconds=60)) == (job.enabled, job.policy.timeout)


def test_the_log_is_the_file_that_was_said_with_the_home_directory_put_in(files, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    files.task("tasks/calendar-sync")
    assert {"log_file": "/home/someone/logs/scheduler.log"} == files.read("config.yaml", TWO).jobset.settings


def test_without_a_word_about_it_a_task_has_five_minutes_and_0_means_no_limit(files):
    files.task("a")
    text = "tasks: [{name: a, path: a, cron: '@daily'}, {name: b, path: a, cron: '@daily', timeout: 0}]"
    jobs = files.read("config.yaml", text).jobs
    assert (timedelta(seconds=300), None) == (jobs["a"].policy.timeout, jobs["b"].policy.timeout)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "config.yaml:1:1: the file is empty"),
        ("tasks: [", "config.yaml:"),
        ("scheduler: {log_file: x}\n", "config.yaml:1:1: there are no tasks in this file"),
        ("scheduler: {}\ntasks: []\n", "config.yaml:2:8: tasks is an empty list, so there is nothing to run"),
        ("scheduler: {}\ntasks: 5\n", "config.yaml:2:8: tasks must be a list"),
        (
            "tasks: [{name: a, path: a, cron: '@daily'}]\nschedular: {}\n",
            "config.yaml:2:1: unknown key 'schedular' in this configuration; did you mean 'scheduler'?",
        ),
        (
            "scheduler: {default_timeuot: 5}\ntasks: [{name: a, path: a, cron: '@daily'}]\n",
            "config.yaml:1:13: unknown key 'default_timeuot' in this scheduler; did you mean 'default_timeout'?",
        ),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused(files, text, said):
    files.task("a")
    found = files.read("config.yaml", text, "simple-task-manager")
    assert any(problem.startswith(said) for problem in found.problems), found


BAD = """\
tasks:
  - {name: good, path: good, cron: "0 9 * * *"}
  - {name: bad, BAD}
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("path: good", "3:5: cron is missing in this task"),
        ("cron: '@daily'", "3:5: path is missing in this task"),
        ("pth: good, cron: '@daily'", "3:17: unknown key 'pth' in this task"),
        ("path: nowhere, cron: '@daily'", "3:23: path: there is no directory "),
        ("path: empty, cron: '@daily'", "3:23: path: there is no run.sh in "),
        ("path: shut, cron: '@daily'", "3:23: path: "),
        ("path: good, cron: '0 25 * * *'", "3:38: cron '0 25 * * *': hour must be 0 to 23, not 25"),
        ("path: good, cron: '@daily', timeout: soon", "timeout 'soon': a number is missing before 'soon'"),
        ("path: good, cron: '@daily', timeout: -5", "timeout '-5': a duration cannot be negative"),
        ("path: good, cron: '@daily', args: --days", "args must be a list, not '--days'"),
        ("path: good, cron: '@daily', args: [[1]]", "each of args must be text, and this is a list"),
        ("path: good, cron: '@daily', enabled: maybe", "enabled must be true or false, not 'maybe'"),
    ],
)
def test_a_bad_task_is_told_with_its_place_and_left_out_while_the_others_run(files, words, said):
    files.task("good")
    files.task("shut", mode=0o644)
    (files.folder / "empty").mkdir()
    found = files.read("config.yaml", BAD.replace("BAD", words))
    assert ["good"] == list(found.jobs)
    assert ["bad"] == found.jobset.skipped
    assert [] == found.problems
    assert said in found.said
    assert "this task is left out, the others run" in found.said


def test_a_task_that_is_no_mapping_is_left_out(files):
    files.task("good")
    found = files.read("config.yaml", "tasks:\n  - {name: good, path: good, cron: '@daily'}\n  - 5\n")
    assert ["good"] == list(found.jobs)
    assert "config.yaml:3:5: a task must be a mapping of keys to values, not '5'" in found.said


def test_of_two_tasks_with_one_name_the_second_is_left_out_and_both_places_are_told(files):
    files.task("a")
    text = "tasks:\n  - {name: a, path: a, cron: '@daily'}\n  - {name: a, path: a, cron: '@hourly'}\n"
    found = files.read("config.yaml", text)
    assert ["@daily"] == [spec.text for spec in found.job.schedules]
    assert "config.yaml:3:12: name 'a' is given twice; it was first given at config.yaml:2:12" in found.said


def test_weekday_numbers_are_cron_s_and_that_is_said(files):
    files.task("a")
    found = files.read("config.yaml", "tasks: [{name: a, path: a, cron: '0 9 13 * 1-5'}]")
    assert "weekday numbers count from Sunday = 0 here, as in every cron, in '1-5'" in found.said
    assert "day-of-month '13' or day-of-week '1-5' is enough here" in found.said


def test_what_was_looked_at_is_remembered_so_that_a_repaired_script_is_noticed(files):
    files.task("a")
    inputs = files.read("config.yaml", "tasks: [{name: a, path: a, cron: '@daily'}]").jobset.inputs
    assert str(files.folder / "a/run.sh") in inputs


def test_an_alias_of_a_task_is_the_same_name_again(files):
    files.task("a")
    found = files.read("config.yaml", "tasks:\n  - &one {name: a, path: a, cron: '@daily'}\n  - *one\n")
    assert ["a"] == list(found.jobs)
    assert "name 'a' is given twice" in found.said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tasks: []\n", "config.yaml:1:8: tasks is an empty list, so there is nothing to run"),
        ("tasks:\n", "config.yaml:1:7: there are no tasks in this file"),
        ("scheduler: {}\n", "config.yaml:1:1: there are no tasks in this file"),
        ("tasks: [{name: a}]\n", "config.yaml:1:9: path is missing in this task; this task is left out"),
        ("tasks: 5\n", "config.yaml:1:8: tasks must be a list"),
    ],
)
@pytest.mark.parametrize("suffix", ["yaml", "yml"])
def test_its_name_is_enough_to_recognise_a_file_with_tasks_or_a_scheduler(files, text, said, suffix):
    found = files.read(f"config.{suffix}", text)
    assert "simple-task-manager" == found.jobset.format
    assert said.replace("yaml", suffix) in found.said


def test_rota_s_own_jobs_and_autocron_s_scripts_may_stand_in_a_file_of_that_name(files):
    assert "rota" == files.read("config.yaml", "jobs: {a: {run: 'true'}}\n").jobset.format
    assert "autocron" == files.read("config.yaml", "tasks: [{name: a, script: a.py, every: 5m}]\n").jobset.format


def test_a_task_without_a_name_of_its_own_may_be_any_task_of_the_file(files):
    files.task("a")
    first = "{name: a, path: a, cron: '@daily'}"
    for second in ("{path: a, cron: '@daily'}", "{name: a, path: a, cron: '@daily'}", "5", "{name: ' '}"):
        found = files.read("config.yaml", f"tasks: [{first}, {second}]\n")
        assert (True, []) == (found.jobset.nameless, found.jobset.skipped)


def test_a_task_that_cannot_be_kept_is_left_out_by_its_name(files):
    files.task("a")
    found = files.read("config.yaml", 'tasks: [{name: a, path: a, cron: "@daily", args: ["\\0"]}]\n')
    assert ([], ["a"]) == (found.jobset.jobs, found.jobset.skipped)
    assert "a command cannot hold a NUL character; this task is left out" in found.said

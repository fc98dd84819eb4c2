"""Jobs and configurations: their files, their defaults, and what is wrong with them."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import pytest

from rota.compat.tasks_loop import Job, JobResult, JobState, Priority, SchedulerConfig, TaskScheduler

from .conftest import EVERY_MINUTE, ago, write_job

FAILED = JobResult(False, datetime(2027, 1, 31, 10, 0), "no")  # noqa: DTZ001 -- the API's times have no zone


def test_the_modules_have_the_names_that_programs_import():
    from rota.compat.tasks_loop import config, job, scheduler

    assert SchedulerConfig is config.SchedulerConfig is scheduler.SchedulerConfig
    assert TaskScheduler is scheduler.TaskScheduler
    assert (Job, JobResult, JobState, Priority) == (job.Job, job.JobResult, job.JobState, job.Priority)


def test_a_job_of_four_words_has_the_defaults():
    job = Job("one", "One", "true", EVERY_MINUTE)
    assert Job("one", "One", "true", EVERY_MINUTE, Priority.MEDIUM, "", True, 0, None) == job
    assert (JobState.PENDING, None, None, 0) == (job.state, job.last_run, job.last_result, job.retry_count)


def test_the_words_for_states_and_priorities_are_those_of_the_files():
    assert ["urgent", "high", "medium", "low"] == [each.value for each in sorted({*Priority})]
    assert ["pending", "running", "completed", "failed"] == [each.value for each in JobState]
    assert Priority.LOW is Job("one", "One", "true", EVERY_MINUTE, priority="low").priority


def test_a_result_says_nothing_and_took_no_time_by_default():
    assert JobResult(True, FAILED.timestamp, "", 0.0) == JobResult(True, FAILED.timestamp)


def test_a_file_says_what_a_program_may_say(project):
    more = ("priority: high", "description: all of it", "enabled: no", "max_retries: 2", "timeout_seconds: 1.5")
    job = Job.from_yaml(str(write_job(project, "one", "echo 'a b'", *more)))
    assert Job("one", "One", "echo 'a b'", EVERY_MINUTE, Priority.HIGH, "all of it", False, 2, 1.5) == job


def test_the_id_of_a_file_is_text_whatever_it_looks_like(project):
    assert "17" == Job.from_yaml(write_job(project, "17", "true")).id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: x\nname: X\n", r"x\.yaml:1:1: Missing required fields: \['command', 'schedule'\]"),
        ("id: x\nname: X\ncommand: y\nschedule: '* * * * *'\npriority: lwo\n", r"5:11: Invalid priority 'lwo'"),
        ("id: x\nname: X\ncommand: y\nschedule: '61 * * * *'\n", r"4:11: schedule '61 \* \* \* \*'"),
        ("id: x\nname: X\ncommand: y\nschedule: '0 0 30 2 *'\n", r"schedule '0 0 30 2 \*': it never fires"),
        ("id: x\nname: X\ncommand: y\nschedule: '@daily'\nmax_retries: some\n", r"5:14: max_retries must be a whole"),
        ("- id: x\n", r"a job must be a mapping of keys to values, not a list"),
        ("", r"the file is empty"),
        ("id: [x\n", r"x\.yaml:"),
    ],
)
def test_a_wrong_file_is_a_value_error_with_the_place(project, text, said):
    path = project / "jobs" / "x.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        Job.from_yaml(path)


def test_a_file_that_is_not_there_is_just_that(project):
    with pytest.raises(FileNotFoundError):
        Job.from_yaml("jobs/none.yaml")


def test_a_key_that_is_not_known_is_said_and_stops_nothing(project, caplog):
    assert 0 == Job.from_yaml(write_job(project, "one", "true", "max_retires: 2")).max_retries
    assert "one.yaml:5:1: unknown key 'max_retires' in this job; did you mean 'max_retries'?" in caplog.text


def test_a_result_is_recorded_with_what_follows_from_it():
    job = Job("one", "One", "true", EVERY_MINUTE, max_retries=2)
    assert not job.can_retry(), "it has not failed"
    job.record_result(FAILED)
    assert (JobState.FAILED, FAILED.timestamp, FAILED, 1) == (job.state, job.last_run, job.last_result, job.retry_count)
    assert job.can_retry()
    job.record_result(FAILED)
    assert (2, False) == (job.retry_count, job.can_retry())
    job.reset_state()
    assert (JobState.PENDING, 0, FAILED) == (job.state, job.retry_count, job.last_result)
    job.record_result(JobResult(True, FAILED.timestamp))
    assert (JobState.COMPLETED, 0) == (job.state, job.retry_count)


def test_a_configuration_has_defaults_and_makes_paths_of_texts():
    assert SchedulerConfig.default() == SchedulerConfig("jobs", 60, 300, 1, "INFO", None)
    made = SchedulerConfig(jobs_dir="a/jobs", log_file="a.log")
    assert (Path("a/jobs"), Path("a.log")) == (made.jobs_dir, made.log_file)
    assert Path.home() / "jobs" == SchedulerConfig(jobs_dir=Path("~/jobs")).jobs_dir


def test_a_configuration_is_read_from_a_file(project):
    path = project / "scheduler.yaml"
    path.write_text("jobs_dir: custom/jobs\npoll_interval_seconds: 30\nmax_concurrent_jobs: 2\nlog_level: DEBUG\n")
    assert SchedulerConfig(Path("custom/jobs"), 30, 300, 2, "DEBUG") == SchedulerConfig.from_yaml(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [("max_concurrent_jobs: 0\n", "1:22: max_concurrent_jobs must be 1"), ("jobs\n", "must be a mapping")],
)
def test_a_wrong_configuration_is_a_value_error_with_the_place(project, text, said):
    path = project / "scheduler.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        SchedulerConfig.from_yaml(path)


def test_what_would_never_run_anything_is_refused():
    with pytest.raises(ValueError, match="max_concurrent_jobs is 0"):
        SchedulerConfig(max_concurrent_jobs=0)
    with pytest.raises(ValueError, match="log_level is 'LOUD'; it may be CRITICAL, DEBUG"):
        TaskScheduler(SchedulerConfig(log_level="LOUD"))


def test_a_directory_is_loaded_without_its_bad_files(project, caplog):
    write_job(project, "a", "true")
    write_job(project, "b", "true").rename(project / "jobs" / "b.yml")
    (project / "jobs" / "c.yaml").write_text("id: c\n")
    write_job(project, "d", "true").write_text((project / "jobs" / "a.yaml").read_text())
    (project / "jobs" / "notes.txt").write_text("nothing")
    scheduler = TaskScheduler()
    assert 2 == scheduler.load_jobs()
    assert ["a", "b"] == list(scheduler.jobs)
    assert "jobs/c.yaml is left out, the others run: jobs/c.yaml:1:1: Missing required" in caplog.text
    assert "jobs/d.yaml is left out: its id 'a' is that of jobs/a.yaml" in caplog.text


def test_a_directory_that_is_not_there_has_no_jobs(project, caplog):
    assert 0 == TaskScheduler(SchedulerConfig(jobs_dir="none")).load_jobs()
    assert "there is no directory of jobs none" in caplog.text


def test_jobs_that_are_loaded_again_keep_what_happened(project, caplog):
    caplog.set_level(logging.INFO)
    write_job(project, "a", "true")
    scheduler = TaskScheduler()
    scheduler.load_jobs()
    scheduler.jobs["a"].record_result(JobResult(False, when := ago(seconds=1)))
    scheduler.load_jobs()
    running = scheduler.jobs["a"]
    assert (JobState.FAILED, 1, when) == (running.state, running.retry_count, running.last_run)
    running.state = JobState.RUNNING
    scheduler.load_jobs()
    assert scheduler.jobs["a"] is running, "what runs is left alone"
    assert "is left out" not in caplog.text

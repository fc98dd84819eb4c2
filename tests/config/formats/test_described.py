"""Every example of a file in the five descriptions, saved as it stands there, is read as it is described."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rota.model.action import Command, Python, Shell
from rota.model.policy import PRIORITIES, Retries
from rota.plan.timetables import timetable_of

DESCRIBED = Path(__file__).parent / "described"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def saved(files, name: str, path: str) -> str:
    files.write(path, (DESCRIBED / name).read_text(encoding="utf-8"))
    return path


def test_simple_task_manager_s_schema_says_of_each_placeholder_what_it_is_not(files):
    found = files.read(saved(files, "simple-task-manager.yaml", "config.yaml"))
    assert "simple-task-manager" == found.jobset.format
    for words in (
        "3:20: default_timeout '<seconds>'",
        "10:14: timeout '<int>'",
        "11:14: enabled must be true or false",
    ):
        assert words in found.said


def test_simple_task_manager_s_tasks_run_with_their_arguments_in_their_directory(files):
    files.task("tasks/calendar-sync")
    found = files.read(saved(files, "simple-task-manager-tasks.yaml", "config.yaml"))
    assert Command(("./run.sh", "--days", "30")) == found.job.action
    assert timedelta(seconds=300) == found.job.policy.timeout
    assert "" == found.said


def test_autocron_s_saved_tasks_keep_their_phase(files):
    job = files.read(saved(files, "autocron-saved.yaml", "tasks.yaml")).job
    assert ("task_name", "/path/to/script.py", Retries(3, timedelta(seconds=60))) == (
        job.name, job.action.argv[-1], job.policy.retries
    )  # fmt: skip
    assert 0 == timetable_of(job).next_after(NOW).minute


def test_autocron_s_configuration_is_read(files):
    found = files.read(saved(files, "autocron.yaml", "autocron.yaml"))
    assert ["every 5m", "cron 0 9 * * *"] == [job.schedules[0].describe() for job in found.jobs.values()]
    assert [] == found.problems


def test_tasks_loop_s_job_and_configuration_are_read(files):
    saved(files, "tasks-loop-job.yaml", "agent/jobs/example-daily.yaml")
    saved(files, "tasks-loop-scheduler.yaml", "agent/config/scheduler.yaml")
    found = files.read("agent")
    job = found.job
    assert ("example-daily", Shell('echo "Health check complete"')) == (job.name, job.action)
    assert (Retries(2), timedelta(minutes=5), PRIORITIES["medium"]) == (
        job.policy.retries, job.policy.timeout, job.policy.priority
    )  # fmt: skip
    assert {f"tasks-loop:{files.folder / 'agent'}": 1} == found.jobset.pools
    assert "" == found.said


def test_the_resilient_scheduler_s_jobs_are_read(files):
    jobs = files.read(saved(files, "resilient.yaml", "jobs.yaml")).jobs
    target = "modules.scheduler.tasks.monitoring:check_api_status"
    assert Python(target, (), {"api_endpoint": "http://127.0.0.1:8000/"}) == jobs["api_health_check"].action
    assert Command(("/path/to/your/backup_script.sh",)) == jobs["daily_backup"].action
    assert ["every 5m", "cron 30 2 * * *"] == [job.schedules[0].describe() for job in jobs.values()]


def test_taskflows_service_without_its_limits_is_read_and_with_them_refused_by_name(files):
    found = files.read(saved(files, "taskflows.yaml", "services.yaml"))
    assert ["nightly", "weekdays", "half-hourly"] == list(found.jobs)
    (problem,) = found.problems
    assert problem.startswith("services.yaml:7:5: cgroup: resource limits come with a later rota; remove cgroup")

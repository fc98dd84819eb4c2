"""Which jobs are due: real cron, priorities, retries, and what an earlier program has done."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from rota.compat.tasks_loop import Job, JobResult, JobState, Priority, TaskScheduler
from rota.compat.tasks_loop.due import due_at, instant_of, slot_after, wall_time

from .conftest import ago, write_job


@pytest.fixture
def scheduler(project) -> TaskScheduler:
    return TaskScheduler()


def due(scheduler: TaskScheduler) -> list[str]:
    return [job.id for job in scheduler.get_jobs_due()]


def put(scheduler: TaskScheduler, *jobs: Job) -> None:
    scheduler.jobs |= {job.id: job for job in jobs}


def test_nothing_is_due_where_there_is_nothing(scheduler, project):
    assert [] == due(scheduler)
    assert not (project / ".rota").exists(), "asking leaves no trace"


def test_a_job_that_never_ran_is_due_at_once(scheduler, job_of):
    put(scheduler, job_of("true", schedule="0 0 1 1 *"))
    assert ["job"] == due(scheduler)


def test_a_job_that_ran_is_due_when_a_slot_has_passed_since(scheduler, job_of):
    put(scheduler, job_of("true", "minutely"), job_of("true", "yearly", schedule="@yearly"))
    for job in scheduler.jobs.values():
        job.last_run = ago(seconds=61)
    assert ["minutely"] == due(scheduler)
    scheduler.jobs["yearly"].last_run = ago(days=366)
    assert ["minutely", "yearly"] == due(scheduler)


def test_a_job_that_is_disabled_or_running_is_not_due(scheduler, job_of):
    put(scheduler, job_of("true", "off", enabled=False), job_of("true", "running"))
    scheduler.jobs["running"].state = JobState.RUNNING
    assert [] == due(scheduler)


def test_due_jobs_come_by_priority_then_as_they_were_put(scheduler, job_of):
    words = ["low", "medium", "urgent", "high", "medium"]
    put(scheduler, *(job_of("true", f"{word}-{at}", priority=Priority(word)) for at, word in enumerate(words)))
    assert ["urgent-2", "high-3", "medium-1", "medium-4", "low-0"] == due(scheduler)


@pytest.mark.parametrize("sunday", ["0", "7", "sun"])
def test_sunday_has_two_numbers_and_a_name(sunday):
    friday = datetime(2027, 1, 1, tzinfo=UTC)
    assert 6 == wall_time(slot_after(f"0 12 * * {sunday}", friday)).weekday()


def test_weekdays_begin_on_monday():
    saturday = datetime(2027, 1, 2, 12, tzinfo=UTC)
    assert 0 == wall_time(slot_after("0 12 * * 1-5", saturday)).weekday()


def test_a_day_of_the_month_or_a_weekday_makes_a_job_due():
    at, found = datetime(2027, 1, 31, 23, tzinfo=UTC), []
    while len(found) < 5:
        at = slot_after("0 12 1 * mon", at)
        found.append(wall_time(at).strftime("%d %a"))
    assert ["01 Mon", "08 Mon", "15 Mon", "22 Mon", "01 Mon"] == found
    assert "01 Thu" == wall_time(slot_after("0 12 1 * mon", datetime(2027, 3, 31, tzinfo=UTC))).strftime("%d %a")


def test_a_time_of_the_wall_clock_is_an_instant_again():
    instant = datetime(2027, 7, 1, 12, 30, 5, 250_000, tzinfo=UTC)
    assert instant == instant_of(wall_time(instant)) == instant_of(instant)


def test_an_hour_that_comes_twice_is_kept_apart(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
        second = first + timedelta(hours=1)
        assert wall_time(first) == wall_time(second), "the clock on the wall shows the same"
        assert [first, second] == [instant_of(wall_time(each)) for each in (first, second)]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_schedule_that_is_wrong_is_told_once_and_never_due(scheduler, job_of, caplog):
    put(scheduler, job_of("true", "bad", schedule="61 * * * *"), job_of("true", "good"))
    assert ["good"] == due(scheduler)
    assert ["good"] == due(scheduler)
    assert 1 == caplog.text.count("job bad is never due: schedule '61 * * * *': column 1: minute must be 0 to 59")


def test_a_failed_job_is_due_again_after_a_pause_as_often_as_it_may_be(job_of):
    job, ended = job_of("false", schedule="@yearly", max_retries=2), ago(seconds=0)
    pauses = []
    for _ in range(3):
        job.record_result(JobResult(False, ended))
        at = due_at(job, 10.0)
        pauses.append((at - instant_of(ended)).total_seconds())
    assert [10, 20] == pauses[:2]
    assert at == slot_after("@yearly", instant_of(ended)), "after that it waits for its next slot"


def test_the_pause_before_a_retry_has_an_end(job_of):
    job, ended = job_of("false", schedule="0 0 29 2 *", max_retries=900), ago(seconds=0)
    job.retry_count = 800
    job.record_result(JobResult(False, ended))
    assert instant_of(ended) + timedelta(hours=1) == due_at(job, 10.0)


def test_state_survives_a_restart(project, scheduler, job_of):
    write_job(project, "one", "echo yes", schedule="@yearly")
    write_job(project, "two", "echo no >&2; exit 3", schedule="@yearly")
    scheduler.load_jobs()
    assert 2 == scheduler.run_once()

    restarted = TaskScheduler()
    restarted.load_jobs()
    assert [] == due(restarted)
    assert 0 == restarted.run_once()
    for job_id, state in (("one", JobState.COMPLETED), ("two", JobState.FAILED)):
        before, after = scheduler.jobs[job_id], restarted.jobs[job_id]
        assert (state, before.last_result, before.last_run) == (after.state, after.last_result, after.last_run)


def test_a_retry_that_is_owed_survives_a_restart(project, scheduler, job_of):
    put(scheduler, job := job_of("echo x >> tries; exit 1", schedule="@yearly", max_retries=1))
    scheduler.execute_job(job)

    restarted = TaskScheduler()
    put(restarted, job_of("echo x >> tries; exit 1", schedule="@yearly", max_retries=1))
    assert [] == due(restarted), "its pause is not over"
    assert 1 == restarted.jobs["job"].retry_count
    restarted.retry_delay_seconds = 0.0
    assert 1 == restarted.run_once()
    assert "x\nx\n" == (project / "tries").read_text()
    assert [] == due(restarted)


def test_what_a_program_says_of_a_job_goes_before_what_is_remembered(scheduler, job_of):
    put(scheduler, job := job_of("true", schedule="@yearly"))
    scheduler.execute_job(job)
    restarted = TaskScheduler()
    put(restarted, again := job_of("true", schedule="@yearly"))
    again.last_run = ago(days=400)
    assert ["job"] == due(restarted)

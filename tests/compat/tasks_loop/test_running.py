"""Executing jobs: results, timeouts, retries, so many at a time, and what a program puts around them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from rota import Scheduler
from rota.compat.tasks_loop import Job, JobResult, JobState, Priority, SchedulerConfig, TaskScheduler
from sdk.conftest import until

from .conftest import ago, write_job

ROTA = str(Path(sys.executable).parent / "rota")


@pytest.fixture
def scheduler(project) -> TaskScheduler:
    made = TaskScheduler()
    made.retry_delay_seconds = 0.1
    return made


def put(scheduler: TaskScheduler, *jobs: Job) -> None:
    scheduler.jobs |= {job.id: job for job in jobs}


def is_alive(pid: int) -> bool:
    """Tell whether a process does anything; one that only waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_job_that_went_well_has_its_output_as_message(scheduler, job_of):
    before = ago(seconds=1)
    result = scheduler.execute_job(job := job_of("echo ' one'; echo two; echo not this >&2; sleep 0.1"))
    assert (True, "one\ntwo") == (result.success, result.message)
    assert before < result.timestamp <= ago(seconds=0)
    assert 0.05 < result.duration_seconds < 5
    assert (JobState.COMPLETED, result, result.timestamp) == (job.state, job.last_result, job.last_run)


def test_a_job_that_failed_has_its_complaint_as_message(scheduler, job_of):
    result = scheduler.execute_job(job := job_of("echo not this; echo oops >&2; exit 3", max_retries=2))
    assert (False, "oops") == (result.success, result.message)
    assert (JobState.FAILED, 1, True) == (job.state, job.retry_count, job.can_retry())
    assert "exit code 3" == scheduler.execute_job(job_of("exit 3", "silent")).message


def test_a_command_is_a_line_of_shell_in_the_directory_and_the_environment_of_the_program(
    scheduler, job_of, project, monkeypatch
):
    monkeypatch.setenv("GREETING", "hello")
    assert f"hello {project}" == scheduler.execute_job(job_of('echo "$GREETING $(pwd -P)" | cat')).message


def test_a_timeout_ends_all_that_a_job_has_started_and_keeps_what_it_wrote(scheduler, job_of, project):
    line = "echo begun; sleep 60 & echo $! >> pids; setsid sleep 60 & echo $! >> pids; sleep 60"
    result = scheduler.execute_job(job := job_of(line, timeout_seconds=1))
    assert (False, "Job timed out after 1 seconds\nbegun") == (result.success, result.message)
    assert JobState.FAILED is job.state
    assert 0.5 < result.duration_seconds < 10
    pids = (project / "pids").read_text().split()
    assert (2, []) == (len(pids), [pid for pid in pids if is_alive(int(pid))])


def test_a_job_that_says_nothing_has_the_scheduler_s_timeout_and_0_is_none(project, job_of):
    scheduler = TaskScheduler(SchedulerConfig(default_timeout_seconds=1))
    assert "Job timed out after 1 seconds" == scheduler.execute_job(job_of("sleep 60")).message
    assert scheduler.execute_job(job_of("sleep 1.5", "other", timeout_seconds=0)).success


def test_a_job_that_cannot_be_run_at_all_is_a_failure_with_the_reason(scheduler, job_of):
    result = scheduler.execute_job(job := job_of(" ", max_retries=2))
    assert (False, "Execution error: job 'job': there is nothing to run; give a command") == (
        result.success,
        result.message,
    )
    assert not job.can_retry(), "it would be the same again"


def test_all_due_jobs_run_in_one_cycle_by_priority(scheduler, job_of, project):
    words = ["low", "medium", "urgent", "high"]
    line, rarely = "echo {} >> order", "@yearly"
    put(scheduler, *(job_of(line.format(word), word, rarely, priority=Priority(word)) for word in words))
    assert 4 == scheduler.run_once()
    assert ["urgent", "high", "medium", "low"] == (project / "order").read_text().split()
    assert 0 == scheduler.run_once()


def test_one_at_a_time_runs_in_the_thread_of_the_program(project, job_of):
    threads = []

    class Noting(TaskScheduler):
        def execute_job(self, job: Job) -> JobResult:
            threads.append(threading.current_thread())
            return super().execute_job(job)

    scheduler = Noting()
    put(scheduler, job_of("true", "a"), job_of("true", "b"))
    scheduler.run_once()
    assert [threading.current_thread()] * 2 == threads


def test_so_many_run_at_once_and_the_next_as_soon_as_there_is_a_place(project, job_of):
    scheduler = TaskScheduler(SchedulerConfig(max_concurrent_jobs=2))
    line = 'echo "+" >> at; sleep {}; echo "-" >> at; echo {} >> ended'
    spans = {"slow": 2.0, "a": 0.2, "b": 0.2, "c": 0.2}
    put(scheduler, *(job_of(line.format(span, name), name) for name, span in spans.items()))
    assert 4 == scheduler.run_once()
    assert ["a", "b", "c", "slow"] == (project / "ended").read_text().split()
    running, most = 0, 0
    for sign in (project / "at").read_text().split():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert (2, 0) == (most, running)


def test_a_failed_job_is_tried_again_as_often_as_it_says(scheduler, job_of, project):
    put(scheduler, job := job_of("echo x >> tries; exit 1", max_retries=2, schedule="@yearly"))
    assert 1 == scheduler.run_once()
    assert 3 == len((project / "tries").read_text().split())
    assert (JobState.FAILED, 3, False) == (job.state, job.retry_count, job.can_retry())


def test_a_retry_that_goes_well_is_the_last_one(scheduler, job_of, project):
    line = "echo x >> tries; test $(wc -l < tries) -ge 2"
    put(scheduler, job := job_of(line, max_retries=5, schedule="@yearly"))
    scheduler.run_once()
    assert 2 == len((project / "tries").read_text().split())
    assert (JobState.COMPLETED, 0) == (job.state, job.retry_count)


def test_other_jobs_run_in_the_pause_before_a_retry(scheduler, job_of, project):
    scheduler.retry_delay_seconds = 1.0
    put(
        scheduler,
        job_of("echo flaky >> order; test $(wc -l < order) -gt 2", "flaky", priority="urgent", max_retries=1),
        job_of("echo calm >> order", "calm", priority="low"),
    )
    scheduler.run_once()
    assert ["flaky", "calm", "flaky"] == (project / "order").read_text().split()


def test_every_slot_has_all_of_its_retries(scheduler, job_of, project):
    put(scheduler, job := job_of("echo x >> tries; exit 1", max_retries=1))
    scheduler.run_once()
    job.last_run = ago(minutes=2)
    scheduler.run_once()
    assert 4 == len((project / "tries").read_text().split())


def test_a_run_that_somebody_cancels_is_not_tried_again(scheduler, job_of, project):
    put(scheduler, job := job_of("touch begun; sleep 60", max_retries=3))
    cycle = threading.Thread(target=scheduler.run_once)
    cycle.start()
    until((project / "begun").exists, "it runs")
    with closing(Scheduler(project / ".rota")) as other:
        other.cancel("job", "by hand")
    cycle.join(20)
    assert (JobState.FAILED, "by hand") == (job.state, job.last_result.message)


class Own(TaskScheduler):
    """Executes jobs in its own way."""

    retry_delay_seconds = 0.0

    def __init__(self, *answers: object) -> None:
        super().__init__()
        self.answers = list(answers)

    def execute_job(self, job: Job) -> JobResult:
        answer = self.answers.pop(0)
        if answer == "command":
            return super().execute_job(job)
        if answer == "after":
            super().execute_job(job)
        if isinstance(answer, JobResult):
            return answer
        raise OSError(f"no notice could be sent: {answer}")


def test_results_of_a_program_s_own_are_recorded_and_tried_again(project, job_of):
    scheduler = Own(JobResult(False, ago(), "one"), JobResult(True, ago(), "two"))
    put(scheduler, job := job_of("never run", max_retries=1))
    assert 1 == scheduler.run_once()
    assert ([], JobState.COMPLETED, "two") == (scheduler.answers, job.state, job.last_result.message)


def test_what_fails_before_the_command_fails_the_attempt(project, job_of, caplog):
    scheduler = Own("before", "command")
    put(scheduler, job := job_of("echo yes", max_retries=1))
    scheduler.run_once()
    assert ([], "yes") == (scheduler.answers, job.last_result.message)
    assert "OSError: no notice could be sent: before" in caplog.text


def test_what_fails_after_the_command_does_not_run_it_again(project, job_of, caplog):
    scheduler = Own("after", "command")
    put(scheduler, job := job_of("echo x >> tries", max_retries=1))
    scheduler.run_once()
    assert "x\n" == (project / "tries").read_text()
    assert JobState.COMPLETED is job.state
    assert "no notice could be sent: after" in caplog.text


def test_a_job_that_only_a_subclass_makes_due_runs_whatever_its_schedule_is(project, job_of):
    class Eager(TaskScheduler):
        def get_jobs_due(self) -> list[Job]:
            return list(self.jobs.values())

    scheduler = Eager()
    put(scheduler, job := job_of("echo yes", schedule="when I say so"))
    assert 1 == scheduler.run_once()
    assert "yes" == job.last_result.message


def test_an_answer_that_is_no_result_is_a_failure(project, job_of, caplog):
    class Forgetful(TaskScheduler):
        def execute_job(self, job: Job) -> JobResult:
            return None

    scheduler = Forgetful()
    put(scheduler, job := job_of("true"))
    scheduler.run_once()
    assert "Execution error: execute_job returned None and no JobResult" == job.last_result.message


def test_a_job_is_not_started_again_while_it_runs(project, job_of):
    scheduler = TaskScheduler(SchedulerConfig(max_concurrent_jobs=2))
    put(scheduler, job := job_of("echo x >> starts; sleep 1"))
    cycle = threading.Thread(target=scheduler.run_once)
    cycle.start()
    until((project / "starts").exists, "it runs")
    assert [] == scheduler.get_jobs_due()
    joined = scheduler.execute_job(job)
    cycle.join(20)
    assert (True, "x\n") == (joined.success, (project / "starts").read_text())


def test_ctrl_c_in_one_cycle_ends_what_is_running(program, project):
    program.write(
        """
        from rota.compat.tasks_loop import Job, SchedulerConfig, TaskScheduler
        scheduler = TaskScheduler(SchedulerConfig(max_concurrent_jobs=int(__import__("sys").argv[1])))
        for name in "ab":
            scheduler.jobs[name] = Job(name, name, f"echo $$ > {name}; sleep 60", "@daily")
        scheduler.run_once()
        """
    )
    for places, begun in (("1", "a"), ("2", "b")):
        started = program.start("program.py", places)
        until(lambda begun=begun: (project / begun).exists() and (project / begun).read_text(), "it runs")
        pid = int((project / begun).read_text())
        started.send_signal(signal.SIGINT)
        said, _ = started.communicate(timeout=30)
        assert "KeyboardInterrupt" in said
        assert not is_alive(pid)


def test_where_no_directory_is_all_is_in_memory_and_that_is_said(project, job_of, caplog):
    scheduler = TaskScheduler(SchedulerConfig(jobs_dir="none/jobs"))
    put(scheduler, job_of("echo yes"))
    assert 1 == scheduler.run_once()
    assert "state is in memory" in caplog.text
    assert ["jobs"] == os.listdir(project)


def test_the_home_may_be_named(project, job_of, monkeypatch):
    monkeypatch.setenv("ROTA_HOME", str(project / "elsewhere"))
    TaskScheduler().execute_job(job_of("true"))
    assert ["elsewhere", "jobs"] == sorted(os.listdir(project))


def test_a_slot_that_passes_while_the_job_runs_is_said_to_be_skipped(scheduler, job_of, caplog):
    caplog.set_level(logging.WARNING)
    put(scheduler, job_of("sleep 1.1", schedule="* * * * * *"))
    scheduler.run_once()
    assert "job job was still running at" in caplog.text


def test_a_job_that_rota_serve_has_taken_from_the_files_is_refused(project):
    write_job(project, "one", "touch done")
    assert 0 == subprocess.run([ROTA, "apply", "-f", "."], capture_output=True).returncode
    scheduler = TaskScheduler()
    scheduler.load_jobs()
    scheduler.run_once()
    assert "Execution error: job 'one' was made by" in scheduler.jobs["one"].last_result.message
    assert not (project / "done").exists()

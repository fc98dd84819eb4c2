"""Schedulers that run until they are told to stop: in threads, as programs, killed, and started again."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rota.compat.tasks_loop import SchedulerConfig, TaskScheduler
from sdk.conftest import until

from .conftest import write_job

DAEMON = """
    import sys
    from rota.compat.tasks_loop import SchedulerConfig, TaskScheduler
    TaskScheduler(SchedulerConfig(max_concurrent_jobs=2)).run()
    print("left")
"""


@contextmanager
def running(scheduler: TaskScheduler) -> Iterator[TaskScheduler]:
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    try:
        until(lambda: scheduler._running, "it runs")
        yield scheduler
    finally:
        scheduler.stop()
        thread.join(30)
        assert not thread.is_alive()


def count(path: Path) -> int:
    return len(path.read_text().split()) if path.exists() else 0


def test_a_daemon_loads_its_jobs_and_runs_what_is_put_there_later(project, job_of):
    write_job(project, "first", "touch first")
    with running(TaskScheduler()) as scheduler:
        until((project / "first").exists, "the job of the file runs")
        scheduler.jobs["later"] = job_of("touch later", "later")
        until((project / "later").exists, "the job of the program runs")


def test_a_daemon_starts_a_job_when_it_is_due_and_not_at_its_next_poll(project):
    write_job(project, "tick", "echo x >> ticks", schedule="* * * * * *")
    with running(TaskScheduler(SchedulerConfig(poll_interval_seconds=3600))):
        until(lambda: count(project / "ticks") >= 4, "it ticks", 10)


def test_a_job_of_each_hour_that_takes_4_seconds_starts_once(project):
    write_job(project, "hourly", "echo x >> starts; sleep 4; touch ended", schedule="30 3 * * *")
    with running(TaskScheduler(SchedulerConfig(poll_interval_seconds=0.05, max_concurrent_jobs=4))):
        until((project / "ended").exists, "it ends")
        threading.Event().wait(1)
    assert 1 == count(project / "starts")


def test_a_daemon_retries_and_other_jobs_run_meanwhile(project, job_of):
    write_job(project, "flaky", "echo x >> tries; test $(wc -l < tries) -ge 3", "max_retries: 2", schedule="@yearly")
    scheduler = TaskScheduler()
    scheduler.retry_delay_seconds = 0.2
    with running(scheduler):
        until(lambda: count(project / "tries") == 3, "it is tried again")
        until(lambda: scheduler.jobs["flaky"].last_result.success, "it goes well")


def test_a_subclass_is_asked_for_each_cycle_and_each_job(project):
    asked = []

    class Noting(TaskScheduler):
        def run_once(self):
            asked.append("cycle")
            return super().run_once()

        def execute_job(self, job):
            asked.append(job.id)
            return super().execute_job(job)

    write_job(project, "one", "touch done")
    with running(Noting()):
        until((project / "done").exists, "it runs")
    assert ["cycle", "one"] == asked[:2]


def test_a_fault_of_a_subclass_stops_no_other_job(project, caplog):
    faults = [OSError("once")]

    class Faulty(TaskScheduler):
        def run_once(self):
            if faults:
                raise faults.pop()
            return super().run_once()

    write_job(project, "one", "touch done", schedule="@yearly")
    with running(Faulty()):
        until((project / "done").exists, "it runs")
    assert "the scheduler goes on after a fault" in caplog.text


def test_a_program_beside_another_goes_on_when_that_is_killed(program, project, job_of):
    write_job(project, "first", "touch first", schedule="@yearly")
    program.write(DAEMON)
    daemon = program.start()
    until((project / "first").exists, "the other program runs")
    job, scheduler = job_of("touch begun; sleep 1; echo done"), TaskScheduler()
    beside = threading.Thread(target=scheduler.execute_job, args=(job,))
    beside.start()
    until((project / "begun").exists, "it runs, by the engine of the other")
    daemon.kill()
    beside.join(20)
    assert (True, "done") == (job.last_result.success, job.last_result.message)


def test_a_scheduler_is_not_run_twice_at_once(project):
    with running(TaskScheduler()) as scheduler, pytest.raises(RuntimeError, match="at work already"):
        scheduler.run()


def test_to_stop_what_does_not_run_does_nothing(project, job_of):
    scheduler = TaskScheduler()
    scheduler.stop()
    scheduler.jobs["one"] = job_of("true", "one")
    assert 1 == scheduler.run_once()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_short_job_end_and_starts_nothing_more(program, project, number):
    write_job(project, "one", "touch begun; sleep 1; touch ended")
    program.write(DAEMON)
    started = program.start()
    until((project / "begun").exists, "it runs")
    started.send_signal(number)
    said, _ = started.communicate(timeout=30)
    assert (0, True) == (started.returncode, (project / "ended").exists()), said
    assert said.endswith("left\n")


def test_a_second_ctrl_c_ends_what_is_running(program, project):
    write_job(project, "one", "touch begun; sleep 60; touch ended")
    program.write(DAEMON.replace("=2", "=1"))
    started = program.start()
    until((project / "begun").exists, "it runs")
    started.send_signal(signal.SIGINT)
    said = started.stdout.readline()
    while "asked to stop" not in said:
        said = started.stdout.readline()
    started.send_signal(signal.SIGINT)
    said, _ = started.communicate(timeout=8)
    assert "left\n" == said[-5:]
    assert "[one] cancelled" in said


def test_a_killed_daemon_s_job_goes_on_and_is_not_started_again(program, project):
    write_job(project, "long", "echo x >> starts; sleep 3; echo done >> ends", schedule="@yearly")
    program.write(DAEMON)
    first = program.start()
    until((project / "starts").exists, "it runs")
    first.kill()
    first.wait()
    second = program.start()
    until((project / "ends").exists, "it ends")
    second.send_signal(signal.SIGTERM)
    said, _ = second.communicate(timeout=30)
    assert "[long] completed" in said, "the second knows how it ended"
    assert (1, 1) == (count(project / "starts"), count(project / "ends"))
    scheduler = TaskScheduler()
    scheduler.load_jobs()
    assert [] == scheduler.get_jobs_due()
    assert scheduler.jobs["long"].last_result.success


def test_a_daemon_that_is_started_again_runs_nothing_twice(program, project):
    write_job(project, "one", "echo x >> starts", schedule="@yearly")
    write_job(project, "mark", "touch mark", schedule="* * * * * *")
    program.write(DAEMON)
    for _ in range(2):
        (project / "mark").unlink(missing_ok=True)
        started = program.start()
        until((project / "mark").exists, "jobs run")
        started.send_signal(signal.SIGTERM)
        said, _ = started.communicate(timeout=30)
        assert 0 == started.returncode, said
    assert 1 == count(project / "starts")


def test_the_module_runs_until_sigterm_and_says_what_is_wrong_with_its_configuration(program, project):
    write_job(project, "one", "touch done")
    (project / "my.yaml").write_text("poll_interval_seconds: 1\nlog_level: WARNING\n")
    started = program.start("-m", "rota.compat.tasks_loop.scheduler", "--config", "my.yaml")
    until((project / "done").exists, "it runs")
    started.send_signal(signal.SIGTERM)
    assert ("", 0) == (started.communicate(timeout=30)[0], started.returncode)

    (project / "my.yaml").write_text("max_concurrent_jobs: none\n")
    started = program.start("-m", "rota.compat.tasks_loop.scheduler", "--config", "my.yaml")
    said, _ = started.communicate(timeout=30)
    assert (2, True) == (started.returncode, "my.yaml:1:22: max_concurrent_jobs must be a whole number" in said), said

"""What the description of tasks_loop shows runs here, with another import line; and so does our own page."""

from __future__ import annotations

import signal

from sdk.conftest import until

from .conftest import write_job

QUICK_START_JOB = """\
# jobs/example-daily.yaml
id: example-daily
name: Daily Health Check
description: Check system health every day at 2am
command: echo "Health check complete" | tee done
schedule: "0 2 * * *"  # Cron: 2am daily
priority: medium
enabled: true
max_retries: 2
timeout_seconds: 300
"""
CONFIGURATION = """\
jobs_dir: jobs
poll_interval_seconds: 60
default_timeout_seconds: 300
max_concurrent_jobs: 1
log_level: INFO
log_file: logs/scheduler.log  # Optional
"""


def stop(started) -> None:
    started.send_signal(signal.SIGTERM)
    said, _ = started.communicate(timeout=30)
    assert 0 == started.returncode, said


def test_the_quick_start_runs_as_a_daemon(program, project):
    (project / "jobs" / "example-daily.yaml").write_text(QUICK_START_JOB)
    program.write(
        """
        from rota.compat.tasks_loop import TaskScheduler, SchedulerConfig

        # Create scheduler with config
        config = SchedulerConfig(
            jobs_dir="jobs",
            poll_interval_seconds=60,
        )

        scheduler = TaskScheduler(config)
        scheduler.run()  # Runs as daemon
        """
    )
    started = program.start()
    until((project / "done").exists, "the job runs")
    stop(started)
    assert "Health check complete\n" == (project / "done").read_text()


def test_the_module_runs_by_its_configuration_and_writes_its_log(program, project):
    (project / "jobs" / "example-daily.yaml").write_text(QUICK_START_JOB)
    (project / "config").mkdir()
    (project / "config" / "scheduler.yaml").write_text(CONFIGURATION)
    started = program.start("-m", "rota.compat.tasks_loop.scheduler")
    log = project / "logs" / "scheduler.log"
    until(lambda: log.exists() and "[example-daily] completed" in log.read_text(), "the job runs")
    started.send_signal(signal.SIGTERM)
    said, _ = started.communicate(timeout=30)
    assert (0, "") == (started.returncode, said)
    assert "the scheduler has stopped" in log.read_text()


def test_the_basic_scheduler_runs_one_cycle(program, project):
    write_job(project, "one", "touch done")
    program.write(
        """
        from rota.compat.tasks_loop import TaskScheduler

        scheduler = TaskScheduler()
        scheduler.load_jobs()  # Load from jobs/ directory
        scheduler.run_once()   # Execute one scheduler cycle
        """
    )
    program.run()
    assert (project / "done").exists()


def test_a_configuration_of_paths_runs_as_a_daemon(program, project):
    (project / "custom").mkdir()
    (project / "jobs").rename(project / "custom" / "jobs")
    write_job(project / "custom", "one", "touch done")
    program.write(
        """
        from pathlib import Path
        from rota.compat.tasks_loop import TaskScheduler, SchedulerConfig

        config = SchedulerConfig(
            jobs_dir=Path("custom/jobs"),
            poll_interval_seconds=30,
            max_concurrent_jobs=2,
        )

        scheduler = TaskScheduler(config)
        scheduler.run()  # Run as daemon
        """
    )
    started = program.start()
    until((project / "done").exists, "the job runs, in the directory of the program")
    stop(started)


def test_a_job_made_by_a_program_runs(program, project):
    program.write(
        """
        from rota.compat.tasks_loop import Job, Priority
        from rota.compat.tasks_loop import TaskScheduler

        job = Job(
            id="custom-job",
            name="Custom Task",
            command="echo 'Hello from scheduler'",
            schedule="*/5 * * * *",  # Every 5 minutes
            priority=Priority.HIGH,
            max_retries=3,
        )

        scheduler = TaskScheduler()
        scheduler.jobs[job.id] = job
        scheduler.run_once()
        print(job.last_result.message)
        """
    )
    assert "Hello from scheduler" == program.run().splitlines()[-1]


def test_a_job_of_another_class_takes_more_words(project):
    from rota.compat.tasks_loop import Job, JobState, TaskScheduler

    class NotificationJob(Job):
        def __init__(self, *args, notification_email: str, **kwargs):
            super().__init__(*args, **kwargs)
            self.notification_email = notification_email

    job = NotificationJob("one", "One", "true", "@daily", notification_email="someone@example.org")
    scheduler = TaskScheduler()
    scheduler.jobs[job.id] = job
    assert 1 == scheduler.run_once()
    assert (JobState.COMPLETED, "someone@example.org") == (job.state, job.notification_email)


def test_a_scheduler_of_another_class_has_its_say_before_and_after(project, job_of):
    from rota.compat.tasks_loop import Job, JobResult, TaskScheduler

    class CustomScheduler(TaskScheduler):
        def __init__(self):
            super().__init__()
            self.said = []

        def send_notification(self, text):
            self.said.append(text)

        def alert_admin(self, job, result):
            self.said.append(f"{job.id}: {result.message}")

        def execute_job(self, job: Job) -> JobResult:
            # Add pre-execution logic
            self.send_notification(f"Starting {job.name}")

            # Execute job
            result = super().execute_job(job)

            # Add post-execution logic
            if not result.success:
                self.alert_admin(job, result)

            return result

    scheduler = CustomScheduler()
    scheduler.jobs = {"good": job_of("true", "good"), "bad": job_of("echo no >&2; exit 1", "bad")}
    assert 2 == scheduler.run_once()
    assert ["Starting Good", "Starting Bad", "bad: no"] == scheduler.said

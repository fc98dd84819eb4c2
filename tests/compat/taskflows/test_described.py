"""Every piece of Python in Taskflows' description that is about these parts, with only the import line changed."""

from __future__ import annotations

import asyncio

import pytest

from rota import State
from rota.compat.taskflows import (
    CgroupConfig,
    NotYet,
    Periodic,
    Service,
    TaskLogger,
    task,
)


def test_the_task_of_the_description():
    @task(name="data-ingestion", timeout=300, retries=3)
    async def ingest_data(source: str):
        # Task code here
        pass

    assert asyncio.run(ingest_data("somewhere")) is None


def test_the_service_of_the_description_is_refused_by_its_limit():
    with pytest.raises(NotYet, match="CgroupConfig: resource limits come with a later rota"):
        Service(
            name="api-server",
            description="FastAPI application",
            exec_start="uvicorn app:app --host 0.0.0.0",
            schedule=Periodic(hours=1),  # Run hourly
            cgroup=CgroupConfig(
                memory_limit=2 * 1024**3,  # 2 GB
                cpu_quota=200000,  # 2 CPUs
            ),
            restart_policy="on-failure",
        )


def test_without_its_limit_it_is_a_job(engine):
    service = Service(
        name="api-server",
        description="FastAPI application",
        exec_start="uvicorn app:app --host 0.0.0.0",
        schedule=Periodic(hours=1),  # Run hourly
        restart_policy="on-failure",
    )
    service.create()
    job = engine.get("api-server").stored.job
    assert ("FastAPI application", 5, "every 1h") == (
        job.description,
        job.policy.retries.count,
        job.schedules[0].describe(),
    )
    assert ("uvicorn", "app:app", "--host", "0.0.0.0") == job.action.argv


def test_the_schedules_of_the_description():
    from rota.compat.taskflows import Schedule
    from rota.compat.taskflows.schedule import Calendar

    # Run every 30 minutes
    schedule1 = Periodic(minutes=30)

    # Run daily at 3 AM
    schedule2 = Calendar("daily 03:00")

    # Run on weekdays at 9 AM
    schedule3 = Calendar("Mon..Fri 09:00")

    assert all(isinstance(each, Schedule) for each in (schedule1, schedule2, schedule3))
    assert 1800 == schedule1.period
    assert ["03:00:00"] * 3 == [text.split()[2] for text in schedule2.next_runs(3, "Europe/Berlin")]
    assert not {"Sat", "Sun"} & {text.split()[0] for text in schedule3.next_runs(7)}


def test_the_subclass_of_a_service(engine):
    class WebService(Service):
        def __init__(self, app_module: str, port: int, **kwargs):
            super().__init__(
                exec_start=f"uvicorn {app_module} --port {port}",
                **kwargs
            )  # fmt: skip

    service = WebService("app:app", 8000, name="web")
    service.create()
    assert ("uvicorn", "app:app", "--port", "8000") == engine.get("web").stored.job.action.argv
    assert service.exists


def test_the_subclass_of_a_task_logger():
    told = []

    def notify_slack(error):
        told.append(error)

    class MyTaskLogger(TaskLogger):
        def on_task_error(self, error: Exception):
            super().on_task_error(error)
            # Custom error handling
            notify_slack(error)

    @task(logger=MyTaskLogger, retries=1, retry_delay=0, alerts=told.append)
    def fails():
        raise ValueError("no such day")

    assert fails() is None
    assert ["ValueError", "ValueError"] == [type(each).__name__ for each in told if isinstance(each, Exception)]
    assert 4 == len([each for each in told if isinstance(each, str)])  # start, two errors, finish


def test_the_life_of_a_service(engine, folder):
    service = Service("hello", "sh -c 'echo hello; date > ran'", schedule=Periodic(hours=1))
    assert not service.exists
    service.enable()
    assert service.exists
    run_id = service.start()
    assert State.SUCCEEDED is engine.handle(run_id).wait(30).state
    assert "hello" == service.logs()
    assert (folder / "ran").exists()
    assert ("inactive", True, "succeeded", 0) == tuple(
        service.status()[word] for word in ("state", "enabled", "last_state", "exit_code")
    )
    service.disable()
    assert (False, None) == (service.status()["enabled"], service.status()["next_start"])
    service.enable()
    assert service.status()["next_start"] is not None
    service.remove()
    assert not service.exists

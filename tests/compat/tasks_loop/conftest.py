"""A project of tasks_loop in a directory of its own, and programs that run in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rota.compat.tasks_loop import Job
from sdk.conftest import Program

EVERY_MINUTE = "* * * * *"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that a program runs in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROTA_HOME", raising=False)
    (tmp_path / "jobs").mkdir()
    return tmp_path


@pytest.fixture
def program(project: Path) -> Iterator[Program]:
    made = Program(project)
    made.env["PYTHONUNBUFFERED"] = "1"
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def job_of() -> Callable[..., Job]:
    """Make a job of a command."""

    def make(command: str, job_id: str = "job", schedule: str = EVERY_MINUTE, **more: object) -> Job:
        return Job(id=job_id, name=job_id.title(), command=command, schedule=schedule, **more)

    return make


def ago(**span: float) -> datetime:
    """Return a time of the wall clock, as programs of tasks_loop have them."""
    return datetime.now() - timedelta(**span)  # noqa: DTZ005 -- the API's times have no zone


def write_job(project: Path, job_id: str, command: str, *more: str, schedule: str = EVERY_MINUTE) -> Path:
    path = project / "jobs" / f"{job_id}.yaml"
    lines = [f"id: {job_id}", f"name: {job_id.title()}", f"command: {command}", f'schedule: "{schedule}"', *more]
    path.write_text("\n".join(lines) + "\n")
    return path

"""Programs of AutoCron in a directory of their own, with a home of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from observe.notifiers.conftest import closed_port, mail_server, screen, silent_port  # noqa: F401 -- fixtures
from rota.compat.autocron import AutoCron, reset_global_scheduler
from rota.compat.autocron.logger import reset_logger
from rota.compat.autocron.notifications import PASSWORD, reset_notification_manager
from sdk.conftest import Program


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory that the program runs in; nothing of one test is left for the next."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROTA_HOME", raising=False)
    monkeypatch.delenv(PASSWORD, raising=False)
    yield tmp_path
    reset_global_scheduler()
    reset_notification_manager()
    reset_logger()


@pytest.fixture
def scheduler(folder: Path) -> Iterator[AutoCron]:
    """A scheduler that is stopped in the end, whoever starts it."""
    made = AutoCron(log_path=folder / "autocron.log", shutdown_timeout=1.0)
    yield made
    made.stop()


@pytest.fixture
def script(folder: Path) -> Callable[..., str]:
    """Make a script."""

    def make(text: str = "print('from the script')\n", name: str = "task.py") -> str:
        path = folder / name
        path.write_text(text)
        return str(path)

    return make


@pytest.fixture
def program(folder: Path) -> Iterator[Program]:
    made = Program(folder)
    made.env["PYTHONUNBUFFERED"] = "1"
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def log(folder: Path) -> Callable[[], str]:
    """Read the log of the scheduler."""
    return (folder / "autocron.log").read_text


def told(task: Any) -> tuple[int, int]:
    """Return how often a task did what it should, and how often not."""
    return task.run_count, task.fail_count


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False

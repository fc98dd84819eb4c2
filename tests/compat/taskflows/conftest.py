"""Programs of Taskflows in a directory of their own, with a home of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rota import Scheduler
from sdk.conftest import Program


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ROTA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def engine(folder: Path) -> Iterator[Scheduler]:
    """Somebody who serves the home."""
    with Scheduler(folder / "home") as made:
        yield made


@pytest.fixture
def program(folder: Path) -> Iterator[Program]:
    made = Program(folder)
    try:
        yield made
    finally:
        made.close()

"""Schedulers in this very process, and programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rota import Scheduler


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """A scheduler in memory, started."""
    with Scheduler() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


class Program:
    """A program of somebody's, which uses rota."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("ROTA_")}
        self.env["ROTA_NO_WEB"] = "1"
        self.started: list[subprocess.Popen[str]] = []

    def write(self, text: str, name: str = "program.py") -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def start(self, name: str = "program.py", *words: str) -> subprocess.Popen[str]:
        made = subprocess.Popen(
            [sys.executable, name, *words],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(made)
        return made

    def run(self, name: str = "program.py", *words: str) -> str:
        made = self.start(name, *words)
        said, _ = made.communicate(timeout=60)
        assert 0 == made.returncode, said
        return said

    def close(self) -> None:
        for each in self.started:
            if each.poll() is None:
                each.kill()
            each.wait()
            if each.stdout is not None:
                each.stdout.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    try:
        yield made
    finally:
        made.close()


def until(condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        threading.Event().wait(0.02)

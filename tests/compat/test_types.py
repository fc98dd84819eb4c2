"""What programs of others are told by a type checker: what they decorate stays what it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """\
from typing import assert_type

from rota.compat.autocron import AutoCron, schedule
from rota.compat.taskflows import run_task, task


@schedule(every="5m", retries=3, on_failure=lambda error: print(error))
def by_interval(number: int) -> str:
    return str(number)


@schedule(cron="0 9 * * *", max_memory_mb=300, name="nine")
async def by_cron() -> int:
    return 1


@schedule("5m")
def by_text(number: int) -> str:
    return str(number)


@task
def plain(number: int) -> str:
    return str(number)


@task(name="load", retries=3, timeout=5, required=True, retry_delay=0.1)
async def load(source: str) -> int:
    return len(source)


@task("by name")
def named() -> None: ...


assert_type(by_interval(1), str)
assert_type(by_text(1), str)
assert_type(schedule(plain, every="5m")(1), str)
assert_type(schedule("script.py", every="5m"), str)
assert_type(schedule("script.py", cron="0 9 * * *", name="script"), str)
assert_type(plain(1), str)
assert_type(AutoCron().add_task("task", func=by_interval, every="5m"), str)


async def main() -> None:
    assert_type(await by_cron(), int)
    assert_type(await load("here"), int)
    await run_task(plain, "name", number=1)
"""
WRONG = """\
from rota.compat.autocron import schedule
from rota.compat.taskflows import task


@schedule(every="5m", retires=3)
def work() -> None: ...


@task(name="load")
def load(number: int) -> None: ...


load("one")
"""


@pytest.fixture
def checked(tmp_path):
    """Let mypy, as strict as it can be, look at a program, and return what it says."""

    def check(text: str) -> tuple[int, str]:
        (tmp_path / "program.py").write_text(text)
        argv = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(tmp_path / "program.py")]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=300)
        return done.returncode, done.stdout

    return check


def test_what_is_decorated_keeps_its_type(checked):
    assert (0, "Success: no issues found in 1 source file\n") == checked(PROGRAM)


def test_a_word_that_does_not_exist_and_a_wrong_argument_are_seen(checked):
    code, said = checked(WRONG)
    assert 1 == code
    assert "retires" in said
    assert 'Argument 1 to "load" has incompatible type "str"; expected "int"' in said

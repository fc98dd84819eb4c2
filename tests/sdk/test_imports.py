"""What importing rota costs a program, and what it drags in."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import rota

_SECONDS = 0.06
_HEAVY = {"yaml", "pydantic", "click", "rich", "fastapi", "uvicorn", "jinja2", "apprise", "smtplib", "cloudpickle"}


def modules_after(statement: str) -> set[str]:
    words = [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"]
    return set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())


def seconds_of(statement: str) -> float:
    """Return how long a Python takes for a statement, from its start to its end: the best of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        times.append(time.perf_counter() - began)
    return min(times)


def test_a_cold_import_is_quick():
    assert seconds_of("import rota") - seconds_of("pass") <= _SECONDS


def test_an_import_brings_errors_and_nothing_else():
    assert {"rota", "rota.errors"} == {name for name in modules_after("import rota") if name.startswith("rota")}


@pytest.mark.parametrize(
    "statement",
    [
        "import rota",
        "from rota import Scheduler; Scheduler().close()",
        "import rota.compat.autocron",
    ],
)
def test_no_library_of_other_doors_is_loaded(statement):
    assert set() == _HEAVY & modules_after(statement)


def test_every_public_name_is_there():
    assert [] == [name for name in rota.__all__ if not hasattr(rota, name)]


def test_a_name_that_is_not_there_is_said():
    with pytest.raises(AttributeError, match="module 'rota' has no attribute 'Schedular'"):
        rota.Schedular  # noqa: B018 -- asking is the test

"""What job files cost: ten thousand jobs from a file to the store, and how soon an engine notices a change."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable

from bench import subject
from bench.measures import Row

JOBS, ROUNDS = 10_000, 5


def apply() -> list[Row]:
    """Apply ten thousand jobs, apply them unchanged, change one of them, and look at the difference."""
    first, same, one, touched = [], [], [], []
    for _ in range(ROUNDS):
        with subject.home() as client:
            path = _write(client.home, _jobs(JOBS))
            first.append(_seconds("apply", "-f", path, "--home", client.home))
            same.append(_seconds("apply", "-f", path, "--home", client.home))
            _write(client.home, _jobs(JOBS) + "# read again\n")
            touched.append(_seconds("apply", "-f", path, "--home", client.home))
            _write(client.home, _jobs(JOBS).replace("echo 77\n", "echo seventy-seven\n"))
            one.append(_seconds("apply", "-f", path, "--home", client.home))
    floor = statistics.median(_timed(_load_with_c) for _ in range(ROUNDS))
    rows = []
    for what, taken, aim in (
        (f"apply {JOBS:,} new jobs", first, 2.0),
        ("the same again, unchanged", same, 0.6),
        ("the same, only a comment is new", touched, None),
        ("the same, one job changed", one, None),
    ):
        took = statistics.median(taken)
        rows.append(
            Row(
                what,
                f"{took:.2f} s",
                f"{floor:.2f} s (Python, yaml.CSafeLoader)",
                f"{took / floor:.1f}",
                "" if aim is None else f"≤ {aim:g} s",
                None if aim is None else took <= aim,
            )
        )
    return rows


def served() -> list[Row]:
    """How soon a change of a served file is in the store, and what ten thousand jobs do to the engine's memory."""
    with subject.home() as client:
        path = _write(client.home, _jobs(10))
        with subject.engine(client, 4, "-f", path) as pid:
            taken = []
            for number in range(ROUNDS):
                time.sleep(1.5)
                begin = time.perf_counter()
                _write(client.home, _jobs(10, f"change {number}"))
                _until(lambda number=number: f"change {number}" in _line(client))  # type: ignore[misc]
                taken.append(time.perf_counter() - begin)
            time.sleep(1.5)
            before = subject.memory_mb(pid)
            _write(client.home, _jobs(JOBS))
            _until(lambda: client.store.jobs.count() == JOBS)
            time.sleep(3)
            grown = subject.memory_mb(pid) - before
    slowest = max(taken)
    return [
        Row("a change of a served file is applied after, at most", f"{slowest:.2f} s", "", "", "≤ 2 s", slowest <= 2),
        Row(f"engine memory after {JOBS:,} jobs came by file", f"+{grown:.1f} MB", "", "", "≤ 3 MB", grown <= 3),
    ]


def _jobs(count: int, line: str = "echo") -> str:
    return "jobs:\n" + "".join(
        f"  job-{number:05}:\n    run: {line} {number}\n    cron: '{number % 60} {number % 24} * * *'\n"
        "    timeout: 5m\n    retries: 2\n"
        for number in range(count)
    )


def _write(home: str, text: str) -> str:
    path = os.path.join(home, "jobs.yaml")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)
    return path


def _line(client: subject.Client) -> str:
    stored = client.store.jobs.find("job-00003")
    return "" if stored is None else stored.job.action.describe()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the change was not applied in time")
        time.sleep(0.01)


def _seconds(*words: str) -> float:
    return _timed(lambda: subprocess.run([subject.ROTA, *words], check=True, stdout=subprocess.DEVNULL))


def _load_with_c() -> None:
    code = "import sys, yaml; yaml.load(sys.stdin, Loader=yaml.CSafeLoader)"
    python = os.path.join(os.path.dirname(subject.ROTA), "python")
    subprocess.run([python, "-c", code], input=_jobs(JOBS).encode(), check=True)


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


ALL = (apply, served)

"""The same work by other schedulers, where they are installed (`pip install rota[bench]`)."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def or_none(measure: Callable[[int, int], T], first: int, second: int) -> T | None:
    """Measure, or None where the peer is not installed."""
    try:
        return measure(first, second)
    except ImportError:
        return None


def huey_on_sqlite(count: int, concurrency: int) -> float:
    """Runs per second of `true` by Huey, with its queue and results in SQLite, synced to disk as rota does."""
    from huey import SqliteHuey

    done = threading.Semaphore(0)
    with tempfile.TemporaryDirectory() as directory:
        huey = SqliteHuey("bench", filename=f"{directory}/huey.db", fsync=True)

        @huey.task()
        def work() -> tuple[int, bytes, bytes]:
            ended = subprocess.run(["/bin/true"], capture_output=True, check=False)
            done.release()
            return ended.returncode, ended.stdout, ended.stderr

        for _ in range(count):
            work()
        consumer = huey.create_consumer(workers=concurrency, worker_type="thread", periodic=False, initial_delay=0.01)
        begin = time.perf_counter()
        consumer.start()
        for _ in range(count):
            done.acquire()
        seconds = time.perf_counter() - begin
        consumer.stop(graceful=True)
        return count / seconds


def apscheduler_on_sqlite(jobs: int, seconds: int) -> list[float]:
    """How late APScheduler 3 starts `true`, so many due each second, with its jobs in SQLite."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    with tempfile.TemporaryDirectory() as directory:
        scheduler = BackgroundScheduler(
            jobstores={"default": {"type": "sqlalchemy", "url": f"sqlite:///{directory}/jobs.db"}},
            executors={"default": ThreadPoolExecutor(jobs)},
            timezone="UTC",
        )
        for number in range(jobs):
            scheduler.add_job(start_true, "cron", second="*", id=str(number), misfire_grace_time=60)
        _late.clear()
        scheduler.start()
        time.sleep(seconds + 2)
        scheduler.shutdown(wait=True)
    return _late[jobs * 2 :] or [0.0]


_late: list[float] = []


def start_true() -> None:
    """Start `true` and note how long after the second it began."""
    process = subprocess.Popen(["/bin/true"])
    _late.append(time.time() % 1.0)
    process.wait()


def apscheduler_commands(count: int, concurrency: int) -> float:
    """Runs per second of `true` by APScheduler 3 in memory, with output and exit code taken as rota takes them."""
    return _apscheduler_in_memory(run_true, count, concurrency)


def apscheduler_functions(count: int, concurrency: int) -> float:
    """Runs per second of a function that does nothing."""
    return _apscheduler_in_memory(nothing, count, concurrency)


def run_true() -> tuple[int, bytes, bytes]:
    """Run `true`, and return what came of it."""
    ended = subprocess.run(["/bin/true"], capture_output=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def nothing() -> None:
    """Do nothing."""


def _apscheduler_in_memory(work: Callable[[], object], count: int, concurrency: int) -> float:
    from apscheduler.events import EVENT_JOB_EXECUTED
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    done = threading.Semaphore(0)
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(concurrency)}, timezone="UTC")
    scheduler.add_listener(lambda _: done.release(), EVENT_JOB_EXECUTED)
    scheduler.start()
    begin = time.perf_counter()
    for _ in range(count):
        scheduler.add_job(work, misfire_grace_time=None)
    for _ in range(count):
        done.acquire()
    seconds = time.perf_counter() - begin
    scheduler.shutdown(wait=True)
    return count / seconds


DURABLE = {"Huey on SQLite": huey_on_sqlite}
PUNCTUAL = {"APScheduler 3 on SQLite": apscheduler_on_sqlite}

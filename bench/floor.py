"""The floors: the least that anybody could do for the same result, in the plainest loop, with the same shim."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

SHIM = (Path(__file__).parents[1] / "src" / "rota" / "process" / "shim.sh").read_text(encoding="utf-8")


class ShimLoop:
    """Starts shims with their output in reused files and a journal, and waits for them; records nothing."""

    def __init__(self, concurrency: int) -> None:
        self.directory = tempfile.mkdtemp(prefix="rota-floor-")
        low = os.open(f"{self.directory}/journal", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.journal = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, 10)
        os.close(low)
        self.free = list(range(concurrency))
        self.live: dict[int, int] = {}
        self.env = dict(os.environ)
        for place in self.free:
            for name in (f"{place}.out", f"{place}.err"):
                Path(self.directory, name).touch()

    def start(self) -> None:
        place = self.free.pop()
        appending = os.O_WRONLY | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, f"{self.directory}/{place}.out", appending, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, self.journal, 3),
            (os.POSIX_SPAWN_OPEN, 4, f"{self.directory}/{place}.err", appending, 0),
        ]
        words = ["sh", "-c", SHIM, "rota", "0" * 26, "1", "1024", "-", "/", "/bin/true"]
        pid = os.posix_spawn("/bin/sh", words, self.env, file_actions=actions, setsid=True)
        self.live[pid] = place

    def wait_one(self) -> None:
        pid, _ = os.wait()
        self.free.append(self.live.pop(pid))

    def close(self) -> None:
        while self.live:
            self.wait_one()
        os.close(self.journal)
        shutil.rmtree(self.directory)


def runs_per_second(count: int, concurrency: int) -> float:
    loop = ShimLoop(concurrency)
    begin = time.perf_counter()
    for _ in range(count):
        if not loop.free:
            loop.wait_one()
        loop.start()
    while loop.live:
        loop.wait_one()
    rate = count / (time.perf_counter() - begin)
    loop.close()
    return rate


def bare_runs_per_second(count: int, concurrency: int) -> float:
    """Without a shim: what a scheduler that outlives nothing could do."""
    live = 0
    begin = time.perf_counter()
    for _ in range(count):
        if live == concurrency:
            os.wait()
            live -= 1
        os.posix_spawn("/bin/true", ["true"], os.environ)
        live += 1
    for _ in range(live):
        os.wait()
    return count / (time.perf_counter() - begin)


def burst_seconds(count: int) -> float:
    """The time in which the last of so many has started."""
    loop = ShimLoop(count)
    begin = time.perf_counter()
    for _ in range(count):
        loop.start()
    seconds = time.perf_counter() - begin
    loop.close()
    return seconds


def burst_lateness(jobs: int, seconds: int) -> list[float]:
    """Start so many each second, on the second, and return how late each has started."""
    loop = ShimLoop(jobs * 2)
    late = []
    due = int(time.time()) + 2
    for _ in range(seconds):
        time.sleep(max(0.0, due - time.time()))
        for _ in range(jobs):
            loop.start()
            late.append(time.time() - due)
        while loop.live:
            loop.wait_one()
        due += 1
    loop.close()
    return late


def timer_lateness(seconds: int) -> list[float]:
    """How late a bare timer is, and one spawn after it."""
    return burst_lateness(1, seconds)

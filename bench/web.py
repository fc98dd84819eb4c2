"""What REST answers cost, whole: a real web process on a home, asked over loopback."""

from __future__ import annotations

import re
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection

from bench import subject

TIMES = 7
PATHS = (
    "/jobs",
    "/jobs?text=99",
    "/jobs?tag=nothing",
    "/jobs?state=lost",
    "/runs",
    "/runs?state=failed",
    "/runs?state=cancelled",
    "/runs?text=99",
    "/runs?tag=nothing",
    "/runs?text=job&state=trouble",
    "/summary",
    "/timeline",
    "/load",
)


def answers(home: str, paths: Sequence[str]) -> dict[str, float]:
    """Return how many milliseconds each answer takes, the median of some."""
    with _serving(home) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            return {path: statistics.median(_ms(connection, path) for _ in range(TIMES)) for path in paths}
        finally:
            connection.close()


def _ms(connection: HTTPConnection, path: str) -> float:
    begin = time.perf_counter()
    connection.request("GET", f"/api/v1{path}")
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return (time.perf_counter() - begin) * 1000


@contextmanager
def _serving(home: str) -> Iterator[int]:
    words = [subject.ROTA, "--home", home, "web", "--port", "0"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        found = re.search(rb"http://[\d.]+:(\d+)", process.stderr.readline())
        if found is None:
            raise RuntimeError("the web process did not start")
        yield int(found[1])
    finally:
        process.terminate()
        process.communicate()

"""Processes that work side by side: started, let go together, and asked what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import msgspec

_READY = b"ready\n"


class Crew:
    """Some processes of one module of `bench`, each with its words."""

    def __init__(self, module: str, words: Sequence[Sequence[str]]) -> None:
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", f"bench.{module}", *each], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for each in words
        ]
        for process in self.processes:
            assert process.stdout is not None
            if process.stdout.readline() != _READY:
                raise RuntimeError(f"bench.{module} did not begin")

    def go(self) -> None:
        """Let all begin."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()

    def results(self) -> list[Any]:
        """Tell those who wait for it to end, wait for all, and return what each says."""
        found = []
        for process in self.processes:
            said, _ = process.communicate()
            if process.returncode:
                raise RuntimeError("one of a crew has failed")
            found.append(msgspec.json.decode(said))
        return found

    def seconds(self) -> float:
        """Let all begin, and return the seconds until the last was done, by what each says."""
        begin = time.monotonic()
        self.go()
        return float(max(self.results()) - begin)

    def close(self) -> None:
        """End whoever is left."""
        for process in self.processes:
            process.kill()
            process.communicate()


def wait_for_go() -> None:
    """Say that all is prepared, and wait until all may begin."""
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()
    sys.stdin.readline()


def say(result: object) -> None:
    """Say what came of it."""
    sys.stdout.write(msgspec.json.encode(result).decode())

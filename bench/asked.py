"""What the web process does to the engine beside it: how late runs start alone, asked, with it killed, with streams.

All phases are of one engine that serves its pages as it always does, and take turns: what the machine does besides
comes to all of them alike. Ratios are medians over the rounds, each to the phase without requests of the same round.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench import floor, subject
from bench.measures import Row, percentile
from bench.visitors import Asked, Listened, Visitors
from rota.model.access import Kind, Role
from rota.model.settlement import RunFilter
from rota.wiring.client import Client

ROUNDS = int(os.environ.get("ROTA_BENCH_ROUNDS", "2"))
SECONDS, REQUESTS, STREAMS = 6, 200, 500
_MOST_STREAMS = 600
_PATIENCE = 30.0
ALONE, ASKED, KILLED, LISTENED = (
    "alone",
    f"with {REQUESTS} requests a second",
    "the same, its process killed with -9 in the middle",
    f"with {STREAMS} streams of events",
)


class _Phases(msgspec.Struct):
    """What was measured, by phase; how late runs started, by phase and round."""

    late: dict[str, list[list[float]]]
    asked: dict[str, Asked]
    listened: list[Listened]
    cpu: float = 0.0
    """Seconds that the web process had for requests."""
    memory: list[tuple[float, float, float]] = []
    """Megabytes of the web process before, with and after streams."""
    left: int = 0
    """How many descriptors there were more after the streams than before."""


class _Beside:
    """An engine with its web process, and the phases that they go through."""

    def __init__(self, client: Client, engine: int, port: int) -> None:
        self._client, self._engine, self._port = client, engine, port
        self._token = _token(client)
        self.found = _Phases({name: [] for name in (ALONE, ASKED, KILLED, LISTENED)}, {}, [])
        self._spans: dict[str, list[tuple[float, float]]] = {name: [] for name in self.found.late}
        self._wait_until(self._answers)
        self._wait_until(lambda: bool(client.store.runs.page(RunFilter(state="succeeded"), None, 1)))
        self._run = client.store.runs.page(RunFilter(), None, 1)[0].id

    def round(self) -> None:
        """Go through each phase once."""
        for phase in (self._alone, self._ask, self._kill, self._listen):
            self._wait_until(self._answers)
            phase()

    def _begin(self, name: str) -> None:
        """Begin in the middle of a second, and have the slots of whole seconds."""
        time.sleep(1.5 - time.time() % 1)
        self._spans[name].append((time.time() + 0.25, time.time() + SECONDS))

    def sort(self) -> _Phases:
        """Sort all runs by phase and round."""
        runs = [run for run in subject.all_runs(self._client) if run.slot and run.lateness is not None]
        for name, spans in self._spans.items():
            self.found.late[name] = [
                [run.lateness for run in runs if run.slot and run.lateness is not None and _is_in(run.slot, span)]
                for span in spans
            ]
        return self.found

    def _alone(self) -> None:
        self._begin(ALONE)
        time.sleep(SECONDS)

    def _ask(self) -> None:
        self._begin(ASKED)
        before = subject.cpu_seconds(self._web)
        self._note(ASKED, self._visitors("ask", REQUESTS).asked())
        self.found.cpu += subject.cpu_seconds(self._web) - before

    def _kill(self) -> None:
        self._begin(KILLED)
        visitors = self._visitors("ask", REQUESTS)
        time.sleep(SECONDS / 2)
        os.kill(self._web, signal.SIGKILL)
        self._note(KILLED, visitors.asked())

    def _listen(self) -> None:
        web, before = self._web, subject.memory_mb(self._web)
        descriptors = _descriptors(web)
        visitors = self._visitors("listen", STREAMS)
        visitors.wait_until_ready()
        self._begin(LISTENED)
        time.sleep(SECONDS)
        during = subject.memory_mb(web)
        self.found.listened.append(visitors.listened())
        deadline = time.monotonic() + _PATIENCE
        while _descriptors(web) > descriptors + 8 and time.monotonic() < deadline:  # a pool may have grown by a store
            time.sleep(0.05)
        self.found.left = max(self.found.left, _descriptors(web) - descriptors)
        self.found.memory.append((before, during, subject.memory_mb(web)))

    def too_many(self) -> Listened:
        """Open more streams than there may be."""
        visitors = self._visitors("listen", _MOST_STREAMS + 50)
        visitors.wait_until_ready()
        return visitors.listened()

    def _visitors(self, what: str, count: int) -> Visitors:
        return Visitors(what, self._port, count, SECONDS, self._token, self._run)

    def _note(self, name: str, asked: Asked) -> None:
        before = self.found.asked.setdefault(name, Asked([], 0))
        before.took += asked.took
        before.failed += asked.failed

    @property
    def _web(self) -> int:
        """The pid of the web process that runs now."""
        children = Path(f"/proc/{self._engine}/task/{self._engine}/children").read_text(encoding="ascii").split()
        return next(int(pid) for pid in children if b"\0web\0" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), 1).close()
        except OSError:
            return False
        return True

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError("what was waited for did not come in time")
            time.sleep(0.1)


def _token(client: Client) -> str:
    client.accounts.add_user("visitor", Role.ADMIN, "seven small green frogs")
    return client.accounts.issue("visitor", Kind.TOKEN).secret


def _is_in(slot: object, span: tuple[float, float]) -> bool:
    return span[0] <= slot.timestamp() < span[1]  # type: ignore[attr-defined]


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _measure(jobs: int) -> list[Row]:
    bare = floor.burst_lateness(jobs, SECONDS * ROUNDS)
    port = _free_port()
    with subject.home() as client:
        subject.seed_jobs(client, jobs, "cron", "* * * * * *")
        with subject.engine(client, jobs * 2, web=port) as engine:
            beside = _Beside(client, engine, port)
            for _ in range(ROUNDS):
                beside.round()
            refused = beside.too_many()
        found = beside.sort()
    return [*_lateness_rows(jobs, found, bare), *_request_rows(jobs, found), *_stream_rows(jobs, found, refused)]


def _lateness_rows(jobs: int, found: _Phases, bare: list[float]) -> list[Row]:
    quiet = found.late[ALONE]
    rows = []
    for name, rounds in found.late.items():
        what = f"{jobs} due each second, {name}: lateness p50 / p99 / max"
        if name == ALONE:
            all_of_them = [each for one in rounds for each in one]
            ratio = percentile(all_of_them, 0.5) / percentile(bare, 0.5)
            rows.append(Row(what, _three(all_of_them), f"{_three(bare)} (bare loop)", f"{ratio:.2f}", "", None))
            continue
        ratios = [percentile(one, 0.5) / percentile(alone, 0.5) for one, alone in zip(rounds, quiet, strict=True)]
        ratio = statistics.median(ratios)
        spread = f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        shown = _three([each for one in rounds for each in one])
        rows.append(Row(what, shown, "alone", spread, "≤ 1.1", ratio <= 1.1))
    return rows


def _request_rows(jobs: int, found: _Phases) -> list[Row]:
    rows = [
        Row(
            f"requests, {jobs} due each second, {name}: p50 / p99 / max",
            _three(asked.took),
            "",
            "",
            "",
            None,
        )
        for name, asked in found.asked.items()
    ]
    asked, killed = found.asked[ASKED], found.asked[KILLED]
    rows.append(
        Row("requests answered, and failed; with it killed", f"{_counts(asked)}; {_counts(killed)}", "", "", "", None)
    )
    rows.append(Row("CPU a request", f"{found.cpu / len(asked.took) * 1000:.2f} ms", "", "", "", None))
    return rows


def _stream_rows(jobs: int, found: _Phases, refused: Listened) -> list[Row]:
    before, during, after = (max(each) for each in zip(*found.memory, strict=True))
    got = sum(one.bytes for one in found.listened) / len(found.listened) / SECONDS / 1e6
    opened = min(one.opened for one in found.listened)
    return [
        Row(
            f"{opened} streams, {jobs} due each second: memory of the web process before / with them / after",
            f"{before:.1f} / {during:.1f} / {after:.1f} MB",
            "",
            "",
            "",
            None,
        ),
        Row(
            "what they are sent; streams cut; descriptors left",
            f"{got:.1f} MB/s; {sum(one.ended for one in found.listened)}; {found.left}",
            "",
            "",
            "",
            None,
        ),
        Row(
            f"{_MOST_STREAMS + 50} streams asked for: served, and refused with 503",
            f"{refused.opened}, {refused.refused}",
            "",
            "",
            f"{_MOST_STREAMS}, 50",
            (refused.opened, refused.refused) == (_MOST_STREAMS, 50),
        ),
    ]


def _three(seconds: list[float]) -> str:
    p50, p99, most = (percentile(seconds, share) * 1000 for share in (0.5, 0.99, 1.0))
    return f"{p50:.1f} / {p99:.1f} / {most:.1f} ms"


def _counts(asked: Asked) -> str:
    return f"{len(asked.took):,} and {asked.failed:,}"


def dense_asked() -> list[Row]:
    """Sixty jobs due each second."""
    return _measure(60)


def calm_asked() -> list[Row]:
    """Five jobs due each second."""
    return _measure(5)


ALL = (dense_asked, calm_asked)

"""Simulated time: processes are generators that wait for seconds, a place, or to be woken. None of it knows rota."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator
from itertools import count

Process = Generator["float | Places | Bell", None, None]
"""It yields seconds to wait, places of which it needs one, or a bell that it waits for."""


class Simulation:
    """Time, and what happens next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._stopped = False
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Let something happen; what comes at one instant comes in the order in which it was asked for."""
        heapq.heappush(self._coming, (when, next(self._numbers), what))

    def begin(self, process: Process) -> None:
        """Let a process go until it waits, and so on until its end."""
        try:
            wanted = next(process)
        except StopIteration:
            return
        if isinstance(wanted, float):
            self.at(self.now + wanted, lambda: self.begin(process))
        else:
            wanted.wait(lambda: self.at(self.now, lambda: self.begin(process)))

    def run(self, until: float) -> None:
        """Let all happen that comes before an instant, or until told to stop."""
        while self._coming and self._coming[0][0] <= until:
            self.now, _, what = heapq.heappop(self._coming)
            what()
            if self._stopped:
                return
        self.now = until

    def stop(self) -> None:
        """Let nothing more happen."""
        self._stopped = True


class Places:
    """So many places; who finds none waits in line. How long they were taken is counted."""

    def __init__(self, simulation: Simulation, number: int) -> None:
        self._simulation = simulation
        self._free = self._number = number
        self._line: deque[Callable[[], None]] = deque()
        self._busy = self._since = 0.0

    def wait(self, go: Callable[[], None]) -> None:
        """Call when a place is taken for whoever waits."""
        self._count()
        if self._free:
            self._free -= 1
            go()
        else:
            self._line.append(go)

    def leave(self) -> None:
        """Give a place back."""
        self._count()
        if self._line:
            self._line.popleft()()
        else:
            self._free += 1

    def used(self) -> float:
        """Return which share of all places was taken, on average so far."""
        self._count()
        return self._busy / (self._number * self._simulation.now) if self._simulation.now else 0.0

    def _count(self) -> None:
        self._busy += (self._number - self._free) * (self._simulation.now - self._since)
        self._since = self._simulation.now


class Bell:
    """Wakes one who waits for it; rung before, it wakes at once."""

    def __init__(self) -> None:
        self._rung = False
        self._waiting: Callable[[], None] | None = None

    def ring(self) -> None:
        """Wake, or remember that it was rung."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            self._rung = True
        else:
            waiting()

    def wait(self, go: Callable[[], None]) -> None:
        """Call when it rings."""
        if self._rung:
            self._rung = False
            go()
        else:
            self._waiting = go

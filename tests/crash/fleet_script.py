"""What happens to a fleet, and when: drawn from a seed, before anything begins."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from .fleet_jobs import JOBS
from .networks import Cut

HOSTS = ("one", "two", "three")
OTHER_TIMES, SMALL_DISK = "two", "three"
"""The host whose clock is set, and the host whose disk fills."""
LONG_OUTAGE = 45.0
_LONG = 150.0
"""A performance that is shorter than this has a short outage instead."""
_AN_HOUR = 3600


class Deed(msgspec.Struct, frozen=True, order=True):
    """Something that is done to the fleet."""

    at: float
    kind: str
    target: str = ""
    """A host, or a job."""
    lasts: float = 0.0
    how: str = ""

    def __str__(self) -> str:
        words = f"{self.kind} {self.target} {self.how}".split()
        return " ".join(words) + (f" for {self.lasts:.1f} s" if self.lasts else "")


def script(seed: int, seconds: float) -> list[Deed]:
    """Return what is done within so many seconds, in order."""
    chance = random.Random(seed)
    deeds = [*_database(chance, seconds), *_clock(chance, seconds), *_disk(chance, seconds), *_people(chance, seconds)]
    for host in HOSTS:
        deeds += _troubles(chance, host, seconds)
    return sorted(deeds)


def _database(chance: random.Random, seconds: float) -> Iterator[Deed]:
    """One outage, and restarts before and after it."""
    lasts = LONG_OUTAGE if seconds >= _LONG else 6.0
    begins = chance.uniform(0.35, 0.5) * seconds
    yield Deed(begins, "outage", lasts=lasts)
    yield Deed(chance.uniform(0.15, 0.3) * seconds, "restart", how=chance.choice(("fast", "immediate")))
    at = begins + lasts + chance.uniform(3, 10)
    while at < seconds - 2:
        yield Deed(at, "restart", how=chance.choice(("fast", "immediate")))
        at += chance.uniform(30, 60)


def _troubles(chance: random.Random, host: str, seconds: float) -> Iterator[Deed]:
    """What happens to a host's engine and link, one after another: each kind as often as any other."""
    at = chance.uniform(1, 4)
    hand: list[str] = []
    while True:
        if not hand:
            hand = ["kill", "stop", "cut"]
            chance.shuffle(hand)
        kind = hand.pop()
        lasts = chance.uniform(1.5, 10)
        if kind == "kill" and chance.random() < 0.5:
            lasts = chance.uniform(0, 0.5)  # soon enough to go on with what it had
        if at + lasts > seconds:
            return
        yield Deed(at, kind, host, lasts, chance.choice(list(Cut)) if kind == "cut" else "")
        at += lasts + chance.uniform(1, 8)


def _clock(chance: random.Random, seconds: float) -> Iterator[Deed]:
    """One host's clock is an hour off, one way or the other."""
    at = chance.uniform(2, 8)
    while at < seconds - 2:
        lasts = min(chance.uniform(5, 25), seconds - at)
        yield Deed(at, "clock", OTHER_TIMES, lasts, f"{chance.choice((1, -1)) * _AN_HOUR:+d}")
        at += lasts + chance.uniform(2, 15)


def _disk(chance: random.Random, seconds: float) -> Iterator[Deed]:
    """One host's disk is full, for a while."""
    at = chance.uniform(3, 10)
    while at < seconds - 2:
        lasts = min(chance.uniform(3, 12), seconds - at)
        yield Deed(at, "disk", SMALL_DISK, lasts)
        at += lasts + chance.uniform(10, 30)


def _people(chance: random.Random, seconds: float) -> Iterator[Deed]:
    """People ask for runs, and for ends of some."""
    at = 0.0
    while (at := at + chance.uniform(0.3, 2)) < seconds:
        yield Deed(at, "trigger", chance.choice(("by-hand", "by-hand", chance.choice(list(JOBS)))))
        if chance.random() < 0.3:
            yield Deed(at, "cancel", chance.choice(list(JOBS)))

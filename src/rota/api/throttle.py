"""Patience with people who guess: after a few tries each further one costs a longer pause.

Tries are counted before they are looked at, so that many at once are no way around it, and one that comes in a pause is
not looked at at all: it costs neither time nor memory. A name is paused for a minute at most, because whoever only
knows it could otherwise keep its owner out; an address for a quarter of an hour.

What is remembered is bounded. Whoever has so many addresses that the oldest are forgotten has few tries from each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

import msgspec

from rota.clock import SystemClock

_FREE = 5
"""So many tries are nobody's fault."""
_FIRST = 1.0
_LONGEST_FOR_NAME, _LONGEST_FOR_ADDRESS = 60.0, 900.0
_FORGOTTEN = 3600.0
_MOST_KEYS = 10_000


class Key(NamedTuple):
    """What tries are counted by."""

    text: str
    longest: float


class _Count(msgspec.Struct):
    tries: int = 0
    until: float = 0.0
    last: float = 0.0


class Throttle:
    """Counts tries, in any thread."""

    def __init__(self, most: int = _MOST_KEYS, monotonic: Callable[[], float] | None = None) -> None:
        self._most = most
        self._monotonic = monotonic or SystemClock().monotonic
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def enter(self, keys: Iterable[Key]) -> float:
        """Count a try and return 0; or return for how many seconds there is no next one, and count nothing."""
        monotonic = self._monotonic()
        with self._lock:
            counts = [(key, self._count(key.text, monotonic)) for key in keys]
            rest = max(count.until - monotonic for _, count in counts)
            if rest > 0:
                return rest
            for key, count in counts:
                count.tries, count.last = count.tries + 1, monotonic
                if count.tries > _FREE:
                    # beyond 30 doublings it is the longest in any case
                    pause = _FIRST * 2 ** min(count.tries - _FREE - 1, 30)
                    count.until = monotonic + min(pause, key.longest)
            return 0.0

    def forgive(self, name: Key, others: Iterable[Key]) -> None:
        """Somebody knew the password: their name starts anew, and the try does not count for their address.

        An address does not start anew: whoever has an account of their own could guess another's in between.
        """
        with self._lock:
            self._counts.pop(name.text, None)
            for key in others:
                count = self._counts.get(key.text)
                if count is not None:
                    count.tries, count.until = max(0, count.tries - 1), 0.0

    def _count(self, text: str, monotonic: float) -> _Count:
        count = self._counts.get(text)
        if count is None or monotonic - max(count.last, count.until) > _FORGOTTEN:
            count = self._counts[text] = _Count()
        self._counts.move_to_end(text)
        while len(self._counts) > self._most:
            self._counts.popitem(last=False)
        return count


def name_key(name: str) -> Key:
    """Return what tries on a name are counted by; of a fixed size, whatever was typed."""
    return Key("name:" + sha256(name.casefold().encode()).hexdigest(), _LONGEST_FOR_NAME)


def party_key(party: str) -> Key:
    """Return what tries from somewhere are counted by: see callers.party_of."""
    return Key(f"from:{party}", _LONGEST_FOR_ADDRESS)

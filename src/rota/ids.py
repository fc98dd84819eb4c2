"""Identifiers: run ids that sort by the time they were made, the id of a home; and secrets."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O or U to misread
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
HOME_ID_LENGTH = 16
RUN_ID_LENGTH = 26


class RunIds:
    """Makes run ids: 48 bits of milliseconds, then 80 random bits that count up within one millisecond."""

    def __init__(self) -> None:
        self._last = 0

    def new(self, now: datetime) -> str:
        """Return an id greater than every id that this maker made before."""
        fresh = ((now - _EPOCH) // _MILLISECOND) << 80 | int.from_bytes(os.urandom(10), "big")
        self._last = max(fresh, self._last + 1)
        return _encode(self._last)


def first_run_id(instant: datetime) -> str:
    """Return the smallest id that a run made at this instant could have: a bound for queries."""
    return _encode(max(0, (instant - _EPOCH) // _MILLISECOND) << 80)


def is_run_id(text: str) -> bool:
    """Tell whether a text has the form of a run id."""
    return len(text) == RUN_ID_LENGTH and all(letter in _ALPHABET for letter in text.upper())


def new_home_id() -> str:
    """Return a random id for a home: it stays when the machine is renamed."""
    return os.urandom(HOME_ID_LENGTH // 2).hex()


def is_home_id(text: str) -> bool:
    """Tell whether a text has the form of a home's id."""
    return len(text) == HOME_ID_LENGTH and all(letter in "0123456789abcdef" for letter in text)


def _encode(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])


def new_secret() -> str:
    """Return 256 random bits as text, of letters, digits, '-' and '_'."""
    from secrets import token_urlsafe

    return token_urlsafe(32)


def short_id() -> str:
    """Return an id that people can type, for things of which there are few."""
    return os.urandom(6).hex()

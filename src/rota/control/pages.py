"""Lists in pages, and the cursors between them.

A page ends with a cursor, which says what the next page begins after. So what comes or goes meanwhile neither repeats
nor hides anything. A cursor is opaque to whoever holds it; one that was not made here is refused.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Generic, TypeVar

import msgspec

from rota.errors import UsageError

T = TypeVar("T")
P = TypeVar("P", bound=msgspec.Struct)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some of a list, and how to get more of it; no cursor: that was all."""

    items: list[T]
    next: str | None


def sealed(place: msgspec.Struct) -> str:
    """Return the cursor of a place in a list; each kind of list has a kind of place."""
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def opened(cursor: str, kind: type[P]) -> P:
    """Read a cursor of this kind of list."""
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        shown = cursor if len(cursor) <= 40 else f"{cursor[:40]}…"
        raise UsageError(f"{shown!r} is no cursor of this list; take the `next` of the page before") from None

"""Where a home was last seen, so that a copy of it can be told from the home itself.

A home's id is in the mark of everything that its jobs start. Two homes with one id would each take the other's
processes for its own, and kill them. A directory that was moved, or restored from a backup, is still the same home:
the place it came from is gone, or holds something else. A copy is known by its original, which is still there.
"""

from __future__ import annotations

import os

import msgspec

_STORES = ("rota.db", "rota.store")
"""A home's store, or what it remembers of one elsewhere."""


class Place(msgspec.Struct, frozen=True):
    """A home's directory, as it was when it was last looked at."""

    path: str
    device: int
    inode: int


def place_of(home: str) -> Place:
    """Look at a home's directory."""
    found = os.stat(home)
    return Place(os.path.realpath(home), found.st_dev, found.st_ino)


def is_copy(home: Place, recorded: Place) -> bool:
    """Tell whether a home that says it is at the recorded place is a copy of the one that is there.

    1. The same directory, under whatever path: a bind mount, a link.
    2. Nothing there, another directory, or one without a store: it was moved here.
    3. The device says nothing: its number changes when the machine restarts.
    """
    if home.path == recorded.path:
        return False
    try:
        there = place_of(recorded.path)
    except OSError:
        return False
    if (there.device, there.inode) == (home.device, home.inode):
        return False
    return there.inode == recorded.inode and any(os.path.exists(os.path.join(recorded.path, name)) for name in _STORES)


def encode_place(place: Place) -> str:
    """Write a place as a fact of the store."""
    return msgspec.json.encode(place).decode()


def decode_place(text: str) -> Place:
    """Read one."""
    return msgspec.json.decode(text, type=Place)

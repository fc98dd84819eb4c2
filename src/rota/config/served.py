"""What an engine must know of the job files that it serves, besides their jobs.

Whoever applies files leaves this in the store, in the same transaction: the engine reads no files, and imports nothing
that does.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

Seen = list[tuple[str, int, int, int, int]]


class Served(msgspec.Struct, frozen=True):
    """What files say about the engine, and what else was read with them."""

    inputs: tuple[str, ...] = ()
    """Absolute paths: a change of one of these is a change of the files. See engine/reloading.py for their endings."""
    read_as: dict[str, tuple[str, int, int, int, int]] = {}
    """How some of them looked when they were read; see engine/reloading.py."""
    capacity: int | None = None
    max_running: int | None = None
    log_file: str = ""
    web: bool = True


def served_key(digest: str) -> str:
    """Return the name under which the store keeps this, for files of a digest (see fingerprint.py)."""
    return f"served:{digest}"


def encode_served(served: Served) -> str:
    """Return it as text for the store."""
    return msgspec.json.encode(served).decode()


def decode_served(text: str) -> Served:
    """Return what is in the store; what this version cannot read is as if nothing had been said."""
    try:
        return msgspec.json.decode(text, type=Served)
    except msgspec.DecodeError:
        return Served()


def with_inputs(roots: Sequence[str], served: Served) -> dict[str, Seen | None]:
    """Return everything that is to be watched, each with how it looked when it was read, as far as that is known."""
    return {path: [read] if (read := served.read_as.get(path)) else None for path in (*roots, *served.inputs)}


def with_more(served: Served, more: Served) -> Served:
    """Return what was known, with what else was read by somebody who could not apply it."""
    inputs = tuple(dict.fromkeys((*served.inputs, *more.inputs)))
    return msgspec.structs.replace(served, inputs=inputs, read_as={**served.read_as, **more.read_as})

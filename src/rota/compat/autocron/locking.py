"""One program at a time: a lock that several processes heed, and that the system lets go with its holder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


class Taken(Exception):
    """Somebody else holds the lock."""


@contextmanager
def locked(path: str | os.PathLike[str], *, wait: bool = True) -> Iterator[None]:
    """Hold a lock, which is a file of its own; without `wait`, raise Taken where somebody else has it."""
    import fcntl

    path = os.path.abspath(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    except BlockingIOError:
        raise Taken(path) from None
    finally:
        os.close(descriptor)

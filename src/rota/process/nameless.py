"""Content for a process that is in no file with a name: nobody else can read it, and it goes with its last reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def nameless(content: bytes | None) -> Iterator[int | None]:
    """Give a descriptor to read content from that is in no file with a name; None where there is none."""
    if content is None:
        yield None
        return
    with open_nameless() as file:
        file.write(content)
        file.seek(0)
        yield file.fileno()


def open_nameless() -> IO[bytes]:
    """Open a file to read and write that has no name."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("rota"), "w+b")
    from tempfile import TemporaryFile

    return TemporaryFile()

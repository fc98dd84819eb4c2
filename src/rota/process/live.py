"""Reading what running attempts write, from the spool's own files, beside the engine that owns them.

A reader holds the two files open. As long as it does, the engine neither empties nor reuses them (see spool.py): what
was written before the attempt's end can still be read after it. Whoever opens a place must look at the store once more
afterwards: only if the run is still running there do these files belong to it.

The middle of a runaway log may be given back to the disk while it is read. Holes are only ever made, never filled, so
what was read is true if there is no hole in its range afterwards.
"""

from __future__ import annotations

import os

from rota.model.run import Run
from rota.ports import Piece

_FILES = {"stdout": ".out", "stderr": ".err"}
_AT_ONCE = 1 << 16


class SpoolReader:
    """See ports.LiveOutputs."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def open(self, run: Run) -> SpoolFiles | None:
        """Open the files of a run that runs here; None when they are gone."""
        return None if run.spool is None else self.open_place(run.spool)

    def open_place(self, spool: str) -> SpoolFiles | None:
        """Open the files of a place, named '<journal segment>/<slot>'; None when they are gone."""
        base = os.path.join(self._directory, spool.rpartition("/")[2])
        fds: dict[str, int] = {}
        try:
            for stream, suffix in _FILES.items():
                fds[stream] = os.open(base + suffix, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            for fd in fds.values():
                os.close(fd)
            return None
        return SpoolFiles(fds)


class SpoolFiles:
    """See ports.LiveOutput."""

    def __init__(self, fds: dict[str, int]) -> None:
        self._fds = fds

    def read(self, stream: str, offset: int) -> Piece:
        """Return what a stream holds from an offset on, up to the next hole; nothing when there is no more yet.

        1. A file that is shorter than the offset was emptied: begin again.
        2. Step over a hole.
        3. Read, and look whether the range has become a hole meanwhile: then try again from there.
        """
        fd = self._fds[stream]
        size = os.fstat(fd).st_size
        emptied = size < offset
        start = 0 if emptied else offset
        dropped = 0
        while start < size:
            data = _next_data(fd, start, size)
            dropped += data - start
            start = data
            content = os.pread(fd, min(_AT_ONCE, _next_hole(fd, start, size) - start), start)
            if _next_data(fd, start, size) == start and _next_hole(fd, start, size) >= start + len(content):
                return Piece(content, start + len(content), dropped, emptied)
            if not content:
                break  # it was emptied just now; the next look will see that
        return Piece(b"", start, dropped, emptied)

    def close(self) -> None:
        """Let the files go."""
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}


class Nothing:
    """See ports.LiveOutput: what writes nothing."""

    def read(self, stream: str, offset: int) -> Piece:  # noqa: ARG002 -- the protocol's
        """Return that there is nothing."""
        return Piece(b"", offset)

    def close(self) -> None:
        """Nothing is held."""


def _next_data(fd: int, start: int, size: int) -> int:
    if start >= size or not hasattr(os, "SEEK_DATA"):
        return start
    try:
        return min(size, os.lseek(fd, start, os.SEEK_DATA))
    except OSError:
        return size  # ENXIO: nothing but a hole up to the end


def _next_hole(fd: int, start: int, size: int) -> int:
    if start >= size or not hasattr(os, "SEEK_HOLE"):
        return size
    try:
        return min(size, os.lseek(fd, start, os.SEEK_HOLE))
    except OSError:
        return size

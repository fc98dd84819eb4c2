"""The journal: where shims write that an attempt started and how it ended.

A segment is one preallocated file. The engine opens it once and every shim inherits that open file, so all of them
share one write position, which the kernel moves for them one at a time: lines never overlap, and a full disk does not
stop a line that fits what was allocated before. Where preallocation is missing (macOS) lines are appended instead.

A segment that is nearly full is followed by the next one. Old ones are deleted when no running attempt refers to them:
the attempt's claim in the store names its segment, so a segment that may still be needed is never deleted, and an
attempt whose segment is missing is known to prove nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import UTC, datetime

import msgspec

from rota.process import openers
from rota.process.spool import make_directory

SEGMENT_SIZE = 1 << 20
_PREFIX = "journal-"
_ABOVE_THE_JOBS = 10
"""Descriptors below are given to shims, so ours stay out of their way."""


class ExitLine(msgspec.Struct, frozen=True):
    """An exit line; `at` is known when the shim found the engine gone."""

    exit_code: int
    at: datetime | None


class Lines(msgspec.Struct):
    """What a segment holds, by run and attempt."""

    started: dict[tuple[str, int], int] = {}
    """The shim's pid; 0 for an attempt without one."""
    exited: dict[tuple[str, int], ExitLine] = {}


class Journal:
    """The segments in a spool directory, one of them open for new attempts."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._old = {name for name in os.listdir(directory) if name.startswith(_PREFIX)}
        self._number = max((int(name.split("-")[1]) for name in self._old), default=0)
        self._token = os.urandom(4).hex()
        """Part of this engine's segments' names: if somebody empties the directory, no old name comes up again, which
        would make an old attempt look as if it had never started."""
        self.fd = -1
        self.segment = ""
        self._open_next()

    def rotate_if_full(self) -> bool:
        """Begin the next segment when this one is nearly full, or somebody has deleted it."""
        written = os.lseek(self.fd, 0, os.SEEK_CUR if _PREALLOCATES else os.SEEK_END)
        if written < SEGMENT_SIZE * 7 // 8 and os.fstat(self.fd).st_nlink:
            return False
        full, name = self.fd, self.segment
        try:
            self._open_next()
        except OSError:
            return False  # there is no room for another: lines that do not fit into this one wait for it
        os.close(full)
        self._old.add(name)
        return True

    def forget_unneeded(self, needed: set[str]) -> None:
        """Delete the old segments that no attempt needs."""
        for name in self._old - needed:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._directory, name))
            self._old.discard(name)

    def is_held(self, segment: str) -> bool:
        """Tell whether a shim holds a segment open, wherever it may run; False where that cannot be told."""
        try:
            fd = os.open(os.path.join(self._directory, segment), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return openers.CAN_TELL_OPENERS and not openers.is_only_opener(fd)
        finally:
            os.close(fd)

    def note_start(self, run: str, attempt: int) -> None:
        """Write that an attempt begins in this program itself; it has no shim, and 0 stands for one."""
        os.write(self.fd, f"\nS {run} {attempt} 0 {attempt % 9973}\n".encode())

    def exit_of(self, segment: str, run: str, attempt: int) -> ExitLine | None:
        """Return the exit line of one attempt, without reading those of all others."""
        try:
            with open(os.path.join(self._directory, segment), "rb") as file:
                mine = [line for line in file if run.encode() in line]
        except FileNotFoundError:
            return None
        return parse_lines(b"\n".join(mine)).exited.get((run, attempt))

    def has(self, segment: str) -> bool:
        """Tell whether a segment is still there."""
        return os.path.exists(os.path.join(self._directory, segment))

    def read(self, segment: str) -> Lines:
        """Return what a segment holds; torn and damaged lines are passed over."""
        try:
            with open(os.path.join(self._directory, segment), "rb") as file:
                return parse_lines(file.read())
        except FileNotFoundError:
            return Lines()

    def touched_at(self, segment: str) -> datetime:
        """Return when a segment was last written."""
        return datetime.fromtimestamp(os.stat(os.path.join(self._directory, segment)).st_mtime, UTC)

    def close(self) -> None:
        """Close the open segment; shims keep theirs."""
        os.close(self.fd)

    def _open_next(self) -> None:
        make_directory(self._directory)
        self._number += 1
        segment = f"{_PREFIX}{self._number}-{self._token}"
        path = os.path.join(self._directory, segment)
        append = 0 if _PREALLOCATES else os.O_APPEND
        low = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | append, 0o600)
        self.fd, self.segment = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _ABOVE_THE_JOBS), segment
        os.close(low)
        if _PREALLOCATES:
            # With a disk that is full the engine still starts, for the sake of what runs; shims wait to write.
            with contextlib.suppress(OSError):
                os.posix_fallocate(self.fd, 0, SEGMENT_SIZE)


_PREALLOCATES = hasattr(os, "posix_fallocate")


def parse_lines(content: bytes) -> Lines:
    """Read journal lines; a line counts only if its sum is right."""
    lines = Lines()
    for line in content.split(b"\n"):
        fields = line.split()
        if len(fields) not in (5, 7) or fields[0] not in (b"S", b"X"):
            continue
        try:
            run, attempt, pid = fields[1].decode("ascii"), int(fields[2]), int(fields[3])
            code = int(fields[4]) if fields[0] == b"X" else 0
            if (pid * 7 + attempt + code * 31) % 9973 != int(fields[-1]):
                continue
            if fields[0] == b"S":
                lines.started[run, attempt] = pid
            else:
                at = None if fields[5] == b"-" else datetime.fromtimestamp(int(fields[5]), UTC)
                lines.exited[run, attempt] = ExitLine(code, at)
        except (ValueError, OverflowError, OSError):
            continue
    return lines

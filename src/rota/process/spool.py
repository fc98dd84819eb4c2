"""The spool: the files that jobs write into, read when an attempt has ended, and used again.

A slot is a pair of files. Making files costs more than starting a process on some file systems, so slots are reused;
but only when nothing else has the files open: a daemon that an old job left behind must not write into a new job's
output. The kernel answers that question: it grants a write lease on a file only to its one and only opener. Where
there are no leases (macOS) slots are not reused.

A runaway log is cut in its middle while it grows: its beginning and its latest end stay, the blocks between are given
back to the disk, and offsets do not change, so nothing is lost by a race with the writer. Where holes cannot be
punched, the file is emptied instead, and the beginning with it. Files are looked at once a second: in between a job may
write more than the caps. That overshoot is bounded by how fast it writes, not by the caps.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

import msgspec

from rota.model.policy import Output
from rota.model.run import OutputPart
from rota.process import openers

STREAMS = ("stdout", "stderr")
_SUFFIXES = (".out", ".err")
_KEEP_FREE = 256
_BLOCK = 4096
_SLACK = 1 << 20
"""A log is cut only when it has grown this much beyond its caps."""
_FIRST = 64
"""So many bytes are enough to recognise a beginning."""
_PUNCH_HOLE_AND_KEEP_SIZE = 0x02 | 0x01


class Slot(msgspec.Struct, eq=False):
    """A pair of files, open for reading here; the job appends through descriptors of its own."""

    name: str
    fds: tuple[int, ...]
    cut: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    """Up to where each file was cut."""
    longest: list[int] = msgspec.field(default_factory=lambda: [0, 0])
    first: list[bytes] = msgspec.field(default_factory=lambda: [b"", b""])
    """How each file began when it was first seen with something in it."""

    def __hash__(self) -> int:
        return hash(self.name)


class Spool:
    """The slots in a spool directory."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._free: list[Slot] = []
        self._busy: dict[str, Slot] = {}
        self._left: list[Slot] = []
        """Slots whose files somebody still has open after their run ended, or may have: theirs are closed here."""
        self._number = 0
        for name in _slot_names(directory):
            self._number = max(self._number, int(name))

    def take(self) -> Slot:
        """Return a slot with two empty files."""
        slot = self._free.pop() if self._free else self._make()
        self._busy[slot.name] = slot
        return slot

    def renew(self, slot: Slot) -> bool:
        """Make a slot's files again if somebody has deleted them; False when they are there."""
        if all(os.fstat(fd).st_nlink for fd in slot.fds):
            return False
        make_directory(self.directory)
        fresh = self._open(slot.name, os.O_CREAT).fds
        for fd in slot.fds:
            os.close(fd)
        slot.fds = fresh
        return True

    def adopt(self, name: str) -> Slot:
        """Open the slot that a run was left with."""
        slot = self._open(name, os.O_CREAT)
        self._busy[name] = slot
        self._number = max(self._number, int(name))
        return slot

    def paths(self, slot: Slot) -> tuple[str, str]:
        """Return the paths of the two files."""
        base = os.path.join(self.directory, slot.name)
        return base + ".out", base + ".err"

    def extra_path(self, slot: Slot, suffix: str) -> str:
        """Return the path of another file that belongs to the slot's run."""
        return os.path.join(self.directory, f"{slot.name}.{suffix}")

    def read(self, slot: Slot, caps: Output) -> list[OutputPart]:
        """Return what was written, up to the caps; a stream without a byte is left out."""
        parts = []
        for index, stream in enumerate(STREAMS):
            size = os.fstat(slot.fds[index]).st_size
            if size:
                parts.append(_read_part(slot.fds[index], stream, size, caps))
        return parts

    def was_emptied(self, slot: Slot) -> bool:
        """Tell whether a file is shorter than it was seen before, or begins otherwise: the job has truncated it."""
        return any(
            longest and (os.fstat(fd).st_size < longest or os.pread(fd, len(first), 0) != first)
            for fd, longest, first in zip(slot.fds, slot.longest, slot.first, strict=True)
        )

    def watch(self, slot: Slot, caps: Output) -> bool:
        """Cut the middle out of files that have grown far beyond the caps; True when there was one."""
        any_cut = False
        for index, fd in enumerate(slot.fds):
            size = os.fstat(fd).st_size
            slot.longest[index] = max(slot.longest[index], size)
            if size and not slot.first[index]:
                slot.first[index] = os.pread(fd, min(_FIRST, caps.head), 0)
            if size - max(slot.cut[index], caps.head) > caps.tail + _SLACK:
                _cut(fd, max(slot.cut[index], caps.head), size - caps.tail)
                slot.cut[index] = size - caps.tail
                any_cut = True
        return any_cut

    def watch_left(self, caps: Output) -> bool:
        """Cut files that left-behind processes write to; True when there was one."""
        any_cut = False
        for slot in self._left:
            sizes = [_size_of(path) for path in self.paths(slot)]
            if any(size - max(cut, caps.head) > caps.tail + _SLACK for size, cut in zip(sizes, slot.cut, strict=True)):
                with contextlib.suppress(OSError), self._reopened(slot):  # without a free descriptor: the next time
                    any_cut |= self.watch(slot, caps)
        return any_cut

    def release(self, slot: Slot) -> None:
        """Use the slot again, unless somebody still has its files open."""
        del self._busy[slot.name]
        if not all(openers.is_only_opener(fd) for fd in slot.fds):
            self._leave(slot)
            return
        if len(self._free) >= _KEEP_FREE:
            self._delete(slot)
            return
        for fd in slot.fds:
            if os.fstat(fd).st_size:
                os.ftruncate(fd, 0)
        slot.cut, slot.longest, slot.first = [0, 0], [0, 0], [b"", b""]
        self._free.append(slot)

    def put_back(self, slot: Slot) -> None:
        """Use a slot again whose files nobody was told of."""
        del self._busy[slot.name]
        self._free.append(slot)

    def look_after(self) -> None:
        """Delete the files that left-behind processes have closed by now."""
        for slot in list(self._left):
            unused = False
            with contextlib.suppress(OSError), self._reopened(slot):
                unused = not openers.CAN_TELL_OPENERS or all(openers.is_only_opener(fd) for fd in slot.fds)
            if unused:
                self._left.remove(slot)
                self._unlink(slot)

    def sweep(self) -> None:
        """At start: take charge of every slot that no adopted run uses."""
        for name in _slot_names(self.directory):
            if name not in self._busy and all(slot.name != name for slot in (*self._free, *self._left)):
                self._left.append(Slot(name, ()))

    def close(self) -> None:
        """Close every file; those of running jobs, and those that somebody left open, stay for the next engine."""
        for slot in self._free:
            self._delete(slot)
        for slot in self._busy.values():
            for fd in slot.fds:
                os.close(fd)

    def _make(self) -> Slot:
        self._number += 1
        make_directory(self.directory)
        return self._open(f"{self._number:06d}", os.O_CREAT | os.O_EXCL)

    def _open(self, name: str, flags: int) -> Slot:
        base = os.path.join(self.directory, name)
        out, err = (os.open(base + suffix, os.O_RDWR | os.O_CLOEXEC | flags, 0o600) for suffix in _SUFFIXES)
        return Slot(name, (out, err))

    def _delete(self, slot: Slot) -> None:
        there = all(os.fstat(fd).st_nlink for fd in slot.fds)
        for fd in slot.fds:
            os.close(fd)
        if there:  # else files of these names are another engine's
            self._unlink(slot)

    def _unlink(self, slot: Slot) -> None:
        for path in self.paths(slot):
            with contextlib.suppress(FileNotFoundError):  # somebody has tidied up here
                os.unlink(path)

    def _leave(self, slot: Slot) -> None:
        """Keep an eye on a slot without keeping descriptors: there may be as many as there are daemons."""
        for fd in slot.fds:
            os.close(fd)
        slot.fds = ()
        self._left.append(slot)

    @contextlib.contextmanager
    def _reopened(self, slot: Slot) -> Iterator[None]:
        slot.fds = self._open(slot.name, os.O_CREAT).fds
        try:
            yield
        finally:
            for fd in slot.fds:
                os.close(fd)
            slot.fds = ()


def make_directory(path: str) -> None:
    """Make the spool's directory if it is not there; never the home around it, which somebody may have removed."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _read_part(fd: int, stream: str, size: int, caps: Output) -> OutputPart:
    if size <= caps.head + caps.tail:
        return part_of(os.pread(fd, size, 0), stream, caps)
    return OutputPart(stream, os.pread(fd, caps.head, 0), os.pread(fd, caps.tail, size - caps.tail), size)


def part_of(content: bytes, stream: str, caps: Output) -> OutputPart:
    """Return what is kept of all that was written to a stream."""
    rest = content[caps.head :]
    return OutputPart(stream, content[: caps.head], rest[max(0, len(rest) - caps.tail) :], len(content))


def _cut(fd: int, start: int, end: int) -> None:
    """Give the blocks between two offsets back to the disk."""
    start = -(-start // _BLOCK) * _BLOCK
    end = end // _BLOCK * _BLOCK
    if end <= start:
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":
        libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
        if libc.fallocate(fd, _PUNCH_HOLE_AND_KEEP_SIZE, start, end - start) == 0:
            return
    os.ftruncate(fd, 0)


def _slot_names(directory: str) -> list[str]:
    stems = {name.partition(".")[0] for name in os.listdir(directory) if name.endswith(_SUFFIXES)}
    return sorted(stem for stem in stems if stem.isdigit())

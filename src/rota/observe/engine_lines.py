"""The engine's own lines, read from the log of a home (observe/log.py) for another log.

What the log says of runs is left out: whoever reads this tells more of them, from elsewhere. A line of text that speaks
of a run ends with its id; one of JSON has it by name, and the others are turned into text here.

A place in the log is an inode and an offset. The log is put aside when it has grown, to `.1` and further, or moved away
by somebody else; the file that was begun is read to its end first, and the next one counts when the engine has written
into it, because only then the engine has left the one before. A line without its end waits for it.

Failure modes: what was put aside so long ago that it has been deleted is not read. A line that is neither text nor JSON
of ours, as a power cut may leave, is passed over.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import deque
from datetime import datetime, timedelta
from typing import Any

import msgspec

_KEPT = 3
_AT_ONCE = 1 << 18
_ENOUGH = 1000
"""So many lines may wait here; more are read when they have been taken."""
_LONGEST = 1 << 20
_JUST_NOW = timedelta(seconds=10)
_LINE = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] [A-Z]+: ")
_OF_A_RUN = re.compile(rb" run=[0-9A-Z]{26}$")
_SERVING = re.compile(r"rota \S+ serving ")


class _Place(msgspec.Struct, frozen=True):
    inode: int
    offset: int


class _Line(msgspec.Struct, frozen=True):
    at: datetime
    text: str
    before: _Place


class EngineLines:
    """Reads what is new, and hands it out in its order; nothing is handed out twice."""

    def __init__(self, path: str, kept: str | None, now: datetime) -> None:
        self._path = path
        self._fd = -1
        self._inode = self._offset = 0
        self._torn = b""
        self._waiting: deque[_Line] = deque()
        self.more = False
        """There may be more to read at once."""
        place = _decode(kept)
        with contextlib.suppress(OSError):
            self._go_on(place) if place is not None else self._begin(now)

    @property
    def place(self) -> str:
        """Where this is, for the next reader: before the first line that was not taken."""
        here = _Place(self._inode, self._offset - len(self._torn))
        return msgspec.json.encode(self._waiting[0].before if self._waiting else here).decode()

    def look(self) -> None:
        """Read what is new; a log that cannot be read now is read later."""
        self.more = False
        with contextlib.suppress(OSError):
            while len(self._waiting) < _ENOUGH:
                if self._fd < 0:
                    self._open(self._path, 0)
                left = self._has_moved()
                if self._read():
                    continue
                if not left:
                    return
                self._next()
            self.more = True

    def take(self, until: datetime | None = None, *, including: bool = True) -> list[str]:
        """Return the lines up to a second, or all that were read."""
        lines: list[str] = []
        second = None if until is None else until.replace(microsecond=0)
        while self._waiting:
            at = self._waiting[0].at
            if second is not None and (at > second or (at == second and not including)):
                break
            lines.append(self._waiting.popleft().text)
        return lines

    def close(self) -> None:
        """Let the file go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # -- where to begin -----------------------------------------------------------------------------------------------

    def _begin(self, now: datetime) -> None:
        """Begin with the engine, if that has just begun itself; else with what is written from now on."""
        self._open(self._path, 0)
        size = os.fstat(self._fd).st_size
        start = max(0, size - _AT_ONCE)
        offset = start
        self._offset = size
        for line in os.pread(self._fd, size - start, start).splitlines(keepends=True):
            found = _parse(line.rstrip(b"\n"))
            if found is not None and abs(now - found[0]) < _JUST_NOW and _SERVING.match(found[2]):
                self._offset = offset
            offset += len(line)

    def _go_on(self, place: _Place) -> None:
        """Find the file that another reader was in; if it is gone, what is there now is new."""
        for path in self._paths():
            with contextlib.suppress(OSError):
                if os.stat(path).st_ino == place.inode:
                    self._open(path, place.offset)
                    if self._inode != place.inode:
                        continue  # it was put aside between the two, and is one further now
                    if place.offset and os.pread(self._fd, 1, place.offset - 1) != b"\n":
                        self._offset = 0  # another file has the number now
                    return
        self._open(self._path, 0)

    # -- the files ----------------------------------------------------------------------------------------------------

    def _paths(self) -> list[str]:
        """Return the log and what was put aside of it, the newest first."""
        return [self._path, *(f"{self._path}.{number}" for number in range(1, _KEPT + 1))]

    def _open(self, path: str, offset: int) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self.close()
        self._fd, self._inode, self._offset, self._torn = fd, os.fstat(fd).st_ino, offset, b""

    def _has_moved(self) -> bool:
        """Tell whether the engine writes into another file by now."""
        try:
            now = os.stat(self._path)
        except FileNotFoundError:
            return False
        return now.st_ino != self._inode and now.st_size > 0

    def _next(self) -> None:
        """Go on in the file that was begun after this one."""
        if self._torn:
            self._note(self._torn, _Place(self._inode, self._offset - len(self._torn)))
            self._torn = b""
        newer = self._path
        for path in self._paths():
            with contextlib.suppress(OSError):
                if os.stat(path).st_ino == self._inode:
                    break
                newer = path
        else:
            newer = self._path
        self._open(newer, 0)

    def _read(self) -> bool:
        """Read some; False when there is nothing new."""
        if os.fstat(self._fd).st_size < self._offset:  # somebody has emptied it
            self._offset, self._torn = 0, b""
        content = os.pread(self._fd, _AT_ONCE, self._offset)
        start = self._offset - len(self._torn)
        self._offset += len(content)
        *lines, self._torn = (self._torn + content).split(b"\n")
        for line in lines:
            self._note(line, _Place(self._inode, start))
            start += len(line) + 1
        if len(self._torn) > _LONGEST:  # nothing that the engine has written
            self._torn = b""
        return bool(content)

    def _note(self, line: bytes, before: _Place) -> None:
        if _OF_A_RUN.search(line) is None and (found := _parse(line)) is not None:
            at, head, text = found
            self._waiting.append(_Line(at, head + text, before))


def _parse(line: bytes) -> tuple[datetime, str, str] | None:
    """Return a line's time, what stands before its text, and its text; None for what is of a run or not of ours."""
    if line.startswith(b"{"):
        return _parse_json(line)
    text = line.decode("utf-8", "replace")
    found = _LINE.match(text)
    if found is None:
        return None
    try:
        at = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").astimezone()
    except ValueError:
        return None
    return at, found[0], text[found.end() :]


def _parse_json(line: bytes) -> tuple[datetime, str, str] | None:
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
        at = datetime.fromisoformat(fields["at"]).astimezone().replace(microsecond=0)
        level, text, job = str(fields["level"]), str(fields["message"]), str(fields.get("job", ""))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None
    if "run" in fields:
        return None
    return at, f"[{at:%Y-%m-%d %H:%M:%S}] {level}: {f'[{job}] ' if job else ''}", text


def _decode(kept: str | None) -> _Place | None:
    """Read a place; one that this version cannot read is none."""
    try:
        return None if kept is None else msgspec.json.decode(kept, type=_Place)
    except msgspec.DecodeError:
        return None

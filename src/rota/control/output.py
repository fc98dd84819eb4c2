"""A piece of what an attempt wrote, from any place on: of one that has ended, or of one that runs.

Bytes are counted as the attempt wrote them, so a place stays true whatever was let go in between.
"""

from __future__ import annotations

import msgspec

from rota.control.following import Kept
from rota.errors import NotFound
from rota.model.run import Run, State
from rota.ports import LiveOutput, LiveOutputs, Store

_HALF_A_CHARACTER = 3
"""A character of UTF-8 has four bytes at most."""
_CONTINUES = 0b1000_0000
_KIND = 0b1100_0000


class Chunk(msgspec.Struct, frozen=True):
    """A piece of one stream."""

    stream: str
    attempt: int
    content: bytes
    start: int
    """Where the content begins."""
    next: int
    """Where to read on."""
    dropped: int
    """How many bytes are missing right before the content: the log outgrew its caps."""
    size: int | None
    """How much there was in all; None while it is being written."""

    @property
    def is_last(self) -> bool:
        """Tell whether there is no more to come."""
        return self.size is not None and self.next >= self.size


def attempt_of(run: Run, asked: int | None) -> int:
    """Return which attempt is meant; without one, the last."""
    if asked is not None and asked > max(run.attempt, 1):
        tries = (
            "has not been tried yet" if not run.attempt else f"has had {run.attempt} attempt{'s' * (run.attempt > 1)}"
        )
        raise NotFound(f"run {run.id} {tries}, so there is no attempt {asked}")
    return asked or run.attempt


def read_output(store: Store, live: LiveOutputs, run: Run, attempt: int, stream: str, start: int, most: int) -> Chunk:
    """Return what is there from a place on, up to a size or to the next gap."""
    if run.state is State.RUNNING and attempt == run.attempt:
        found = _of_running(store, live, run, stream, start, most)
        if found is not None:
            return found
    parts = {part.stream: part for part in store.runs.output(run.id, attempt)}
    size = parts[stream].size if stream in parts else 0
    return _gathered(Kept(parts), stream, attempt, min(start, size), most, size)


def _of_running(store: Store, live: LiveOutputs, run: Run, stream: str, start: int, most: int) -> Chunk | None:
    """Read the files of a running attempt; None when it is not running any more, so that they may be another's."""
    files = None if run.spool is None else live.open(run)
    if files is None:
        return None
    try:
        now = store.runs.find(run.id)
        if now is None or (now.state, now.attempt, now.spool) != (State.RUNNING, run.attempt, run.spool):
            return None
        return _gathered(files, stream, run.attempt, start, most, None)
    finally:
        files.close()


def _gathered(files: LiveOutput, stream: str, attempt: int, start: int, most: int, size: int | None) -> Chunk:
    """Put pieces together; what is missing is told by the piece after it, so a chunk ends before a gap."""
    content, begin, offset, dropped = bytearray(), start, start, 0
    while len(content) < most:
        piece = files.read(stream, offset)
        if piece.emptied or (piece.dropped and content):
            break
        if not content:
            begin, dropped = piece.offset - len(piece.content), piece.dropped
        content += piece.content
        offset = piece.offset
        if not piece.content:
            break
    kept = bytes(content[: most - _half_character(content, most)])
    return Chunk(stream, attempt, kept, begin, begin + len(kept), dropped, size)


def _half_character(content: bytearray, most: int) -> int:
    """Return how many bytes before a cut belong to a character that the cut would halve."""
    if len(content) <= most:
        return 0
    for back in range(min(_HALF_A_CHARACTER, most - 1) + 1):
        if content[most - back] & _KIND != _CONTINUES:
            return back
    return 0

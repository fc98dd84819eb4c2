"""Following a run: what it writes while it writes it, attempt by attempt, until it has ended.

A running attempt writes into files of the spool; when it ends, the engine moves them into the store and uses them
again. A reader must lose no byte and see none twice at that moment:

1. It opens the files, and then looks at the run once more. Still running the same attempt in the same place: the files
   are the attempt's. Anything else: they may be another run's by now, so they are let go, unread.
2. While it holds them open, the engine neither empties nor reuses them. So when the attempt has ended, it reads on in
   the same files from where it was, up to the size that the store has on record: a process that the job left behind
   may write on, and is not part of the attempt.
3. An attempt that came and went between two looks is shown from the store.

Looking costs next to nothing: a number that changes when another process has committed, and the sizes of two files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from rota.errors import NoSuchRun
from rota.model.run import FINAL, OutputPart, Run, State
from rota.ports import Clock, LiveOutput, LiveOutputs, Store

STREAMS = ("stdout", "stderr")
_LOOK = 0.05
_NO_END = 1 << 62
_PIECES_A_TURN = 64
_PIECES_AT_MOST = 1 << 14


class Wrote(msgspec.Struct, frozen=True):
    """The run has written something."""

    stream: str
    content: bytes


class Dropped(msgspec.Struct, frozen=True):
    """Bytes are missing here: the log outgrew its caps, or the job emptied its own file."""

    stream: str
    count: int
    """0: nobody knows how many."""


class Moved(msgspec.Struct, frozen=True):
    """The run is in another state, or at another attempt."""

    run: Run


News = Wrote | Dropped | Moved


class _Sitting(msgspec.Struct):
    """The files of the attempt that is running now, and how far they were read."""

    attempt: int
    spool: str
    files: LiveOutput
    offsets: dict[str, int]


class Follower:
    """Follows one run; `idle` is called after each look that found nothing new, and may raise to give up."""

    def __init__(
        self, store: Store, live: LiveOutputs, clock: Clock, run_id: str, idle: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._run_id = run_id
        self._idle = idle
        self._sitting: _Sitting | None = None
        self._told = 0
        """Up to this attempt everything was passed on."""
        self._seen: tuple[State, int] | None = None

    def follow(self, *, from_attempt: int = 1) -> Iterator[News]:
        """Yield what happens, until the run has ended.

        1. Look at the run, if anything has changed.
        2. Pass on the rest of the attempts that have ended.
        3. Open the files of the one that runs, and pass on what is new in them.
        """
        self._told = from_attempt - 1
        self._store.changed_by_others()
        run = self._find()
        try:
            while True:
                yield from self._ended_attempts(run)
                if self._seen != (run.state, run.attempt):
                    self._seen = (run.state, run.attempt)
                    yield Moved(run)
                if run.state in FINAL:
                    return
                before, run = run, self._sit_down(run)
                quiet = (before.state, before.attempt) == (run.state, run.attempt)
                for news in self._new_output():
                    quiet = False
                    yield news
                if quiet:
                    self._idle()
                    self._clock.sleep(_LOOK)
                if self._store.changed_by_others():
                    run = self._find()
        finally:
            self._stand_up()

    def written(self) -> Iterator[News] | None:
        """Return what the running attempt has written up to now; None when it is not running any more."""
        run = self._sit_down(self._find())
        sitting = self._sitting
        if sitting is None or run.state is not State.RUNNING:
            self._stand_up()
            return None
        return self._snapshot(sitting)

    def _snapshot(self, sitting: _Sitting) -> Iterator[News]:
        try:
            # An end that is out of reach, but no reason to hurry: everything up to now is read in one go.
            yield from self._read(sitting, dict.fromkeys(STREAMS, _NO_END - 1))
        finally:
            self._stand_up()

    def _find(self) -> Run:
        run = self._store.runs.find(self._run_id)
        if run is None:
            raise NoSuchRun(f"run {self._run_id} is not there any more: it was pruned")
        return run

    def _ended_attempts(self, run: Run) -> Iterator[News]:
        """Pass on what ended attempts wrote and was not passed on yet."""
        ended = run.attempt - 1 if run.state is State.RUNNING else run.attempt
        for attempt in range(self._told + 1, ended + 1):
            parts = {part.stream: part for part in self._store.runs.output(run.id, attempt)}
            if self._sitting is not None and self._sitting.attempt == attempt:
                ends = {stream: parts[stream].size if stream in parts else 0 for stream in STREAMS}
                yield from self._read(self._sitting, ends)
            else:
                yield from stored_output(parts)
            self._told = attempt
        sitting = self._sitting
        if sitting is not None and (sitting.attempt != run.attempt or sitting.spool != run.spool):
            self._stand_up()

    def _sit_down(self, run: Run) -> Run:
        """Open the files of the running attempt, and return the run as it is after that."""
        if run.state is not State.RUNNING or self._sitting is not None or run.spool is None:
            return run
        files = self._live.open(run.spool)
        now = self._find()
        if files is None:
            return now
        if now.state is State.RUNNING and (now.attempt, now.spool) == (run.attempt, run.spool):
            self._sitting = _Sitting(run.attempt, run.spool, files, dict.fromkeys(STREAMS, 0))
        else:
            files.close()
        return now

    def _stand_up(self) -> None:
        if self._sitting is not None:
            self._sitting.files.close()
            self._sitting = None

    def _new_output(self) -> Iterator[News]:
        if self._sitting is not None:
            yield from self._read(self._sitting, dict.fromkeys(STREAMS, _NO_END))

    def _read(self, sitting: _Sitting, ends: Mapping[str, int]) -> Iterator[News]:
        for stream in STREAMS:
            yield from self._read_stream(sitting, stream, ends[stream])

    def _read_stream(self, sitting: _Sitting, stream: str, end: int) -> Iterator[News]:
        """Yield what is new in one stream, up to an end; both streams get their turn when one of them never rests."""
        for _ in range(_PIECES_A_TURN if end == _NO_END else _PIECES_AT_MOST):
            offset = sitting.offsets[stream]
            if offset >= end:
                return
            piece = sitting.files.read(stream, offset)
            if piece.emptied:
                yield Dropped(stream, 0)
            if piece.dropped:
                yield Dropped(stream, piece.dropped)
            over = max(0, piece.offset - end)
            content = piece.content[: max(0, len(piece.content) - over)]
            sitting.offsets[stream] = piece.offset - over
            if content:
                yield Wrote(stream, content)
            if not piece.content:
                return


def stored_output(parts: Mapping[str, OutputPart]) -> Iterator[News]:
    """Yield what was kept of an ended attempt."""
    for stream in STREAMS:
        part = parts.get(stream)
        if part is None:
            continue
        if part.head:
            yield Wrote(stream, part.head)
        if part.dropped:
            yield Dropped(stream, part.dropped)
        if part.tail:
            yield Wrote(stream, part.tail)

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
from rota.ports import Clock, LiveOutput, LiveOutputs, Piece, Store

STREAMS = ("stdout", "stderr")
_LOOK = 0.05
_NO_END = 1 << 62
_NO_ENDS = dict.fromkeys(STREAMS, _NO_END)
_PIECES_A_TURN = 64
_PIECES_AT_MOST = 1 << 14
_AT_ONCE = 1 << 16
_LAST_WORDS = 1 << 16
"""So much of an attempt's end is passed on in any case."""


class Opened(msgspec.Struct, frozen=True):
    """An attempt has begun; what follows is its output."""

    attempt: int


class Wrote(msgspec.Struct, frozen=True):
    """The run has written something."""

    stream: str
    content: bytes


class Dropped(msgspec.Struct, frozen=True):
    """Bytes are missing here: the log outgrew its caps, or the job emptied its own file."""

    stream: str
    count: int
    """0: nobody knows how many."""


class Closed(msgspec.Struct, frozen=True):
    """All that an attempt has written was passed on, and it has ended."""

    attempt: int


class GivenBack(msgspec.Struct, frozen=True):
    """The attempt that was opened last never started its command, and does not count."""


class Moved(msgspec.Struct, frozen=True):
    """The run is in another state, or at another attempt."""

    run: Run


News = Opened | Wrote | Dropped | Closed | GivenBack | Moved


class Place(msgspec.Struct, frozen=True, array_like=True):
    """How far a run was passed on; another follower can go on from here."""

    told: int = 0
    """Up to this attempt everything was passed on."""
    opened: bool = False
    """The beginning of the attempt after that was passed on."""
    spool: str = ""
    """Where that attempt ran when it was read, and up to which byte of each stream."""
    offsets: tuple[int, int] = (0, 0)


class Allowance:
    """How much of a running attempt's output is passed on: all of what most write, and samples of a runaway log.

    What is not passed on in time is cut out of the log in its middle, and told as dropped when it goes on. At the
    attempt's end the last of it is passed on in any case. A line costs more than its bytes where something is written
    before each: a log of nothing but empty lines would else become forty times its size.
    """

    def __init__(self, clock: Clock, at_once: int, a_second: int, *, a_line: int = 0) -> None:
        self._clock = clock
        self._most, self._rate, self._a_line = at_once, a_second, a_line
        self._left, self._at = float(at_once), clock.monotonic()

    def has_some(self) -> bool:
        """Tell whether anything is left now."""
        now = self._clock.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left > 0

    def take(self, content: bytes) -> None:
        """Use some of it; more than there is, if need be."""
        self._left -= len(content) + self._a_line * content.count(b"\n")


class _Sitting(msgspec.Struct):
    """The files of the attempt that is running now."""

    attempt: int
    spool: str
    files: LiveOutput


class Follower:
    """Follows one run; `idle` is called after each look that found nothing new, and may raise to give up.

    Whatever is passed on, the place is already behind it, so whoever stops after any news can go on from the place.
    Only beginnings and ends wait to be counted (`pass_on`): there may be more to find out about them, which may fail.
    """

    def __init__(
        self,
        store: Store,
        live: LiveOutputs,
        clock: Clock,
        run_id: str,
        idle: Callable[[], None] = lambda: None,
        place: Place | None = None,
        allowance: Allowance | None = None,
    ) -> None:
        place = place or Place()
        self._store = store
        self._live = live
        self._clock = clock
        self._run_id = run_id
        self._idle = idle
        self._sitting: _Sitting | None = None
        self._told = place.told
        self._opened = place.told + 1 if place.opened else 0
        self._spool = place.spool
        self._offsets = dict(zip(STREAMS, place.offsets, strict=True))
        self._allowance = allowance
        self._seen: tuple[State, int] | None = None
        self._quiet = True
        self.latest: Run | None = None
        """The run as the last look has seen it."""

    @property
    def place(self) -> Place:
        """How far the run was passed on."""
        out, err = (self._offsets[stream] for stream in STREAMS)
        return Place(self._told, self._opened > self._told, self._spool, (out, err))

    def follow(self, *, from_attempt: int = 1) -> Iterator[News]:
        """Yield what happens, until the run has ended."""
        self._told = from_attempt - 1
        self._store.changed_by_others()
        run = self._find()
        try:
            while True:
                yield from self.look(run)
                if run.state in FINAL:
                    return
                run = self.latest or run
                if self._quiet:
                    self._idle()
                    self._clock.sleep(_LOOK)
                if self._store.changed_by_others():
                    run = self._find()
        finally:
            self.stand_up()

    def look(self, run: Run) -> Iterator[News]:
        """Yield what is new of a run that was read just now, or that has not changed since; never wait.

        1. Pass on the rest of the attempts that have ended.
        2. Open the files of the one that runs, and pass on what is new in them.
        """
        self.latest, self._quiet = run, True
        yield from self._ended_attempts(run)
        if self._opened > self._told and run.state is not State.RUNNING:
            self._opened = 0
            yield GivenBack()
        if self._seen != (run.state, run.attempt):
            self._seen = (run.state, run.attempt)
            yield Moved(run)
        if run.state in FINAL:
            return
        if run.state is State.RUNNING:
            yield from self._open(run.attempt)
        self.latest = now = self._sit_down(run)
        self._quiet = (run.state, run.attempt) == (now.state, now.attempt)
        if self._sitting is not None:
            for news in self._read(self._sitting.files, _NO_ENDS):
                self._quiet = False
                yield news

    def pass_on(self, news: Opened | Closed) -> None:
        """Count a beginning or an end as passed on, which a look does by itself only when it goes on after it."""
        if isinstance(news, Opened):
            self._opened = news.attempt
        elif news.attempt > self._told:
            self._told = news.attempt
            self._forget()

    def stand_up(self) -> None:
        """Let the files go."""
        if self._sitting is not None:
            self._sitting.files.close()
            self._sitting = None

    def written(self) -> Iterator[News] | None:
        """Return what the running attempt has written up to now; None when it is not running any more."""
        run = self._sit_down(self._find())
        sitting = self._sitting
        if sitting is None or run.state is not State.RUNNING:
            self.stand_up()
            return None
        return self._snapshot(sitting)

    def _snapshot(self, sitting: _Sitting) -> Iterator[News]:
        try:
            # An end that is out of reach, but no reason to hurry: everything up to now is read in one go.
            yield from self._read(sitting.files, dict.fromkeys(STREAMS, _NO_END - 1))
        finally:
            self.stand_up()

    def _find(self) -> Run:
        run = self._store.runs.find(self._run_id)
        if run is None:
            raise NoSuchRun(f"run {self._run_id} is not there any more: it was pruned")
        return run

    def _ended_attempts(self, run: Run) -> Iterator[News]:
        """Pass on what ended attempts wrote and was not passed on yet.

        Files that are held open are the first choice: the store may have kept less. But if they hold less than there
        was, the attempt that they were opened for was given back, and ran somewhere else.
        """
        for attempt in range(self._told + 1, ended_attempts(run) + 1):
            yield from self._open(attempt)
            parts = {part.stream: part for part in self._store.runs.output(run.id, attempt)}
            ends = {stream: parts[stream].size if stream in parts else 0 for stream in STREAMS}
            if self._sitting is not None and self._sitting.attempt == attempt:
                yield from self._read(self._sitting.files, ends)
                ends = {stream: max(end, self._offsets[stream]) for stream, end in ends.items()}
            yield from self._read(Kept(parts), ends)
            closed = Closed(attempt)
            yield closed
            self.pass_on(closed)
        if self._sitting is not None and self._sitting.spool != run.spool:
            self._forget()

    def _open(self, attempt: int) -> Iterator[News]:
        if self._opened != attempt:
            opened = Opened(attempt)
            yield opened
            self.pass_on(opened)

    def _forget(self) -> None:
        """The next attempt begins at its beginning, in other files."""
        self.stand_up()
        self._spool = ""
        self._offsets = dict.fromkeys(STREAMS, 0)

    def _sit_down(self, run: Run) -> Run:
        """Open the files of the running attempt, and return the run as it is after that."""
        if run.state is not State.RUNNING or self._sitting is not None or run.spool is None:
            return run
        files = self._live.open(run)
        now = self._find()
        if files is None:
            return now
        if now.state is State.RUNNING and (now.attempt, now.spool) == (run.attempt, run.spool):
            if self._spool != run.spool:
                self._forget()
            self._spool = run.spool
            self._sitting = _Sitting(run.attempt, run.spool, files)
        else:
            files.close()
        return now

    def _read(self, files: LiveOutput, ends: Mapping[str, int]) -> Iterator[News]:
        for stream in STREAMS:
            yield from self._read_stream(files, stream, ends[stream])

    def _read_stream(self, files: LiveOutput, stream: str, end: int) -> Iterator[News]:
        """Yield what is new in one stream, up to an end; both streams get their turn when one of them never rests."""
        for _ in range(_PIECES_A_TURN if end == _NO_END else _PIECES_AT_MOST):
            offset = self._offsets[stream]
            if offset == end:
                return
            if offset < end - _LAST_WORDS and self._allowance is not None and not self._allowance.has_some():
                if end == _NO_END:
                    return
                left_out = end - _LAST_WORDS - offset
                offset = self._offsets[stream] = end - _LAST_WORDS
                yield Dropped(stream, left_out)
            piece = files.read(stream, offset)
            if offset > end and not piece.emptied:
                return  # what a process that was left behind has written was read, too
            if piece.emptied:
                self._offsets[stream] = 0
                yield Dropped(stream, 0)
            if piece.dropped:
                self._offsets[stream] = min(end, piece.offset - len(piece.content))
                yield Dropped(stream, piece.dropped)
            over = max(0, piece.offset - end)
            content = piece.content[: max(0, len(piece.content) - over)]
            self._offsets[stream] = piece.offset - over
            if content:
                if self._allowance is not None:
                    self._allowance.take(content)
                yield Wrote(stream, content)
            if not piece.content:
                return


class Kept:
    """What was kept of an ended attempt, to be read like the files of one that runs."""

    def __init__(self, parts: Mapping[str, OutputPart]) -> None:
        self._parts = parts

    def read(self, stream: str, offset: int) -> Piece:
        """Return some of what a stream held from an offset on."""
        part = self._parts.get(stream)
        if part is None:
            return Piece(b"", offset)
        emptied = offset > part.size
        start = 0 if emptied else offset
        if start < len(part.head):
            content = part.head[start : start + _AT_ONCE]
            return Piece(content, start + len(content), 0, emptied)
        gap_end = part.size - len(part.tail)
        dropped = max(0, gap_end - start)
        begin = start + dropped - gap_end
        content = part.tail[begin : begin + _AT_ONCE]
        return Piece(content, gap_end + begin + len(content), dropped, emptied)

    def close(self) -> None:
        """There is nothing to let go."""


def ended_attempts(run: Run) -> int:
    """Return how many attempts of a run have ended."""
    return run.attempt - 1 if run.state is State.RUNNING else run.attempt


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

"""What a run wrote, ready for a page: its streams in pages of lines, what was found in them, and the ways around.

A run's streams are two files, and nothing says which line of one was written before which of the other. So "merged" is
one below the other, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Query

from rota.control.desk import Desk
from rota.control.following import STREAMS
from rota.control.output import attempt_of, read_output
from rota.model.run import FINAL, Run, State
from rota.web.ansi import Piece, around_hit
from rota.web.lines import MOST_HITS, Hit, LinePage, Stretch, Written

View = Literal["both", "merged", "stdout", "stderr"]
VIEWS: tuple[tuple[View, str], ...] = (
    ("both", "side by side"),
    ("merged", "merged"),
    ("stdout", "stdout"),
    ("stderr", "stderr"),
)
_TITLES = {"stdout": "Standard output", "stderr": "Standard error"}
_PIECE, _MOST = 4 << 20, 16 << 20
"""More than a page ever looks through is not kept by any job that has not asked for it."""
_LARGEST = 1 << 53
_HITS = 100
_BEFORE_A_HIT, _LONGEST_FOUND = 60, 240
_OUTPUT_IS_SURE = timedelta(days=1)
"""For so long at least, what was written is kept."""


class Asked(msgspec.Struct, frozen=True):
    """What somebody wants to see of a run's output."""

    run: str
    attempt: int | None = None
    view: View = "both"
    find: str = ""
    hit: int = 0
    """Which of the lines that were found, from 1; 0 is none in particular."""
    start: int | None = None
    start_err: int | None = None

    def beginning(self, stream: str) -> int | None:
        """Return where the page of a stream begins; None is at its end."""
        return self.start if stream == STREAMS[0] else self.start_err

    def path(self, anchor: str = "output") -> str:
        """Return the path of the page that shows this."""
        given = {
            "attempt": self.attempt,
            "view": None if self.view == "both" else self.view,
            "find": self.find or None,
            "hit": self.hit or None,
            "from": self.start,
            "from_err": self.start_err,
        }
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return f"/runs/{self.run}{'?' * bool(query)}{query}#{anchor}"

    def moved(self, stream: str, start: int | None) -> str:
        """Return the path to another page of one stream."""
        name = "start" if stream == STREAMS[0] else "start_err"
        return msgspec.structs.replace(self, hit=0, **{name: start}).path(stream)


class Stream(msgspec.Struct, frozen=True):
    """A stream of an attempt on a page."""

    name: str
    title: str
    page: LinePage
    size: int
    kept: int
    dropped: int
    is_whole: bool
    is_cut: bool
    is_binary: bool
    first: str | None
    earlier: str | None
    later: str | None
    last: str | None
    download: str

    @property
    def is_at_end(self) -> bool:
        """Tell whether what is written next belongs below."""
        return self.page.later is None


class Found(msgspec.Struct, frozen=True):
    """A line that holds what somebody looks for."""

    stream: str
    number: int
    pieces: Sequence[Piece]
    path: str
    is_current: bool


class Finds(msgspec.Struct, frozen=True):
    """What was found, and the ways to go from one to the next."""

    words: str
    shown: Sequence[Found]
    previous: str | None
    next: str | None
    all: str
    """The way back to everything."""


class Output(msgspec.Struct, frozen=True):
    """All of it."""

    asked: Asked
    attempt: int
    streams: Sequence[Stream]
    finds: Finds | None
    views: Sequence[tuple[str, str, bool]]
    """Words, path, and whether it is this one."""
    nothing: str
    """Why there is nothing to see; nothing if there is."""
    is_live: bool


def _asked(
    run_id: str,
    attempt: Annotated[int | None, Query(ge=1, le=1 << 31)] = None,
    view: View = "both",
    find: Annotated[str, Query(max_length=200)] = "",
    hit: Annotated[int, Query(ge=0, le=MOST_HITS)] = 0,
    start: Annotated[int | None, Query(alias="from", ge=0, le=_LARGEST)] = None,
    start_err: Annotated[int | None, Query(alias="from_err", ge=0, le=_LARGEST)] = None,
) -> Asked:
    return Asked(run_id.upper(), attempt, view, " ".join(find.split()), hit, start, start_err)


AskedOutput = Annotated[Asked, Depends(_asked)]


def written(desk: Desk, run: Run, attempt: int, stream: str) -> Written:
    """Read what was kept of a stream up to now."""
    stretches: list[Stretch] = []
    start = read = 0
    while True:
        chunk = read_output(desk.store, desk.live, run, attempt, stream, start, _PIECE)
        if not chunk.content and not chunk.dropped:
            break
        if stretches and not chunk.dropped:
            before = stretches.pop()
            stretches.append(Stretch(before.start, before.content + chunk.content, before.dropped))
        else:
            stretches.append(Stretch(chunk.start, chunk.content, chunk.dropped))
        start, read = chunk.next, read + len(chunk.content)
        if read >= _MOST:
            break
    return Written(stretches, is_whole=chunk.size is not None, is_cut=read >= _MOST)


def output_of(desk: Desk, run: Run, asked: Asked, now: datetime) -> Output:
    """Read what somebody wants to see."""
    attempt = attempt_of(run, asked.attempt)
    wanted = [stream for stream in STREAMS if asked.view in ("both", "merged", stream)]
    kept = {stream: written(desk, run, attempt, stream) for stream in wanted}
    hits = [(stream, hit) for stream in wanted for hit in kept[stream].find(asked.find)]
    if asked.find and hits and not asked.hit and asked.start is None and asked.start_err is None:
        asked = msgspec.structs.replace(asked, hit=1)
    current = hits[asked.hit - 1] if 0 < asked.hit <= len(hits) else None
    is_live = run.state not in FINAL and attempt in (0, run.attempt)
    return Output(
        asked=asked,
        attempt=attempt,
        streams=[_stream(asked, attempt, stream, kept[stream], current) for stream in wanted],
        finds=_finds(asked, kept, hits) if asked.find else None,
        views=[(word, _viewed(asked, view), view == asked.view) for view, word in VIEWS],
        nothing=_nothing(run, attempt, kept.values(), now),
        is_live=is_live,
    )


def _viewed(asked: Asked, view: View) -> str:
    return Asked(asked.run, asked.attempt, view, asked.find).path()


def _stream(asked: Asked, attempt: int, name: str, kept: Written, current: tuple[str, Hit] | None) -> Stream:
    start = asked.beginning(name)
    if current is not None and current[0] == name:
        page = kept.page_around(current[1].start, asked.find)
    else:
        page = kept.last_page(asked.find) if start is None else kept.page(start, asked.find)
    query = urlencode({"download": "true", "stream": name, "attempt": max(1, attempt)})
    return Stream(
        name=name,
        title=_TITLES[name],
        page=page,
        size=kept.end,
        kept=kept.kept,
        dropped=kept.dropped,
        is_whole=kept.is_whole,
        is_cut=kept.is_cut,
        is_binary=kept.looks_binary,
        first=None if page.earlier is None else asked.moved(name, 0),
        earlier=None if page.earlier is None else asked.moved(name, page.earlier),
        later=None if page.later is None else asked.moved(name, page.later),
        last=None if page.later is None else asked.moved(name, None),
        download=f"/api/v1/runs/{asked.run}/output?{query}",
    )


def _finds(asked: Asked, kept: dict[str, Written], hits: Sequence[tuple[str, Hit]]) -> Finds:
    first = max(0, asked.hit - 1) // _HITS * _HITS
    shown = []
    for number, (stream, hit) in enumerate(hits[first : first + _HITS], first + 1):
        line = kept[stream].line(hit.start, asked.find)
        if line is not None:
            path = _to_hit(asked, number, stream, hit)
            clipped = around_hit(line.pieces, _BEFORE_A_HIT, _LONGEST_FOUND)
            shown.append(Found(stream, hit.number, clipped, path, number == asked.hit))
    return Finds(
        words=_counted(asked, hits),
        shown=shown,
        previous=_to_hit(asked, asked.hit - 1, *hits[asked.hit - 2]) if 1 < asked.hit <= len(hits) else None,
        next=_to_hit(asked, asked.hit + 1, *hits[asked.hit]) if asked.hit < len(hits) else None,
        all=Asked(asked.run, asked.attempt, asked.view).path(),
    )


def _to_hit(asked: Asked, number: int, stream: str, hit: Hit) -> str:
    at = msgspec.structs.replace(asked, hit=number, start=None, start_err=None)
    return at.path(f"{stream}-{hit.start}")


def _counted(asked: Asked, hits: Sequence[tuple[str, Hit]]) -> str:
    if not hits:
        return f"No line holds “{asked.find}”."
    parts, is_more = [], False
    for name in dict.fromkeys(stream for stream, _ in hits):
        count = sum(stream == name for stream, _ in hits)
        is_more = is_more or count == MOST_HITS
        parts.append(f"{count:,}{' or more' * (count == MOST_HITS)} in {name}")
    verb = "line holds" if len(hits) == 1 else "lines hold"
    at = f" This is the {asked.hit:,}{_ordinal(asked.hit)}." if 0 < asked.hit <= len(hits) else ""
    return f"{len(hits):,}{' or more' * is_more} {verb} “{asked.find}”: {', '.join(parts)}.{at}"


def _ordinal(number: int) -> str:
    return "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _nothing(run: Run, attempt: int, kept: Iterable[Written], now: datetime) -> str:
    """Say why there is nothing to see."""
    if any(each.end for each in kept):
        return ""
    if not attempt:
        ended = run.state in FINAL
        return "It never started, so it wrote nothing." if ended else "It has not started yet, so there is no output."
    if run.state is State.RUNNING and attempt == run.attempt:
        return "Nothing written yet."
    if run.ended_at is None or now - run.ended_at < _OUTPUT_IS_SURE:
        return "It wrote nothing."
    return "It wrote nothing, or its output was pruned: it is kept for some time only."

"""What a stream of one run is made of: its output, and the states it goes through, from any place on.

An id is `attempt:stdout:stderr`: the attempt, and how many bytes of each of its streams were passed on. A character
whose bytes have not all come is held back, and the id stays before it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from rota.control import following
from rota.control.following import STREAMS, Follower, Place
from rota.control.host_names import host_names
from rota.control.views import run_view
from rota.errors import NoSuchRun, UsageError
from rota.model.run import FINAL, Run, State

if TYPE_CHECKING:
    from rota.api.streams import Turn

_ID = re.compile(r"(\d{1,9}):(\d{1,18}):(\d{1,18})")
END = "end"


def place_of(event_id: str, run: Run) -> Place:
    """Return where another stream of this run had come to."""
    found = _ID.fullmatch(event_id)
    if found is None:
        raise UsageError(
            f"{event_id[:40]!r} is no place in a run's output; it is attempt:bytes-of-stdout:bytes-of-stderr"
        )
    attempt, out, err = map(int, found.groups())
    spool = run.spool if run.state is State.RUNNING and run.attempt == attempt else None
    return Place(max(0, attempt - 1), attempt > 0, spool or "", (out, err))


def is_at_the_end(place: Place, run: Run) -> bool:
    """Tell whether a stream that had come to a place has nothing more to show of an ended run."""
    return run.state in FINAL and place.told + 1 > run.attempt


class RunSource:
    """Follows one run."""

    def __init__(self, run_id: str, place: Place) -> None:
        self._run_id = run_id
        self._place = place
        self._follower: Follower | None = None
        self._run: Run | None = None
        self._decoders = _decoders()
        self.over = False

    def more(self, turn: Turn, *, changed: bool) -> Iterator[bytes]:
        """Yield what is new; files are open only meanwhile."""
        follower = self._follower = self._follower or Follower(
            turn.desk.store, turn.desk.live, turn.desk.clock, self._run_id, place=self._place
        )
        try:
            run = self._seen(turn, changed=changed)
            if run is None:
                return
            self._run = None  # until all of this look was passed on
            for news in follower.look(run):
                yield from self._told(news, turn)
                if isinstance(news, following.Opened | following.Closed):
                    follower.pass_on(news)
            self._run = follower.latest
            if run.state in FINAL:
                self.over = True
                yield self._message(END, {"run": run_view(run, host_names(turn.desk.store))})
        except NoSuchRun:
            self.over = True
            yield self._message(END, {"run": None})
        finally:
            follower.stand_up()

    def _seen(self, turn: Turn, *, changed: bool) -> Run | None:
        """Return the run if there may be anything new of it."""
        if self._run is not None and not changed and self._run.state is not State.RUNNING:
            return None
        run = turn.desk.store.runs.find(self._run_id)
        if run is None:
            raise NoSuchRun(f"run {self._run_id} is not there any more: it was pruned")
        return run

    def _told(self, news: following.News, turn: Turn) -> Iterator[bytes]:
        match news:
            case following.Opened(attempt=attempt):
                self._decoders = _decoders()
                yield self._message("attempt", {"attempt": attempt})
            case following.Wrote(stream=stream, content=content):
                text = self._decoders[stream].decode(content)
                if text:
                    yield self._message("output", {"stream": stream, "text": text})
            case following.Dropped(stream=stream, count=count):
                self._decoders[stream].reset()
                yield self._message("dropped", {"stream": stream, "bytes": count})
            case following.Closed():
                for stream in STREAMS:
                    rest = self._decoders[stream].decode(b"", final=True)
                    if rest:
                        yield self._message("output", {"stream": stream, "text": rest})
            case following.GivenBack():
                self._decoders = _decoders()
                yield self._message("given_back", {})
            case following.Moved(run=run):
                yield self._message("state", {"run": run_view(run, host_names(turn.desk.store))})

    def _message(self, event: str, data: dict[str, Any]) -> bytes:
        """Return a message whose id is the place behind it."""
        assert self._follower is not None, "a follower has the news"
        place = self._follower.place
        held = [len(self._decoders[stream].getstate()[0]) for stream in STREAMS]
        out, err = (max(0, offset - kept) for offset, kept in zip(place.offsets, held, strict=True))
        head = f"event: {event}\nid: {place.told + 1}:{out}:{err}\ndata: "
        return head.encode() + msgspec.json.encode(data) + b"\n\n"


def _decoders() -> dict[str, codecs.IncrementalDecoder]:
    make = codecs.getincrementaldecoder("utf-8")
    return {stream: make("replace") for stream in STREAMS}

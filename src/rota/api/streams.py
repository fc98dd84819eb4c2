"""Streams of server-sent events: of facts as they are written, and of what a run writes as it writes it.

1. One thread looks at the store, four times a second, for everybody who listens; it is there only while somebody does.
   A stream itself is a coroutine, so five hundred of them are no five hundred threads.
2. Each stream knows its own place, and is given more only while there is room in its queue. So what waits in memory is
   bounded, and who reads slowly is only late: the store keeps what comes next. What the store has let go meanwhile, or
   what is too much to be caught up with, is said (`missed`, `dropped`), with the place where it goes on.
3. Every message carries an id from which another stream can go on (`Last-Event-ID`), and a stream ends by itself after
   a while: whoever comes back shows again who they are.
4. Files of running attempts are open only during a look, so streams use no descriptors but their own.
5. Every other second it is looked whether those who listen may still: a stream ends when what opened it has expired or
   was revoked, or when its owner may no longer read. Streams of one credential are one question. (An access token is
   good as long as its sign-in is; one that runs out keeps what it has opened for the ten minutes of 3 at most.)
6. There are so many at most. Who comes then is told to come back, and there is room left for requests.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Protocol

import msgspec
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Asgi

from rota.api.problems import problem
from rota.api.run_source import RunSource
from rota.control.desk import Desk, Desks
from rota.control.following import Place
from rota.control.views import event_view
from rota.errors import RotaError, StoreUnavailable
from rota.model.access import Scope, Who

HEARTBEAT = 15.0
MEDIA_TYPE = "text/event-stream"
_LOOK = 0.25
_CHECK = 2.0
"""After so many seconds it is looked again who may still listen."""
_LONGEST = 600.0
_PATIENCE = 60.0
"""So long a reader may take for what has been sent already."""
_ROOM = 256 << 10
"""So many bytes wait for one reader at most, and one message more."""
_PIECE = 64 << 10
"""So many bytes are sent at once, and one message more."""
_A_READ = 200
MOST_BEHIND = 5_000
MOST_STREAMS = 600
"""Fewer than the server has connections, by what requests need."""
_COME_BACK = "5"
_RETRY = b"retry: 2000\n\n"
_STILL_HERE = b": still here\n\n"


def frame(data: object, event_id: object = None, event: str = "") -> bytes:
    """Return one message; JSON has no line breaks of its own."""
    head = f"event: {event}\n" if event else ""
    head += f"id: {event_id}\n" if event_id is not None else ""
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


class Source(Protocol):
    """What a stream gets its messages from; it is asked by the watching thread alone."""

    def more(self, turn: Turn, *, changed: bool) -> Iterator[bytes]:
        """Yield what is new; whoever stops in between loses nothing.

        `changed`: somebody has committed since this was asked the last time.
        """
        ...

    @property
    def over(self) -> bool:
        """Tell whether there is nothing to come."""
        ...


class Turn:
    """One look at the store, shared by all streams."""

    def __init__(self, desk: Desk, *, changed: bool) -> None:
        self.desk = desk
        self.changed = changed
        """Somebody has committed since the turn before."""
        self._bounds: tuple[int, int] | None = None
        self._read: dict[int, list[tuple[int, str | None, bytes]]] = {}

    @property
    def bounds(self) -> tuple[int, int]:
        """The oldest event that is kept, and the newest."""
        if self._bounds is None:
            self._bounds = self.desk.store.ledger.event_bounds()
        return self._bounds

    def events(self, after: int) -> list[tuple[int, str | None, bytes]]:
        """Return events as messages, read once for all streams that are at the same place."""
        if after not in self._read:
            found = self.desk.store.ledger.events(after, _A_READ)
            self._read[after] = [(event.seq, event.job, frame(event_view(event), event.seq)) for event in found]
        return self._read[after]


class EventSource:
    """Facts, after a place; of one job, if it is named."""

    def __init__(self, after: int | None, job: str | None) -> None:
        self._after = after
        self._job = job
        self._caught_up = False
        self.over = False

    def more(self, turn: Turn, *, changed: bool) -> Iterator[bytes]:
        """Yield the facts that are new."""
        if self._caught_up and not changed:
            return
        self._caught_up = False
        oldest, newest = turn.bounds
        if self._after is None or self._after > newest:
            self._after = newest
        goes_on = max(oldest - 1, newest - MOST_BEHIND)
        if self._after < goes_on:
            self._after, left = goes_on, self._after
            yield frame({"after": left, "until": goes_on}, goes_on, "missed")
        while found := turn.events(self._after):
            for seq, job, message in found:
                self._after = seq
                if self._job in (None, job):
                    yield message
        self._caught_up = True


class Stream:
    """One reader."""

    def __init__(self, streams: Streams, source: Source, who: Who) -> None:
        self._streams = streams
        self._source = source
        self.who = msgspec.structs.replace(who, address="")  # who they are, wherever they are
        self._loop = asyncio.get_running_loop()
        self._ready: deque[bytes] = deque()
        self._put = self._taken = 0  # bytes; each is counted by one thread only
        self._wake = asyncio.Event()
        self._behind = False
        """Something has changed since it was given anything."""
        self._wants_more = False
        """There was no room for all that there was to say."""
        self.over = False
        """Nothing more is given to it."""

    def fill(self, turn: Turn) -> None:
        """Give it what is new, as long as there is room: in the watching thread."""
        before = self._put
        self._behind = self._behind or turn.changed
        if not self._is_full():
            changed, self._behind, self._wants_more = self._behind, False, False
            for message in self._source.more(turn, changed=changed):
                self._ready.append(message)
                self._put += len(message)
                if self._is_full():
                    self._wants_more = True
                    break
        if self._source.over:
            self.end()
        elif self._put != before:
            self._rouse()

    def _is_full(self) -> bool:
        return self._put - self._taken >= _ROOM

    def end(self) -> None:
        """Let it end when what is ready has been read: from any thread."""
        self.over = True
        self._rouse()

    def _rouse(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._wake.set)

    def cut(self) -> None:
        """Let it end without what is ready: from the watching thread."""
        self._ready.clear()
        self.end()

    def _take(self) -> bytes:
        """Take what is ready, many messages as one: hundreds of streams times hundreds of facts are too many writes.

        A piece is not all that there may be, so that a slow reader has time for each.
        """
        found: list[bytes] = []
        size = 0
        with suppress(IndexError):  # there is nothing more, perhaps because the stream was just cut
            while size < _PIECE:
                found.append(self._ready.popleft())
                size += len(found[-1])
        self._taken += size
        return b"".join(found)

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield what there is to send, and now and then a sign of life."""
        end = self._loop.time() + _LONGEST
        yield _RETRY
        while True:
            self._wake.clear()
            over = self.over or self._loop.time() > end  # asked before the last is taken: it comes from another thread
            while piece := self._take():
                yield piece
            if over:
                return
            if self._wants_more:
                self._streams.hurry()
            try:
                await asyncio.wait_for(self._wake.wait(), HEARTBEAT)
            except TimeoutError:
                yield _STILL_HERE

    def leave(self) -> None:
        """Be forgotten."""
        self._streams.leave(self)


class Streams:
    """All readers, and the thread that looks for them."""

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._thread: threading.Thread | None = None
        self._awake = threading.Event()
        self._closed = False

    def events(self, after: int | None, job: str | None, who: Who) -> Response:
        """Return a stream of facts for somebody."""
        return self._opened(EventSource(after, job), who)

    def output(self, run_id: str, place: Place, who: Who) -> Response:
        """Return a stream of what a run writes and of the states that it goes through for somebody."""
        return self._opened(RunSource(run_id, place), who)

    def close(self) -> None:
        """End all streams, because the process does."""
        with self._lock:
            self._closed = True
            left = list(self._streams)
        for stream in left:
            stream.end()
        self._awake.set()

    def hurry(self) -> None:
        """Look at once: somebody has room for what is there already."""
        self._awake.set()

    def leave(self, stream: Stream) -> None:
        """Forget a reader."""
        with self._lock:
            self._streams.discard(stream)

    def _opened(self, source: Source, who: Who) -> Response:
        stream = Stream(self, source, who)
        with self._lock:
            if len(self._streams) >= MOST_STREAMS:
                return _refused()
            if self._closed:
                stream.end()
            self._streams.add(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="streams", daemon=True)
                self._thread.start()
        self._awake.set()
        return _Response(stream)

    def _watch(self) -> None:
        """Look for everybody until nobody is left.

        A store that cannot be read for a moment makes everybody wait. If it is worse, all streams end: readers come
        back to their places, and are told then what is wrong.
        """
        alone = False
        try:
            with suppress(RotaError), self._desks.borrow() as desk:
                self._look_on(desk)
                alone = True
        finally:
            if not alone:
                self._end_all()

    def _look_on(self, desk: Desk) -> None:
        changed, check_at = True, desk.clock.monotonic() + _CHECK
        while streams := self._present():
            self._awake.clear()
            with suppress(StoreUnavailable):
                if desk.clock.monotonic() >= check_at:
                    _cut_strangers(desk, streams)
                    check_at = desk.clock.monotonic() + _CHECK
                changed = desk.store.changed_by_others() or changed
                turn = Turn(desk, changed=changed)
                for stream in streams:
                    stream.fill(turn)
                changed = False
            self._awake.wait(_LOOK)

    def _present(self) -> list[Stream]:
        """Return who is to be looked for; whoever has ended only reads what is ready."""
        with self._lock:
            self._streams = {stream for stream in self._streams if not stream.over}
            if not self._streams:
                self._thread = None
            return list(self._streams)

    def _end_all(self) -> None:
        with self._lock:
            self._thread = None
            left = list(self._streams)
        for stream in left:
            stream.end()


def _cut_strangers(desk: Desk, streams: list[Stream]) -> None:
    """End the streams of those who would not be let in now."""
    known = {who: desk.accounts.still_knows(who, Scope.READ) for who in {stream.who for stream in streams}}
    for stream in streams:
        if not known[stream.who]:
            stream.cut()


def _refused() -> Response:
    detail = f"{MOST_STREAMS} streams are open here, and more are not served; ask again later, or ask without a stream"
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-streams", detail, {"Retry-After": _COME_BACK})


def streams_of(request: Request) -> Streams:
    """Return where a request's stream is opened."""
    streams: Streams = request.app.state.streams
    return streams


class _Response(StreamingResponse):
    """A stream that gives up on whoever takes nothing."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream.messages(), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
        self._stream = stream

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Send it."""

        async def patiently(message: Message) -> None:
            await asyncio.wait_for(send(message), _PATIENCE)

        try:
            with suppress(TimeoutError):
                await super().__call__(scope, receive, patiently)
        finally:  # whoever has gone before the first byte has taken a place as well
            self._stream.leave()

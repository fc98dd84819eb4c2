"""Telling what all runs do, as it happens: beginnings, every line that is written, ends; and slots that were skipped.

The store's events, in order, say when to look at which run; the run's own record and its output say what there is to
tell. A look tells all of a run up to now, so it may be ahead of the events: a run is remembered until the event of its
end has been read, or that event would begin it anew. Only what is active is remembered, however far behind a look is.

Where this is can be kept (`cursor`) and taken up by the next teller: the last event, and for each active run the
attempt and how far its output was told. The cursor is true after every single fact. Whoever writes facts down keeps the
cursor after that, so nothing is lost; but a kill between the two tells what lies between them once more.

- A line without its end is held back until there is more, or the attempt has ended. The cursor stays before it.
- Of a run that writes more than a quarter of a megabyte a second for minutes, parts are left out, and told as such: a
  runaway log must not fill the disk in another place instead. What counts is what it costs in the log.
- A job that empties its own output and then writes at least as many bytes as were there before the next look cannot be
  told from one that goes on: those bytes are not told. `rota logs` shows them.
- The first teller of all begins with what is running now, and not with history; or, if the engine that it was started
  by has just begun itself, with the beginning of that.
- Events that were pruned before they were read are told as one note; active runs are looked at all the same. A run that
  was pruned itself is told as gone.
- A skip that is taken back, because the clock was wrong, may let the skip that comes in its place go untold.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from rota.control import following
from rota.control.facts import Began, Ended, Fact, Lines, Noted, Skipped
from rota.control.following import STREAMS, Allowance, Follower, Place, ended_attempts
from rota.control.skipping import SkipPlace, Skips
from rota.control.whole_lines import split_lines
from rota.errors import NoSuchRun
from rota.model.job import Job
from rota.model.ledger import Event
from rota.model.run import FINAL, Attempt, Run, State
from rota.model.settlement import RunFilter
from rota.ports import Clock, LiveOutputs, Store

_EVENTS_A_LOOK = 500
_RUNS_A_PAGE = 500
_VERSION = 1
_JUST_NOW = timedelta(seconds=10)
_AT_ONCE, _A_SECOND = 64 << 20, 256 << 10
"""So many bytes of one run's output are told in any case, and so many for each second that it goes on."""
_A_LINE = 40
"""What a line costs besides its bytes: its time, its job and its stream stand before it."""


class _RunPlace(msgspec.Struct, frozen=True, array_like=True):
    run: str
    place: Place
    done: bool


class _Cursor(msgspec.Struct, frozen=True):
    version: int
    event: int
    skips: SkipPlace
    runs: list[_RunPlace]


class _Watch:
    """One active run: how far it was told, and the lines of it that have no end yet."""

    def __init__(self, follower: Follower, *, done: bool = False) -> None:
        self.follower = follower
        self.done = done
        """All of it was told, ahead of the event that says so."""
        self.run: Run | None = None
        """As it was seen last."""
        self.held = dict.fromkeys(STREAMS, b"")

    @property
    def place(self) -> Place:
        """How far it was told: what is held was not."""
        place = self.follower.place
        out, err = (
            max(0, offset - len(self.held[stream])) for stream, offset in zip(STREAMS, place.offsets, strict=True)
        )
        return msgspec.structs.replace(place, offsets=(out, err))


class Teller:
    """Tells facts, look by look; it never waits."""

    def __init__(self, store: Store, live: LiveOutputs, clock: Clock, kept: str | None) -> None:
        self._store = store
        self._live = live
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._skips = Skips(store)
        self._event = 0
        self._away = False
        """Another teller was here before, and nobody knows how long ago."""
        self.behind = True
        """There is more to tell at once."""
        cursor = _decode(kept)
        if cursor is None:
            self._begin_with_now()
        else:
            self._go_on(cursor)

    @property
    def cursor(self) -> str:
        """Where this is, for the next teller: behind every fact that was told."""
        runs = [_RunPlace(run_id, watch.place, watch.done) for run_id, watch in self._watches.items()]
        return msgspec.json.encode(_Cursor(_VERSION, self._event, self._skips.place, runs)).decode()

    @property
    def listens(self) -> bool:
        """Tell whether any run is running, so that its output is worth a look."""
        return any(_is_running(watch) for watch in self._watches.values())

    def look(self) -> Iterator[Fact]:
        """Tell what is new, once around; whoever stops in between loses nothing.

        1. Look at every run that an earlier teller has left.
        2. If anything has been committed: read events, and look at each run that they are about; then the skips.
        3. Look at what running attempts have written.
        """
        self.behind = self._store.changed_by_others() or self.behind
        for run_id, watch in list(self._watches.items()):
            if watch.run is None and not watch.done:
                yield from self._visit(run_id, watch)
        if self.behind:
            events = self._store.ledger.events(self._event, _EVENTS_A_LOOK)
            yield from self._note_gap(events)
            for event in events:
                yield from self._heed(event)
                self._event = event.seq
            yield from self._skips.new(self._clock.now())
            self.behind = len(events) == _EVENTS_A_LOOK
        for run_id, watch in list(self._watches.items()):
            if _is_running(watch):
                yield from self._listen(run_id, watch)

    def close(self) -> None:
        """Let the files of running attempts go."""
        for watch in self._watches.values():
            watch.follower.stand_up()

    # -- where to begin -----------------------------------------------------------------------------------------------

    def _begin_with_now(self) -> None:
        """Begin after the last event, and take what is running or waiting for another attempt along."""
        _, self._event = self._store.ledger.event_bounds()
        begun = self._begun_since_the_engine()
        self._skips.begin_with_now()
        before: str | None = None
        while runs := self._store.runs.page(RunFilter(state="active"), before, _RUNS_A_PAGE):
            for run in runs:
                if run.attempt and run.id not in begun:
                    self._watches[run.id] = self._watch(run.id, Place(told=ended_attempts(run)))
            before = runs[-1].id

    def _begun_since_the_engine(self) -> set[str | None]:
        """Go back to the start of the engine, if that was just now; return the runs that have begun since then."""
        recent = self._store.ledger.events(max(0, self._event - _EVENTS_A_LOOK), _EVENTS_A_LOOK)
        since = self._clock.now() - _JUST_NOW
        starts = [event.seq for event in recent if event.kind == "engine.started" and event.at > since]
        if not starts:
            return set()
        self._event = starts[-1]
        return {event.run_id for event in recent if event.kind == "run.running" and event.seq > self._event}

    def _go_on(self, cursor: _Cursor) -> None:
        self._event, self._away = cursor.event, True
        self._skips.go_on(cursor.skips)
        for kept in cursor.runs:
            self._watches[kept.run] = self._watch(kept.run, kept.place, done=kept.done)

    def _note_gap(self, events: list[Event]) -> Iterator[Fact]:
        if not events:
            return
        away, self._away = self._away, False
        missing = events[0].seq - self._event - 1
        if away and missing > 0:
            self._event = events[0].seq - 1
            # The events of their ends may be among the missing ones.
            self._watches = {run_id: watch for run_id, watch in self._watches.items() if not watch.done}
            text = f"{missing:,} events were pruned before they could be told here; `rota runs` shows what is left"
            yield Noted(text, self._clock.now())

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _heed(self, event: Event) -> Iterator[Fact]:
        """Look at the run that an event is about, if the event may mean something new."""
        if event.kind == "job.missed":
            yield from self._missed(event)
        if event.run_id is None or not event.kind.startswith("run."):
            return
        watch, state = self._watches.get(event.run_id), State(event.kind.removeprefix("run."))
        if watch is None and state is State.RUNNING:
            watch = self._watches[event.run_id] = self._watch(event.run_id, Place())
        if watch is None:
            if state is State.CANCELLED:
                yield from self._never_began(event)
            return
        if not watch.done:
            yield from self._visit(event.run_id, watch)
        if state in FINAL:
            self._drop(event.run_id)

    def _never_began(self, event: Event) -> Iterator[Fact]:
        """Tell of a run that was cancelled before its first attempt; others were told already."""
        run = self._store.runs.find(event.run_id or "")
        if run is not None and run.attempt == 0:
            self._event = event.seq
            yield self._without_attempt(run)

    def _missed(self, event: Event) -> Iterator[Fact]:
        data = event.data
        slot = self._skips.last_slot_of(event.job or "", event.at)
        self._event = event.seq
        yield Skipped(event.job or "", int(data.get("count", "1")), slot, data.get("reason", ""), event.at)

    def _visit(self, run_id: str, watch: _Watch) -> Iterator[Fact]:
        """Look at a run that has changed."""
        watch.run = self._store.runs.find(run_id)
        if watch.run is None:
            yield from self._gone(run_id)
        else:
            yield from self._listen(run_id, watch)

    def _gone(self, run_id: str) -> Iterator[Fact]:
        self._drop(run_id)
        yield Noted(f"run {run_id} was pruned before all of it could be told here", self._clock.now())

    def _listen(self, run_id: str, watch: _Watch) -> Iterator[Fact]:
        """Tell what is new of a run, and remember how it was seen last."""
        assert watch.run is not None, "only runs that were found are listened to"
        run = watch.run
        try:
            yield from self._news_of(watch, run)
        except NoSuchRun:
            yield from self._gone(run_id)
            return
        if run.state not in FINAL:
            watch.run = watch.follower.latest
            return
        if not watch.done:
            between = run.state is State.CANCELLED and (
                run.attempt == 0 or self._ending(run, run.attempt).again is not None
            )
            watch.done = True
            if between:
                yield self._without_attempt(run)

    def _news_of(self, watch: _Watch, run: Run) -> Iterator[Fact]:
        follower = watch.follower
        yield from self._spill(watch, run, self._clock.now())
        end = self._end_if_ended(run, follower.place.told + 1)
        for news in follower.look(run):
            now = self._clock.now()
            match news:
                case following.Opened(attempt=attempt):
                    end = self._end_if_ended(run, attempt)
                    started = run.started_at if end is None else end.started_at or end.at
                    began = Began(run.job, self._job_of(run).action, attempt, started or now)
                    follower.pass_on(news)
                    yield began
                case following.Wrote(stream=stream, content=content):
                    watch.held[stream] += content
                    yield from self._spill(watch, run, now if end is None else min(now, end.at))
                case following.Dropped(stream=stream, count=count):
                    lines, watch.held[stream] = [watch.held[stream]] if watch.held[stream] else [], b""
                    yield Lines(run.job, stream, lines, now if end is None else min(now, end.at), count)
                case following.Closed(attempt=attempt):
                    end = self._ending(run, attempt)
                    yield from self._spill(watch, run, min(now, end.at), last=True)
                    follower.pass_on(news)
                    yield end
                case following.GivenBack():
                    watch.held = dict.fromkeys(STREAMS, b"")
                    text = f"Task {run.job!r} had not started when its engine ended; it is queued again"
                    yield Noted(text, now)
                case _:
                    pass

    def _spill(self, watch: _Watch, run: Run, at: datetime, *, last: bool = False) -> Iterator[Fact]:
        """Tell the whole lines of what is held; at an attempt's end the rest as well."""
        for stream in STREAMS:
            if watch.held[stream]:
                lines, watch.held[stream] = split_lines(watch.held[stream], last=last)
                if lines:
                    yield Lines(run.job, stream, lines, at)

    def _end_if_ended(self, run: Run, attempt: int) -> Ended | None:
        return self._ending(run, attempt) if attempt <= ended_attempts(run) else None

    def _ending(self, run: Run, attempt: int) -> Ended:
        """Return how an attempt ended: as the run itself did, unless another was to follow."""
        timeout = self._job_of(run).policy.timeout
        record = None
        if attempt < run.attempt or run.state not in FINAL or run.state is State.CANCELLED:
            record = next((one for one in self._store.runs.attempts(run.id) if one.attempt == attempt), None)
        if record is None:
            at = run.ended_at or self._clock.now()
            return Ended(run.job, run.state, attempt, run.started_at, at, run.exit_code, run.reason, timeout)
        ready = run.ready_at if attempt == run.attempt else None
        return _ended_as(record, run.job, timeout, ready)

    def _without_attempt(self, run: Run) -> Ended:
        """Return the end of a run that was cancelled while it waited for its first or another attempt."""
        at = run.ended_at or self._clock.now()
        return Ended(run.job, run.state, run.attempt + 1, None, at, None, run.reason, None)

    def _job_of(self, run: Run) -> Job:
        return self._store.jobs.definition(run.definition_id)

    def _watch(self, run_id: str, place: Place, *, done: bool = False) -> _Watch:
        allowance = Allowance(self._clock, _AT_ONCE, _A_SECOND, a_line=_A_LINE)
        follower = Follower(self._store, self._live, self._clock, run_id, place=place, allowance=allowance)
        return _Watch(follower, done=done)

    def _drop(self, run_id: str) -> None:
        watch = self._watches.pop(run_id, None)
        if watch is not None:
            watch.follower.stand_up()


def _is_running(watch: _Watch) -> bool:
    return watch.run is not None and watch.run.state is State.RUNNING


def _ended_as(record: Attempt, job: str, timeout: timedelta | None, ready_at: datetime | None) -> Ended:
    return Ended(
        job,
        record.state,
        record.attempt,
        record.started_at,
        record.ended_at,
        record.exit_code,
        record.reason,
        timeout,
        again=record.attempt + 1,
        again_at=ready_at,
    )


def _decode(kept: str | None) -> _Cursor | None:
    """Read a cursor; one that this version cannot read is none."""
    if kept is None:
        return None
    try:
        cursor = msgspec.json.decode(kept, type=_Cursor)
    except msgspec.DecodeError:
        return None
    return cursor if cursor.version == _VERSION else None

"""What `rota tell` does: everything that runs do and write goes into one log, as long as the engine lives.

What is told comes from the store and from the files of running attempts (control/telling.py), and goes into the log
(observe/task_log.py). What the engine says of itself comes from its own log (observe/engine_lines.py), and stands by
its time between the runs. How far both have come is kept in the store, as facts of the log's path, about once a second
and at the end; always after the lines are in the file. A kill between the two writes down to a second of lines once
more; it loses none. A log that cannot be written, or a store that cannot be used now, is tried again each second:
nothing new is read meanwhile, so nothing is lost, and memory does not grow.

A place that was kept is changed only as long as it is the one that was kept last: the engine drops it when nobody wants
the log any more, and what still writes must not bring it back.

Two of these on one log (an engine was killed, and the next one is there before the first one's helper has ended) take
turns: the second reads how far the first has come when that has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from rota.clock import SystemClock
from rota.control.facts import Began, Ended, Fact, Lines, Noted, Skipped
from rota.control.live import LiveAnywhere
from rota.control.telling import Teller
from rota.errors import BadHome, RotaError, StoreUnavailable
from rota.observe.engine_lines import EngineLines
from rota.observe.task_log import TaskLog
from rota.ports import Clock, Store
from rota.process.leash import Leash
from rota.process.limits import raise_file_limit
from rota.process.live import SpoolReader
from rota.process.turn import Turn
from rota.wiring.homes import has_store, home_identity, keep_to_zone, open_store
from rota.wiring.told import cursor_key, lines_key

_A_BATCH = 1 << 18
_MUCH = 1 << 20
"""After a look that brought so much, the next one follows at once."""
_SAVE = 1.0
_TROUBLE = 1.0
_RUNNING, _IDLE = 0.25, 0.5
_LAST_WORDS = 1.5
"""How long it may go on when it is to end."""
_PATIENCE = 0.5
_MY_TURN, _LONG_WAIT = 0.1, 5.0

Say = Callable[[str], None]
_Places = tuple[str, str]
"""How far events and output were told, and how far the engine's own log."""


def tell(home: str, path: str, say: Say) -> None:
    """Write what runs do into the log of a path, until the engine that started this has gone, or somebody asks."""
    if not has_store(home):
        raise BadHome(f"there is no rota home at {home}; `rota init` makes one, or name another with --home")
    raise_file_limit()
    keep_to_zone()
    clock = SystemClock()
    turn = Turn(os.path.join(home, f"tell-{_short_name(path)}.lock"))
    with Leash() as leash:
        try:
            if not _wait_for(
                turn, leash, clock, lambda: say(f"another `rota tell` writes {path}; waiting for its end")
            ):
                return
            scribe = _start(lambda: _store(home), partial(Scribe, clock, home, path, say), leash, say)
            if scribe is not None:
                scribe.go_on(leash)
        finally:
            turn.release()


def _wait_for(turn: Turn, leash: Leash, clock: Clock, say_so: Callable[[], None]) -> bool:
    """Wait for the turn; False when it is time to end before that."""
    said_at = clock.monotonic() + _LONG_WAIT
    while not turn.take():
        if clock.monotonic() >= said_at:
            said_at = float("inf")
            say_so()
        if leash.wait(_MY_TURN):
            return False
    return True


def _short_name(path: str) -> str:
    from hashlib import blake2s

    return blake2s(os.fsencode(path), digest_size=6).hexdigest()


def _store(home: str) -> Store:
    return open_store(home, engine=False, patience=_PATIENCE)


def _start(open_store: Callable[[], Store], scribe: Callable[[Store], Scribe], leash: Leash, say: Say) -> Scribe | None:
    """Open the store and begin, however long that takes; None when it is time to end before that."""
    said = False
    while True:
        store: Store | None = None
        try:
            store = open_store()
            return scribe(store)
        except StoreUnavailable as error:
            if store is not None:
                store.close()
            if not said:
                say(str(error))
            said = True
        if leash.wait(_TROUBLE):
            return None


class Scribe:
    """Joins a teller and a log: looks, writes down, keeps the place."""

    def __init__(self, clock: Clock, home: str, path: str, say: Say, store: Store) -> None:
        self._clock = clock
        self._say = say
        self._store = store
        self._keys = (cursor_key(path), lines_key(path))
        self._log = TaskLog(path)
        self._saved = self._kept()
        here = SpoolReader(os.path.join(home, "spool"))
        live = LiveAnywhere(store, home_identity(store, home), here) if store.is_shared else here
        self._teller = Teller(store, live, clock, self._saved[0])
        self._lines = EngineLines(os.path.join(home, "rota.log"), self._saved[1], clock.now())
        self._safe: _Places = self._places()
        """Behind everything that is in the file."""
        self._ending = self._dropped = False
        self._saved_at = float("-inf")
        self._trouble: dict[str, str] = {}
        """What is wrong now, by what it is wrong with."""
        self._told = 0

    def go_on(self, leash: Leash) -> None:
        """Tell until it is time to end; then what there is up to now, if that is soon told."""
        self._heard("log", self._log.open())
        pause = 0.0
        while not leash.wait(pause):
            pause = self._turn(float("inf"))
        self._ending = True
        deadline = self._clock.monotonic() + _LAST_WORDS
        self._turn(deadline)
        while (self._teller.behind or self._lines.more) and not self._trouble and self._clock.monotonic() < deadline:
            self._turn(deadline)
        self._end()

    def _turn(self, deadline: float) -> float:
        """Tell what is new, keep the place, and return how long to rest."""
        try:
            if self._write():
                self._look(deadline)
            self._save()
            self._heard("store", "")
        except StoreUnavailable as error:
            self._heard("store", str(error))
        if self._trouble:
            return _TROUBLE
        if self._teller.behind or self._lines.more or self._told >= _MUCH:
            return 0.0
        return _RUNNING if self._teller.listens else _IDLE

    def _look(self, deadline: float) -> None:
        """Write down what is new of runs, and between that by its time what the engine has said of itself.

        Its log has whole seconds. In the same second the engine comes first: that it serves stands before what it
        starts. At its end it comes last, because it waits for the ends of its runs.
        """
        self._told = 0
        self._lines.look()
        for fact in self._teller.look():
            before = self._log.pending
            self._copy(self._lines.take(fact.at, including=not self._ending))
            write_down(fact, self._log)
            self._told += self._log.pending - before
            if self._log.pending >= _A_BATCH and not self._write():
                return
            if self._clock.monotonic() >= deadline:
                break
        if not self._teller.behind:
            self._copy(self._lines.take())
        self._write()

    def _copy(self, lines: list[str]) -> None:
        for line in lines:
            self._log.copied(line)

    def _write(self) -> bool:
        """Bring what was told into the file; only what is there counts as told."""
        untried = "log" in self._trouble and not self._log.pending
        self._heard("log", self._log.open() if untried else self._log.flush())
        if self._log.pending:
            return False
        self._safe = self._places()
        return True

    def _places(self) -> _Places:
        return self._teller.cursor, self._lines.place

    def _kept(self) -> tuple[str | None, str | None]:
        cursor, lines = (self._store.upkeep.fact(key) for key in self._keys)
        return cursor, lines

    def _save(self, *, last: bool = False) -> None:
        now = self._clock.monotonic()
        if self._dropped or self._safe == self._saved or (now - self._saved_at < _SAVE and not last):
            return
        self._log.sync()
        with self._store.transaction():
            self._dropped = self._kept() != self._saved
            if not self._dropped:
                for key, place in zip(self._keys, self._safe, strict=True):
                    self._store.upkeep.put_fact(key, place)
        self._saved, self._saved_at = self._safe, now

    def _end(self) -> None:
        try:
            self._save(last=True)
        finally:
            self._teller.close()
            self._lines.close()
            self._log.close()
            self._store.close()
        if self._log.pending:
            raise RotaError(f"{self._trouble.get('log', '')}; what could not be written is told the next time")

    def _heard(self, what: str, trouble: str) -> None:
        """Say once what is wrong, and that it is over."""
        before = self._trouble.pop(what, "")
        if trouble:
            self._trouble[what] = trouble
        if trouble and not before:
            self._say(f"{trouble}. What is not written waits where it is, and is tried again every second")
        elif before and not trouble:
            self._say(f"the {what} can be used again")


def write_down(fact: Fact, log: TaskLog) -> None:
    """Turn a fact into lines."""
    match fact:
        case Began(job=job, action=action, attempt=attempt, at=at):
            log.began(job, action, attempt, at)
        case Lines(job=job, stream=stream, lines=lines, at=at, dropped=dropped):
            log.wrote(job, stream, lines, at)
            if dropped is not None:
                log.dropped(job, stream, dropped, at)
        case Ended():
            log.ended(
                fact.job,
                fact.state,
                fact.attempt,
                started_at=fact.started_at,
                at=fact.at,
                exit_code=fact.exit_code,
                reason=fact.reason,
                timeout=fact.timeout,
                again=fact.again,
                again_at=fact.again_at,
            )
        case Skipped(job=job, count=count, last_slot=last_slot, reason=reason, at=at):
            log.skipped(job, count, last_slot, reason, at)
        case Noted(text=text, at=at):
            log.noted(text, at)

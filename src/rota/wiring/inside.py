"""An engine in somebody's own program, put together: in memory, or on a home that outlives the program."""

from __future__ import annotations

import atexit
import os
import shutil
import threading
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.control.applying import Applier
from rota.control.editing import Editor
from rota.control.questions import Questions
from rota.control.verbs import Verbs
from rota.engine.background import Background
from rota.engine.loop import Engine
from rota.engine.settings import EngineSettings
from rota.errors import EngineRunning, RotaError
from rota.ids import RunIds
from rota.model.action import Function
from rota.model.job import Job
from rota.observe.python_logging import PythonLog
from rota.ports import Clock, Store
from rota.process.inside import InsideLauncher
from rota.process.launcher import ProcessLauncher
from rota.process.limits import most_places
from rota.process.lock import FEW_TRIES, IN_PROGRAM, EngineLock
from rota.process.poke import PokeListener, poke
from rota.process.watch import new_watcher
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore
from rota.wiring.fleet import clock_of, member_of
from rota.wiring.homes import home_identity, open_store, zone_warning
from rota.wiring.serving import settle_in
from rota.wiring.standby import Standby
from rota.wiring.stores import name_store

if TYPE_CHECKING:
    import asyncio

Functions = Callable[[Function], Callable[..., Any] | None]
Payloads = Callable[[Job], bytes | None]


class Locked:
    """The lock of a household that is nobody's any more, or in a fork of its program: nobody gets it."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __enter__(self) -> NoReturn:
        raise RotaError(self._why)

    def __exit__(self, kind: object, error: object, trace: object, /) -> None:
        """Nothing was taken."""


def _drop_directory(path: str, program: int) -> None:
    if os.getpid() == program:  # a fork has no part in it
        shutil.rmtree(path, ignore_errors=True)


def _forget(household: weakref.ref[Household]) -> None:
    found = household()
    if found is not None:
        found.forget()


_TURNING: set[Household] = set()
"""Those whose engine turns; nobody else need hold on to them."""
_GRACE_AT_EXIT = 1.0
_RESTART = 3.0
"""An engine that is started again is back by then."""


@atexit.register
def _end_with_the_program() -> None:
    """When the program ends and nobody has stopped them: in memory nothing outlives it, on a home everything may."""
    for household in list(_TURNING):
        if household.is_here:
            household.stop(0.0, kill=household.in_memory, grace=_GRACE_AT_EXIT)
            household.close()


class Asked:
    """Pokes of this program itself, and of others where there are any."""

    def __init__(self, others: PokeListener | None) -> None:
        self._others = others
        self.asked = False

    def drain(self) -> bool:
        """Tell whether anybody has asked the engine to look at the store now."""
        asked, self.asked = self.asked, False
        return (self._others is not None and self._others.drain()) or asked


class Household:
    """A store, the verbs on it, and an engine if this program has it; all of it under one lock.

    On a home that another engine serves already, this program is a client: it asks, that engine does, until it ends.
    """

    def __init__(
        self,
        home: str | None,
        settings: EngineSettings,
        functions: Functions,
        payloads: Payloads,
        environment: Mapping[str, str],
        clock: Clock | None = None,
        store: str | None = None,
    ) -> None:
        self._turns = threading.RLock()
        self.lock: threading.RLock | Locked = self._turns
        self._stopping = threading.Lock()
        """Who stops while somebody else does, waits for that."""
        self._unserved_since: float | None = None
        self.begun = threading.Event()
        """Set while an engine of ours turns."""
        self._own_clock: Clock = clock or SystemClock()
        self.log = PythonLog()
        self.in_memory = home is None
        self._settings, self._functions, self._payloads = settings, functions, payloads
        self._environment = dict(environment)
        self.home = mkdtemp(prefix="rota-") if home is None else home
        if home is None:  # also when nobody closes this, and the program ends
            self._drop_directory = weakref.finalize(self, _drop_directory, self.home, os.getpid())
        else:
            if store is not None:
                name_store(home, store)
            prepare_home(home)
        if warning := zone_warning():
            self.log.warning(warning)
        self._lock_file = EngineLock(self.home)
        self.background: Background | None = None
        self._standby: Standby | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        """Where coroutine functions are to run, if not on a loop of the launcher's own."""
        self._launcher: InsideLauncher | None = None
        self._pokes: PokeListener | None = None
        self.store: Store = self._open()
        self.clock: Clock = clock_of(self.store, self._own_clock, asks_by_itself=True)
        self.home_id = home_identity(self.store, self.home)
        self._verbs_of()
        self._program = os.getpid()
        os.register_at_fork(after_in_child=partial(_forget, weakref.ref(self)))

    def forget(self) -> None:
        """In a fork of the program: leave everything to the program, whose it is; the engine's thread is not here.

        Only the lock's descriptor is closed: as long as anybody has it, nobody else could take the home.
        """
        self.lock = Locked(
            f"this scheduler belongs to the program that this one was forked from (pid {self._program}); "
            "make another one here"
        )
        self._stopping = threading.Lock()
        self.background = self._standby = None
        self._lock_file.abandon()
        _TURNING.discard(self)

    @property
    def is_here(self) -> bool:
        """Tell whether this is the program that has made it, and no fork of it."""
        return os.getpid() == self._program

    def _open(self) -> Store:
        if self.in_memory:
            return TableStore(SqliteDatabase(":memory:", patience=1.0, checkpoints=True))
        return open_store(self.home, engine=False)

    def _verbs_of(self) -> None:
        ids = RunIds()
        self.verbs = Verbs(self.store, self.clock, self.home_id, ids.new, self.wake)
        self.applier = Applier(self.store, self.clock, Editor(self.store, self.home_id, ids.new), self.wake)
        self.questions = Questions(self.store, self.clock)

    def wake(self) -> None:
        """Let the engine look at the store now: ours, or whoever serves the home."""
        if self._launcher is not None:
            self._asked.asked = True
            self._launcher.wake()
        elif not self.in_memory:
            poke(self.home)

    def start(self) -> bool:
        """Start the engine; False when another one serves the home, and does the work as long as it lives."""
        if self._standby is not None:
            return False
        try:
            self._begin()
        except EngineRunning:
            self._standby = Standby(self.home, self._begin, self.log)
            return False
        return True

    def _begin(self) -> None:
        """Take the home, its store and its work; raises EngineRunning when somebody else has them."""
        self._lock_file.take(IN_PROGRAM, FEW_TRIES)
        try:
            with self.lock:
                if not self.in_memory:
                    engines_store = open_store(self.home, engine=True)
                    self.store.close()
                    self.store = engines_store
                    self.clock = clock_of(self.store, self._own_clock, asks_by_itself=False)
                    self.home_id = settle_in(self.store, self.home, self.clock.now(), self.log)
                self._put_together()
                self._verbs_of()
        except BaseException:
            self._let_go()
            raise

    def _put_together(self) -> None:
        watcher = new_watcher()
        behind = ProcessLauncher(
            self.home,
            self.home_id,
            watcher,
            self._environment,
            payload_of=self._payloads,
            outlives=not self.in_memory,
            guest=True,
        )
        launcher = self._launcher = InsideLauncher(behind, self._functions, self.loop)
        self._pokes = None if self.in_memory else PokeListener(self.home)
        self._asked = Asked(self._pokes)
        settings = msgspec.structs.replace(self._settings, capacity=min(self._settings.capacity, most_places()))
        engine = Engine(
            self.store,
            launcher,
            self.clock,
            self.log,
            self._asked,
            self.home_id,
            settings,
            RunIds().new,
            member_of(self.store, self.home_id, self.clock, self.log, settings),
        )
        watcher.watch_fd(launcher.fd)
        if self._pokes is not None:
            watcher.watch_fd(self._pokes.fd)
        self.background = Background(engine, self._turns, self.clock, self.log, launcher.wake)
        self.background.start()
        self.begun.set()
        _TURNING.add(self)

    def stop(self, patience: float | None, *, kill: bool, grace: float = float("inf")) -> list[str]:
        """Stop the engine, and return the runs that it leaves.

        It is ours until it has stopped: who is interrupted here may stop it once more.
        """
        with self._stopping:
            standby, self._standby = self._standby, None
            if standby is not None:
                standby.close()
            background = self.background
            if background is None:
                return []
            left = background.stop(patience, kill=kill, grace=grace)
            with self.lock:
                self.background = None
                self.begun.clear()
                self._let_go()
            _TURNING.discard(self)
            return left

    def calls(self, run_id: str) -> bool:
        """Tell whether a function of ours is being called for a run."""
        launcher = self._launcher
        return launcher is not None and launcher.calls(run_id)

    def hurry(self) -> None:
        """Let a stop that waits for what runs end it now; from a signal handler, too."""
        if self.background is not None:
            self.background.hurry()

    def _let_go(self) -> None:
        """Leave the home to whoever wants it next."""
        launcher, self._launcher = self._launcher, None
        pokes, self._pokes = self._pokes, None
        if launcher is not None:
            launcher.close()
        if pokes is not None:
            pokes.close()
        self._lock_file.release()

    def close(self) -> None:
        """Close the store; what was in memory is gone."""
        if not self.is_here or isinstance(self.lock, Locked):
            return
        with self.lock:
            self.lock = Locked("this scheduler was closed; make another one")
            self.store.close()
        if self.in_memory:
            self._drop_directory()

    def is_unserved(self) -> bool:
        """Tell whether there has been no engine for some time, and none of ours waits for its place."""
        if self._standby is not None or self.pid_of_engine is not None:
            self._unserved_since = None
            return False
        now = self.clock.monotonic()
        self._unserved_since = now if self._unserved_since is None else self._unserved_since
        return now - self._unserved_since >= _RESTART

    @property
    def pid_of_engine(self) -> int | None:
        """Return the pid of the engine that serves the home."""
        from rota.process.lock import engine_pid

        return os.getpid() if self.background is not None else engine_pid(self.home)

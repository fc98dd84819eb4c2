"""The only module that names concrete parts, and puts them together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

import msgspec

from rota import __version__
from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.control.verbs import Verbs
from rota.engine.loop import Engine
from rota.engine.serving import Server, is_process_one
from rota.engine.settings import EngineSettings, OnStop
from rota.errors import BadHome
from rota.ids import RunIds, new_home_id
from rota.observe.log import Log
from rota.ports import Clock, Store
from rota.process.launcher import ProcessLauncher, most_places
from rota.process.lock import EngineLock, engine_pid
from rota.process.poke import PokeListener, poke
from rota.process.watch import new_watcher
from rota.store.sqlite import SqliteDatabase
from rota.store.store import TableStore

_ENGINE_PATIENCE = 0.05
_COMMAND_PATIENCE = 30.0
_HOME_FACT = "home"


class Client:
    """What a door works with: a home's store and the verbs on it."""

    def __init__(self, home: str, *, must_exist: bool = False, clock: Clock | None = None) -> None:
        if must_exist and not os.path.exists(store_path(home)):
            raise BadHome(f"there is no rota home at {home}; `rota init` makes one, or name another with --home")
        prepare_home(home)
        self.home = home
        self.clock = clock or SystemClock()
        self.store: Store = open_store(home, engine=False)
        self.home_id = home_identity(self.store)
        self.verbs = Verbs(self.store, self.clock, self.home_id, RunIds().new, lambda: poke(home))

    def engine_pid(self) -> int | None:
        """Return the pid of this home's engine, or None when none runs."""
        return engine_pid(self.home)

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def store_path(home: str) -> str:
    """Return where a home's store is."""
    return os.path.join(home, "rota.db")


def open_store(home: str, *, engine: bool) -> TableStore:
    """Open a home's store, for its engine or for a command."""
    patience = _ENGINE_PATIENCE if engine else _COMMAND_PATIENCE
    return TableStore(SqliteDatabase(store_path(home), patience=patience, checkpoints=engine))


def home_identity(store: Store) -> str:
    """Return the id of a home: made with its store, and kept when directory or machine get another name."""
    known = store.upkeep.fact(_HOME_FACT)
    if known is not None:
        return known
    with store.transaction():
        known = store.upkeep.fact(_HOME_FACT)
        if known is None:
            known = new_home_id()
            store.upkeep.put_fact(_HOME_FACT, known)
    return known


def serve(
    home: str, settings: EngineSettings, environment: Mapping[str, str], *, stream: TextIO | None, as_json: bool
) -> None:
    """Run an engine on a home until it is asked to stop.

    1. Take the lock, so that nobody else does anything for this home, and no child of a dead engine is still between
       fork and exec.
    2. Open the store, the spool and the log.
    3. Adopt, then turn and wait.
    """
    prepare_home(home)
    lock = EngineLock(home)
    lock.take()
    try:
        clock = SystemClock()
        log = Log(os.path.join(home, "rota.log"), clock.now, stream=stream, as_json=as_json)
        store = open_store(home, engine=True)
        with _engine(home, store, clock, log, settings, environment) as (engine, server):
            log.info(f"rota {__version__} serving {home} (pid {os.getpid()}, {settings.capacity} at once)")
            engine.start()
            server.run()
        store.close()
        log.close()
    finally:
        lock.release()


@contextmanager
def _engine(
    home: str, store: Store, clock: Clock, log: Log, settings: EngineSettings, environment: Mapping[str, str]
) -> Iterator[tuple[Engine, Server]]:
    home_id = home_identity(store)
    watcher = new_watcher()
    pokes = PokeListener(home)
    launcher = ProcessLauncher(home, home_id, watcher, environment)
    if settings.capacity > most_places():
        log.warning(f"capacity {settings.capacity} is more than the limit of open files allows; using {most_places()}")
        settings = msgspec.structs.replace(settings, capacity=most_places())
    if is_process_one():
        settings = msgspec.structs.replace(settings, on_stop=OnStop.KILL)
    engine = Engine(store, launcher, clock, log, pokes, home_id, settings, RunIds().new)
    server = Server(engine, clock, log, settings, launcher.reap_strangers if is_process_one() else None)
    watcher.watch_fd(pokes.fd)
    watcher.watch_fd(server.fd)
    try:
        yield engine, server
    finally:
        server.close()
        pokes.close()
        launcher.close()

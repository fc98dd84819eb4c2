"""The only module that names concrete parts, and puts them together.

A client and an engine need different parts, and neither pays for the other's: what only one of them needs is imported
where it is put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, TextIO

import msgspec

from rota import __version__
from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.errors import BadHome, RotaError
from rota.ids import RunIds, new_home_id
from rota.ports import Clock, LiveOutputs, Store
from rota.process.identity import MARK
from rota.process.lock import EngineLock, engine_pid
from rota.store.sqlite import SqliteDatabase, damaged, library_version
from rota.store.store import TableStore

if TYPE_CHECKING:
    from rota.control.applying import Applier
    from rota.control.health import Facts
    from rota.control.verbs import Verbs
    from rota.engine.loop import Engine
    from rota.engine.serving import Server
    from rota.engine.settings import EngineSettings
    from rota.observe.log import Log

_ENGINE_PATIENCE = 0.05
_COMMAND_PATIENCE = 30.0
_HOME_FACT = "home"
_HANDOFF = "ROTA_SERVE"


class ServedFiles(msgspec.Struct, frozen=True):
    """The job files that an engine keeps applied."""

    watched: list[str]
    """Absolute paths; a change of one of them is a change of the jobs."""
    words: list[str]
    """What applies them: the words after `rota`."""
    seen: list[tuple[str, int, int, int]]
    """What they looked like before they were read: a change since then is one that the engine must notice."""
    said: list[str] = []
    """What the first apply had to say, for the log."""
    log_file: str = ""


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

    @cached_property
    def verbs(self) -> Verbs:
        """The verbs that change something."""
        from rota.control.verbs import Verbs
        from rota.process.poke import poke

        return Verbs(self.store, self.clock, self.home_id, RunIds().new, lambda: poke(self.home))

    @cached_property
    def applier(self) -> Applier:
        """What makes the jobs of files match the files."""
        from rota.control.applying import Applier
        from rota.control.editing import Editor
        from rota.process.poke import poke

        editor = Editor(self.store, self.home_id, RunIds().new)
        return Applier(self.store, self.clock, editor, lambda: poke(self.home))

    @property
    def store_path(self) -> str:
        """Where the store's file is."""
        return store_path(self.home)

    @property
    def live(self) -> LiveOutputs:
        """The output of attempts that are running now."""
        from rota.process.live import SpoolReader

        return SpoolReader(os.path.join(self.home, "spool"))

    def engine_pid(self) -> int | None:
        """Return the pid of this home's engine, or None when none runs."""
        return engine_pid(self.home)

    def prune(self, progress: Callable[[int], None]) -> int:
        """Drop what is older than it may be, and return how many rows that were."""
        from rota.engine.pruning import Pruner
        from rota.engine.settings import Retention

        return Pruner(self.store, Retention()).all(self.clock.now(), progress)

    def backup(self, target: str, progress: Callable[[int, int], None]) -> list[str]:
        """Copy the store into a file that is not there yet, and return what a check of the copy finds."""
        self.store.upkeep.backup(target, progress)
        copy = open_store_file(target)
        try:
            return copy.upkeep.faults()
        finally:
            copy.close()

    def facts(self) -> Facts:
        """Gather what a check-up of this home looks at."""
        from rota.control.health import Facts
        from rota.process.machine import machine_facts
        from rota.store.sqlite import file_system_of, wal_warning

        return Facts(
            home=self.home,
            store=store_path(self.home),
            engine=self.engine_pid(),
            file_system=file_system_of(store_path(self.home)),
            sqlite=sqlite_version(),
            wal_warning=wal_warning(),
            machine=machine_facts(self.home, store_path(self.home)),
        )

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def store_path(home: str) -> str:
    """Return where a home's store is."""
    return os.path.join(home, "rota.db")


def has_store(home: str) -> bool:
    """Tell whether a home has been used before."""
    return os.path.exists(store_path(home))


def look_at_files(paths: Sequence[str]) -> list[tuple[str, int, int, int]]:
    """Return what files look like to an engine that watches them."""
    from rota.engine.reloading import look_at

    return list(look_at(paths))


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return library_version()


def running_engine(home: str) -> int | None:
    """Return the pid of a home's engine, or None when none runs."""
    return engine_pid(home)


def live_engines() -> list[tuple[int, str]]:
    """Return the pid and the home of each engine of this user that can be seen."""
    from rota.process.engines import find_engines

    return find_engines()


def open_store(home: str, *, engine: bool) -> TableStore:
    """Open a home's store, for its engine or for a command."""
    patience = _ENGINE_PATIENCE if engine else _COMMAND_PATIENCE
    if _size(store_path(home)) == 0 and _size(os.path.join(home, "rota.log")):
        # SQLite takes an empty file for a new database; here it is what is left of one.
        raise damaged(store_path(home), "it is empty, but an engine has been at work here")
    return TableStore(SqliteDatabase(store_path(home), patience=patience, checkpoints=engine))


def _size(path: str) -> int | None:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return None


def open_store_file(path: str) -> Store:
    """Open a store that is not in a home: a backup."""
    return TableStore(SqliteDatabase(path, patience=_COMMAND_PATIENCE, checkpoints=True))


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
    home: str,
    settings: EngineSettings,
    environment: Mapping[str, str],
    *,
    stream: TextIO | None,
    as_json: bool,
    clock: Clock | None = None,
    files: ServedFiles | None = None,
) -> None:
    """Run an engine on a home until it is asked to stop.

    1. Take the lock, so that nobody else does anything for this home, and no child of a dead engine is still between
       fork and exec.
    2. Open the store, the spool and the log.
    3. Adopt, then turn and wait.
    """
    from rota.observe.log import Log

    prepare_home(home)
    lock = EngineLock(home)
    lock.take()
    try:
        clock = clock or SystemClock()
        copy = files.log_file if files is not None else ""
        log = Log(os.path.join(home, "rota.log"), clock.now, stream=stream, as_json=as_json, copy=copy)
        store = open_store(home, engine=True)
        with _engine(home, store, clock, log, settings, environment, files) as (engine, server):

            def begin() -> None:
                log.info(f"rota {__version__} serving {home} (pid {os.getpid()}, {settings.capacity} at once)")
                for line in files.said if files is not None else ():
                    log.info(line)
                engine.start()

            server.run(begin)
        store.close()
        log.close()
    finally:
        lock.release()


def become_engine(
    home: str,
    chosen: Mapping[str, int | timedelta | str | None],
    arguments: Sequence[str],
    *,
    as_json: bool,
    quiet: bool,
    files: ServedFiles | None = None,
) -> NoReturn:
    """Become an engine that carries nothing of the command line.

    `chosen` are its settings by name, None for the default; `arguments` are what `ps` shows after `rota`.
    """
    handoff = {
        "home": home,
        "settings": {name: value for name, value in chosen.items() if value is not None},
        "as_json": as_json,
        "quiet": quiet,
        "files": files,
    }
    # A mark that we inherited belongs to the job that started us; the engine and its jobs are not part of that attempt.
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    environment[_HANDOFF] = msgspec.json.encode(handoff).decode()
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: a file that happens to lie in the current directory must not be taken for a module of ours.
    os.execve(sys.executable, [sys.executable, "-P", "-m", "rota", *arguments], environment)  # noqa: S606 -- no shell is meant


def is_engine(environment: Mapping[str, str]) -> bool:
    """Tell whether this process was started to be an engine."""
    return _HANDOFF in environment


def serve_as_told() -> int:
    """Be the engine that `become_engine` asked for, and return the exit code."""
    from rota.engine.settings import EngineSettings

    handoff = msgspec.json.decode(os.environ.pop(_HANDOFF))
    settings = msgspec.convert(handoff["settings"], EngineSettings)
    files = msgspec.convert(handoff["files"], ServedFiles | None)
    stream = None if handoff["quiet"] else sys.stderr
    try:
        serve(handoff["home"], settings, os.environ, stream=stream, as_json=handoff["as_json"], files=files)
    except RotaError as error:
        sys.stderr.write(f"rota: {error}\n")
        return error.exit_code
    return 0


@contextmanager
def _engine(
    home: str,
    store: Store,
    clock: Clock,
    log: Log,
    settings: EngineSettings,
    environment: Mapping[str, str],
    files: ServedFiles | None,
) -> Iterator[tuple[Engine, Server]]:
    from rota.engine.loop import Engine
    from rota.engine.reloading import Reloader
    from rota.engine.serving import Server, is_process_one
    from rota.engine.settings import OnStop
    from rota.process.beside import Helpers
    from rota.process.launcher import ProcessLauncher, most_places
    from rota.process.poke import PokeListener
    from rota.process.watch import new_watcher

    home_id = home_identity(store)
    watcher = new_watcher()
    pokes = PokeListener(home)
    helpers = Helpers(home, watcher, environment)
    launcher = ProcessLauncher(home, home_id, watcher, environment, helpers.note_end)
    if settings.capacity > most_places():
        log.warning(f"capacity {settings.capacity} is more than the limit of open files allows; using {most_places()}")
        settings = msgspec.structs.replace(settings, capacity=most_places())
    if is_process_one():
        settings = msgspec.structs.replace(settings, on_stop=OnStop.KILL)
    engine = Engine(store, launcher, clock, log, pokes, home_id, settings, RunIds().new)
    reap = launcher.reap_strangers if is_process_one() else None
    hear_children = reap is not None or not watcher.hears_children
    reloader = None if files is None else Reloader(files.watched, files.words, helpers, log, files.seen)
    server = Server(engine, clock, log, settings, reap, hear_children=hear_children, files=reloader)
    watcher.watch_fd(pokes.fd)
    watcher.watch_fd(server.fd)
    try:
        yield engine, server
    finally:
        server.close()
        pokes.close()
        launcher.close()

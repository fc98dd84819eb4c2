"""The only module that names concrete parts, and puts them together.

A client and an engine need different parts, and neither pays for the other's: what only one of them needs is imported
where it is put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, TextIO

import msgspec

from rota import __version__
from rota.clock import SystemClock, hang_in_zone
from rota.config.home import prepare_home
from rota.config.place import decode_place, encode_place, is_copy, place_of
from rota.errors import BadHome, StoreCorrupt, StoreUnavailable
from rota.ids import RunIds, new_home_id
from rota.ports import Clock, LiveOutputs, Store
from rota.process.identity import MARK
from rota.process.lock import EngineLock, engine_pid
from rota.store.sqlite import SqliteDatabase, damaged, library_version
from rota.store.store import TableStore

if TYPE_CHECKING:
    from rota.control.health import Facts
    from rota.control.verbs import Verbs
    from rota.engine.loop import Engine
    from rota.engine.serving import Server
    from rota.engine.settings import EngineSettings
    from rota.observe.log import Log

_ENGINE_PATIENCE = 0.05
_COMMAND_PATIENCE = 30.0
_HOME_FACT, _PLACE_FACT = "home", "place"
_HANDOFF = "ROTA_SERVE"


class Client:
    """What a door works with: a home's store and the verbs on it."""

    def __init__(self, home: str, *, must_exist: bool = False, clock: Clock | None = None) -> None:
        if must_exist and not has_store(home):
            raise BadHome(f"there is no rota home at {home}; `rota init` makes one, or name another with --home")
        prepare_home(home)
        self.home = home
        self.zone_warning = keep_to_zone()
        self.clock = clock or SystemClock()
        self.store: Store = open_store(home, engine=False)
        self.home_id = home_identity(self.store, home)

    @cached_property
    def verbs(self) -> Verbs:
        """The verbs that change something."""
        from rota.control.verbs import Verbs
        from rota.process.poke import poke

        return Verbs(self.store, self.clock, self.home_id, RunIds().new, lambda: poke(self.home))

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
        from rota.control.pulse import silence
        from rota.process.machine import machine_facts
        from rota.store.sqlite import file_system_of, wal_warning

        return Facts(
            home=self.home,
            store=store_path(self.home),
            engine=self.engine_pid(),
            silent=silence(self.store, self.clock),
            zone_warning=self.zone_warning,
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
    """Tell whether a home has been used before; raises when that cannot be seen, or when its store is gone."""
    try:
        os.stat(store_path(home))
    except PermissionError:
        raise BadHome(
            f"you may not look into {home}; use rota as its owner, or name another home with --home"
        ) from None
    except (FileNotFoundError, NotADirectoryError):
        _refuse_without_store(home)
        return False
    return True


def _refuse_without_store(home: str) -> None:
    """Refuse a home whose store is gone: a new, empty one in its place would be silence about every job."""
    if _size(os.path.join(home, "rota.log")):
        raise StoreCorrupt(
            f"{store_path(home)} is gone, but an engine has been at work here. To restore it, put a backup in its "
            "place (`rota backup FILE` makes them; a backup is a whole store); to begin anew, without its jobs and its "
            f"history, move {home} aside"
        )


def keep_to_zone() -> str:
    """Where TZ names no zone, go by the zone that schedules go by, and return a warning; else nothing."""
    told = os.environ.get("TZ")
    if not told:
        return ""
    from rota.schedule.zones import local_zone_name, unnamed_zone

    if not unnamed_zone():
        return ""
    name = local_zone_name()
    hang_in_zone(name)
    return (
        f"TZ is {told!r}, which names no time zone, so schedules and the times that are shown go by {name}; "
        "names are such as Europe/Berlin"
    )


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return library_version()


def running_engine(home: str) -> int | None:
    """Return the pid of a home's engine, or None when none runs."""
    return engine_pid(home)


def can_be_signalled(home: str, pid: int) -> bool:
    """Tell whether a pid is that of a home's engine here, and not in the container that it runs in."""
    from rota.process.engines import is_here

    return is_here(pid, home)


def live_engines() -> list[tuple[int, str]]:
    """Return the pid and the home of each engine of this user that can be seen."""
    from rota.process.engines import find_engines

    return find_engines()


def open_store(home: str, *, engine: bool) -> TableStore:
    """Open a home's store, for its engine or for a command."""
    patience = _ENGINE_PATIENCE if engine else _COMMAND_PATIENCE
    has_store(home)
    if _size(store_path(home)) == 0 and _size(os.path.join(home, "rota.log")):
        # SQLite takes an empty file for a new database; here it is what is left of one.
        raise damaged(store_path(home), "it is empty, but an engine has been at work here")
    return TableStore(SqliteDatabase(store_path(home), patience=patience, checkpoints=engine))


def _size(path: str) -> int | None:
    try:
        return os.path.getsize(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def open_store_file(path: str) -> Store:
    """Open a store that is not in a home: a backup."""
    return TableStore(SqliteDatabase(path, patience=_COMMAND_PATIENCE, checkpoints=True))


def home_identity(store: Store, home: str) -> str:
    """Return the id of a home: made with its store, and kept when directory or machine get another name."""
    known = store.upkeep.fact(_HOME_FACT)
    if known is not None:
        return known
    with store.transaction():
        known = store.upkeep.fact(_HOME_FACT)
        if known is None:
            known = new_home_id()
            store.upkeep.put_fact(_HOME_FACT, known)
            store.upkeep.put_fact(_PLACE_FACT, encode_place(place_of(home)))
    return known


def _settle_in(store: Store, home: str, now: datetime, log: Log) -> str:
    """Return the id of a home whose engine starts: a copy gets one of its own, and lets go of its original's runs."""
    from rota.engine.copies import disown

    home_id, here = home_identity(store, home), place_of(home)
    fact = store.upkeep.fact(_PLACE_FACT)
    recorded = here if fact is None else decode_place(fact)
    if is_copy(here, recorded):
        with store.transaction():
            disown(store, home_id, recorded.path, now, log)
            home_id = new_home_id()
            store.upkeep.put_fact(_HOME_FACT, home_id)
            store.upkeep.put_fact(_PLACE_FACT, encode_place(here))
    elif fact is None or here != recorded:
        with suppress(StoreUnavailable), store.transaction():  # it is only for the next time
            store.upkeep.put_fact(_PLACE_FACT, encode_place(here))
    return home_id


def serve(
    home: str,
    settings: EngineSettings,
    environment: Mapping[str, str],
    *,
    stream: TextIO | None,
    as_json: bool,
    clock: Clock | None = None,
) -> None:
    """Run an engine on a home until it is asked to stop.

    1. Take the lock, so that nobody else does anything for this home, and no child of a dead engine is still between
       fork and exec.
    2. Open the store, the spool and the log.
    3. Adopt, then turn and wait.
    """
    from rota.observe.log import Log
    from rota.process.ground import Ground

    prepare_home(home)
    lock = EngineLock(home)
    lock.take()
    try:
        clock = clock or SystemClock()
        zone_warning = keep_to_zone()
        log = Log(os.path.join(home, "rota.log"), clock.now, stream=stream, as_json=as_json)
        store = open_store(home, engine=True)
        ground = Ground(lock, store_path(home)).problem
        with _engine(home, store, clock, log, settings, environment, ground) as (engine, server):

            def begin() -> None:
                log.info(f"rota {__version__} serving {home} (pid {os.getpid()}, {settings.capacity} at once)")
                if zone_warning:
                    log.warning(zone_warning)
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
) -> NoReturn:
    """Become an engine that carries nothing of the command line.

    `chosen` are its settings by name, None for the default; `arguments` are what `ps` shows after `rota`.
    """
    handoff = {
        "home": home,
        "settings": {name: value for name, value in chosen.items() if value is not None},
        "as_json": as_json,
        "quiet": quiet,
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
    """Be the engine that `become_engine` asked for, and return the exit code; errors are the door's to tell."""
    from rota.engine.settings import EngineSettings

    handoff = msgspec.json.decode(os.environ.pop(_HANDOFF))
    settings = msgspec.convert(handoff["settings"], EngineSettings)
    stream = None if handoff["quiet"] else sys.stderr
    # A copy, as it is now: jobs get the TZ that we were given, whatever our own clock goes by.
    serve(handoff["home"], settings, dict(os.environ), stream=stream, as_json=handoff["as_json"])
    return 0


@contextmanager
def _engine(
    home: str,
    store: Store,
    clock: Clock,
    log: Log,
    settings: EngineSettings,
    environment: Mapping[str, str],
    ground: Callable[[], str],
) -> Iterator[tuple[Engine, Server]]:
    from rota.engine.loop import Engine
    from rota.engine.serving import Server, is_process_one
    from rota.engine.settings import OnStop
    from rota.process.launcher import ProcessLauncher
    from rota.process.limits import most_places
    from rota.process.poke import PokeListener
    from rota.process.watch import new_watcher

    home_id = _settle_in(store, home, clock.now(), log)
    watcher = new_watcher()
    pokes = PokeListener(home)
    if pokes.problem:
        log.warning(f"{pokes.problem}; what commands ask for is noticed within a second instead of at once")
    launcher = ProcessLauncher(home, home_id, watcher, environment)
    if settings.capacity > most_places():
        log.warning(f"capacity {settings.capacity} is more than the limit of open files allows; using {most_places()}")
        settings = msgspec.structs.replace(settings, capacity=most_places())
    if is_process_one():
        settings = msgspec.structs.replace(settings, on_stop=OnStop.KILL)
    engine = Engine(store, launcher, clock, log, pokes, home_id, settings, RunIds().new)
    reap = launcher.reap_strangers if is_process_one() else None
    hear_children = reap is not None or not watcher.hears_children
    server = Server(engine, clock, log, settings, reap, hear_children=hear_children, ground=ground)
    watcher.watch_fd(pokes.fd)
    watcher.watch_fd(server.fd)
    try:
        yield engine, server
    finally:
        server.close()
        pokes.close()
        launcher.close()

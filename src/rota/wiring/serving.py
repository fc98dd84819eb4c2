"""An engine, put together; and the step from a command line to one.

A client and an engine need different parts, and neither pays for the other's: what only one of them needs is imported
where it is put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn, TextIO

import msgspec

from rota import __version__, ports
from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.config.place import is_copy, place_of
from rota.errors import StoreUnavailable
from rota.ids import RunIds, new_home_id
from rota.ports import Clock, Store
from rota.process.identity import MARK
from rota.process.lock import EngineLock
from rota.wiring.fleet import clock_of, member_of, wakes_of
from rota.wiring.homes import home_identity, keep_to_zone, open_store
from rota.wiring.identities import identity_of
from rota.wiring.stores import anchor_of

if TYPE_CHECKING:
    from rota.engine.loop import Engine
    from rota.engine.reloading import Reloader, Seen
    from rota.engine.serving import Server
    from rota.engine.settings import EngineSettings
    from rota.observe.log import Log
    from rota.process.beside import Helpers

_HANDOFF = "ROTA_SERVE"


class ServedFiles(msgspec.Struct, frozen=True):
    """The job files that an engine keeps applied."""

    roots: list[str]
    """What was named, as it is to be watched; see engine/reloading.py."""
    words: list[str]
    """What applies them: the words after `rota`."""
    seen: str
    """What they looked like before they were read, in short: a change since then is one that the engine must notice."""
    key: str
    """Where the store has what they say about the engine, and what else was read with them."""
    fixed: list[str] = []
    """Settings that were given otherwise, which files do not change."""
    said: list[str] = []
    """What the first apply had to say, for the log."""


class FirstLook:
    """A look at files before they are read, and at what was read with them after that."""

    def __init__(self, roots: Sequence[str]) -> None:
        from rota.engine.reloading import look_at

        self._look_at = look_at
        self._seen = look_at(roots)

    def with_inputs(self, paths: Mapping[str, Seen | None]) -> str:
        """Return both in short; what is known to have looked otherwise when it was read is taken for that."""
        from rota.engine.reloading import digest

        read = {path: seen for path, seen in paths.items() if seen is not None}
        return digest({**self._look_at(list(paths)), **read, **self._seen})


def serve(
    home: str,
    settings: EngineSettings,
    environment: Mapping[str, str],
    *,
    stream: TextIO | None,
    as_json: bool,
    clock: Clock | None = None,
    files: ServedFiles | None = None,
    web: Sequence[str] = (),
    note: str = "",
) -> None:
    """Run an engine on a home until it is asked to stop.

    1. Take the lock, so that nobody else does anything for this home, and no child of a dead engine is still between
       fork and exec.
    2. Open the store, the spool and the log.
    3. Adopt, then turn and wait.
    """
    from rota.engine.reloading import report
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
        clock = clock_of(store, clock, asks_by_itself=False)
        ground = Ground(lock, anchor_of(home)).problem
        with _engine(home, store, clock, log, settings, environment, ground, files, web) as (engine, server):

            def begin() -> None:
                log.info(f"rota {__version__} serving {home} (pid {os.getpid()}, {engine.capacity} at once)")
                if zone_warning:
                    log.warning(zone_warning)
                if note:
                    log.info(note)
                if files is not None:
                    report(log, files.said)
                engine.start()

            server.run(begin)
        store.close()
        log.close()
    finally:
        lock.release()


def become_engine(
    home: str,
    chosen: Mapping[str, object],
    arguments: Sequence[str],
    *,
    as_json: bool,
    quiet: bool,
    files: ServedFiles | None = None,
    web: Sequence[str] = (),
    note: str = "",
) -> NoReturn:
    """Become an engine that carries nothing of the command line.

    `chosen` are its settings by name, None for the default; `arguments` are what `ps` shows after `rota`; `web` are the
    words of the helper that serves the pages, none for no pages.
    """
    handoff = {
        "home": home,
        "settings": {name: value for name, value in chosen.items() if value is not None},
        "as_json": as_json,
        "quiet": quiet,
        "files": files,
        "web": web,
        "note": note,
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
    files = msgspec.convert(handoff["files"], ServedFiles | None)
    stream = None if handoff["quiet"] else sys.stderr
    # A copy, as it is now: jobs get the TZ that we were given, whatever our own clock goes by.
    environment = dict(os.environ)
    serve(
        handoff["home"],
        settings,
        environment,
        stream=stream,
        as_json=handoff["as_json"],
        files=files,
        web=handoff["web"],
        note=handoff["note"],
    )
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
    files: ServedFiles | None,
    web: Sequence[str],
) -> Iterator[tuple[Engine, Server]]:
    from rota.engine.loop import Engine
    from rota.engine.serving import Server, is_process_one
    from rota.engine.settings import OnStop
    from rota.process.beside import Helpers
    from rota.process.launcher import ProcessLauncher
    from rota.process.watch import new_watcher

    home_id = settle_in(store, home, clock.now(), log)
    watcher = new_watcher()
    pokes = wakes_of(home, log)
    helpers = Helpers(home, watcher, environment)
    launcher = ProcessLauncher(home, home_id, watcher, environment, helpers.note_end)
    settings = msgspec.structs.replace(settings, capacity=_possible(settings.capacity, log))
    if is_process_one():
        settings = msgspec.structs.replace(settings, on_stop=OnStop.KILL)
    member = member_of(store, home_id, clock, log, settings)
    engine = Engine(store, launcher, clock, log, pokes, home_id, settings, RunIds().new, member)
    reap = launcher.reap_strangers if is_process_one() else None
    hear_children = reap is not None or not watcher.hears_children
    keepers = Keepers(helpers, log, web)
    reloader = _files_of_engine(home, store, engine, log, helpers, settings, files, keepers)
    server = Server(
        engine,
        clock,
        log,
        settings,
        reap,
        hear_children=hear_children,
        ground=ground,
        files=reloader,
        keepers=[keepers.tell, keepers.web],
    )
    for fd in pokes.fds:
        watcher.watch_fd(fd)
    watcher.watch_fd(server.fd)
    try:
        yield engine, server
    finally:
        server.close()
        pokes.close()
        launcher.close()


class Keepers:
    """What is kept running beside an engine: the log of everything, and the pages."""

    def __init__(self, helpers: Helpers, log: Log, web: Sequence[str]) -> None:
        from rota.engine.keeping import Keeper

        self.tell = Keeper("tell", helpers, log)
        self.web = Keeper("web", helpers, log)
        self._words = list(web)
        self.want_web(True)

    def want_web(self, wanted: bool) -> None:
        """Say whether the pages are served, if whoever started the engine has nothing against it."""
        self.web.want(self._words if wanted else [])


def _possible(capacity: int, log: Log) -> int:
    """Return how many attempts can go at once of those that are wanted; fewer than that is said."""
    from rota.process.limits import most_places

    if capacity > most_places():
        log.warning(f"capacity {capacity} is more than the limit of open files allows; using {most_places()}")
    return min(capacity, most_places())


def _files_of_engine(
    home: str,
    store: Store,
    engine: Engine,
    log: Log,
    helpers: Helpers,
    settings: EngineSettings,
    files: ServedFiles | None,
    keepers: Keepers,
) -> Reloader | None:
    """Return what keeps the job files applied, and have kept beside the engine what they ask for."""
    from rota.config.served import decode_served, with_inputs
    from rota.engine.reloading import Reloader
    from rota.wiring.told import PeoplesLog

    if files is None:
        return None
    served_files = files
    logs = PeoplesLog(home, store, served_files.key, log)

    def take_up() -> dict[str, Seen | None]:
        """Do what the files say about the engine itself, and return what is to be watched."""
        served = decode_served(store.upkeep.fact(served_files.key) or "{}")
        capacity = settings.capacity if "capacity" in served_files.fixed else served.capacity or settings.capacity
        most = settings.max_running if "max_running" in served_files.fixed else served.max_running
        engine.limit(_possible(capacity, log), most)
        wanted = logs.wanted(served.log_file)
        keepers.tell.want(["tell", "--home", home, "--log", wanted] if wanted else [])
        keepers.want_web(served.web)
        return with_inputs(served_files.roots, served)

    return Reloader(list(take_up()), files.words, helpers, log, files.seen, take_up)


def settle_in(store: Store, home: str, now: datetime, log: ports.Log) -> str:
    """Return the id of a home whose engine starts: a copy gets one of its own, and lets go of its original's runs."""
    from rota.engine.copies import disown

    home_id, here = home_identity(store, home), place_of(home)
    identity = identity_of(store, home)
    recorded = identity.place()
    if recorded is not None and is_copy(here, recorded):
        with store.transaction():
            disown(store, home_id, recorded.path, now, log)
            home_id = new_home_id()
            identity.keep(home_id, here)
    elif here != recorded:
        with suppress(StoreUnavailable), store.transaction():  # it is only for the next time
            identity.keep(home_id, here)
    return home_id

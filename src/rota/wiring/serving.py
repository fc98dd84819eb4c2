"""An engine, put together; and the step from a command line to one.

A client and an engine need different parts, and neither pays for the other's: what only one of them needs is imported
where it is put together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NoReturn, TextIO

import msgspec

from rota import __version__
from rota.clock import SystemClock
from rota.config.home import prepare_home
from rota.config.place import decode_place, encode_place, is_copy, place_of
from rota.errors import StoreUnavailable
from rota.ids import RunIds, new_home_id
from rota.ports import Clock, Store
from rota.process.identity import MARK
from rota.process.lock import EngineLock
from rota.wiring.homes import HOME_FACT, PLACE_FACT, home_identity, keep_to_zone, open_store, store_path

if TYPE_CHECKING:
    from rota.engine.loop import Engine
    from rota.engine.serving import Server
    from rota.engine.settings import EngineSettings
    from rota.observe.log import Log

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


def look_at_files(paths: Sequence[str]) -> list[tuple[str, int, int, int]]:
    """Return what files look like to an engine that watches them."""
    from rota.engine.reloading import look_at

    return list(look_at(paths))


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
    from rota.process.ground import Ground

    prepare_home(home)
    lock = EngineLock(home)
    lock.take()
    try:
        clock = clock or SystemClock()
        zone_warning = keep_to_zone()
        copy = files.log_file if files is not None else ""
        log = Log(os.path.join(home, "rota.log"), clock.now, stream=stream, as_json=as_json, copy=copy)
        store = open_store(home, engine=True)
        ground = Ground(lock, store_path(home)).problem
        with _engine(home, store, clock, log, settings, environment, ground, files) as (engine, server):

            def begin() -> None:
                log.info(f"rota {__version__} serving {home} (pid {os.getpid()}, {settings.capacity} at once)")
                if zone_warning:
                    log.warning(zone_warning)
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
    """Be the engine that `become_engine` asked for, and return the exit code; errors are the door's to tell."""
    from rota.engine.settings import EngineSettings

    handoff = msgspec.json.decode(os.environ.pop(_HANDOFF))
    settings = msgspec.convert(handoff["settings"], EngineSettings)
    files = msgspec.convert(handoff["files"], ServedFiles | None)
    stream = None if handoff["quiet"] else sys.stderr
    # A copy, as it is now: jobs get the TZ that we were given, whatever our own clock goes by.
    environment = dict(os.environ)
    serve(handoff["home"], settings, environment, stream=stream, as_json=handoff["as_json"], files=files)
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
) -> Iterator[tuple[Engine, Server]]:
    from rota.engine.loop import Engine
    from rota.engine.reloading import Reloader
    from rota.engine.serving import Server, is_process_one
    from rota.engine.settings import OnStop
    from rota.process.beside import Helpers
    from rota.process.launcher import ProcessLauncher
    from rota.process.limits import most_places
    from rota.process.poke import PokeListener
    from rota.process.watch import new_watcher

    home_id = _settle_in(store, home, clock.now(), log)
    watcher = new_watcher()
    pokes = PokeListener(home)
    if pokes.problem:
        log.warning(f"{pokes.problem}; what commands ask for is noticed within a second instead of at once")
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
    server = Server(engine, clock, log, settings, reap, hear_children=hear_children, ground=ground, files=reloader)
    watcher.watch_fd(pokes.fd)
    watcher.watch_fd(server.fd)
    try:
        yield engine, server
    finally:
        server.close()
        pokes.close()
        launcher.close()


def _settle_in(store: Store, home: str, now: datetime, log: Log) -> str:
    """Return the id of a home whose engine starts: a copy gets one of its own, and lets go of its original's runs."""
    from rota.engine.copies import disown

    home_id, here = home_identity(store, home), place_of(home)
    fact = store.upkeep.fact(PLACE_FACT)
    recorded = here if fact is None else decode_place(fact)
    if is_copy(here, recorded):
        with store.transaction():
            disown(store, home_id, recorded.path, now, log)
            home_id = new_home_id()
            store.upkeep.put_fact(HOME_FACT, home_id)
            store.upkeep.put_fact(PLACE_FACT, encode_place(here))
    elif fact is None or here != recorded:
        with suppress(StoreUnavailable), store.transaction():  # it is only for the next time
            store.upkeep.put_fact(PLACE_FACT, encode_place(here))
    return home_id

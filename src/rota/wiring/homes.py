"""Homes, their stores and their engines: which there are, how one is opened, and whose it is."""

from __future__ import annotations

import os
import socket

from rota.clock import hang_in_zone
from rota.config.place import place_of
from rota.errors import BadHome, StoreCorrupt
from rota.ids import new_home_id
from rota.ports import Store
from rota.process.lock import engine_pid
from rota.store.sqlite import SqliteDatabase, damaged, library_version
from rota.store.store import TableStore
from rota.wiring.identities import identity_of
from rota.wiring.stores import COMMAND_PATIENCE, address_of, open_at, store_path

WEB_FACT = "web"
WEB_SOCKET = "web.sock"


def has_store(home: str) -> bool:
    """Tell whether a home has been used before; raises when that cannot be seen, or when its store is gone."""
    if address_of(home) is not None:
        return True  # whoever names a store means it; and a home remembers only what was used
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


def open_store(home: str, *, engine: bool, patience: float | None = None) -> TableStore:
    """Open a home's store, for its engine or for a command."""
    has_store(home)
    if address_of(home) is None and _size(store_path(home)) == 0 and _size(os.path.join(home, "rota.log")):
        # SQLite takes an empty file for a new database; here it is what is left of one.
        raise damaged(store_path(home), "it is empty, but an engine has been at work here")
    return open_at(home, engine=engine, patience=patience)


def _size(path: str) -> int | None:
    try:
        return os.path.getsize(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def open_store_file(path: str) -> Store:
    """Open a store that is not in a home: a backup."""
    return TableStore(SqliteDatabase(path, patience=COMMAND_PATIENCE, checkpoints=True))


def home_identity(store: Store, home: str) -> str:
    """Return the id of a home: made with its store, and kept when directory or machine get another name."""
    identity = identity_of(store, home)
    known = identity.home_id()
    if known is not None:
        return known
    with identity.together():
        known = identity.home_id()
        if known is None:
            known = new_home_id()
            identity.keep(known, place_of(home))
    return known


def keep_to_zone() -> str:
    """Where TZ names no zone, go by the zone that schedules go by, and return a warning; else nothing."""
    warning = zone_warning()
    if warning:
        from rota.schedule.zones import local_zone_name

        hang_in_zone(local_zone_name())
    return warning


def zone_warning() -> str:
    """Return what somebody should know whose TZ names no zone; else nothing."""
    told = os.environ.get("TZ")
    if not told:
        return ""
    from rota.schedule.zones import local_zone_name, unnamed_zone

    if not unnamed_zone():
        return ""
    return (
        f"TZ is {told!r}, which names no time zone, so schedules and the times that are shown go by "
        f"{local_zone_name()}; names are such as Europe/Berlin"
    )


def sqlite_version() -> str:
    """Return the version of the SQLite library in use."""
    return library_version()


def web_fact(store: Store, home_id: str) -> str:
    """Return the name of the fact that says where a home's pages are: of several homes on a store each has its own."""
    return f"{WEB_FACT}:{home_id}" if store.is_shared else WEB_FACT


def web_address(store: Store, home: str, home_id: str) -> str:
    """Return where the pages of a home are served; nothing when nobody serves them."""
    told = store.upkeep.fact(web_fact(store, home_id)) or ""
    path = os.path.join(home, WEB_SOCKET)
    if not told or not os.path.exists(path):
        return ""
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(path)
        except OSError:
            return ""  # it was killed, and its socket is left
    return told


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

"""Who a home is whose store is on PostgreSQL: a file of the home."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import msgspec

from rota.config.home import HOST_RECORD, write_private
from rota.config.place import Place, place_of
from rota.ports import Store
from rota.store.database import Database
from rota.store.store import TableStore
from rota.wiring.identities import InStore


class _Kept(msgspec.Struct, frozen=True):
    id: str
    place: Place


class InHome:
    """See identities.Identity."""

    def __init__(self, store: Store, home: str) -> None:
        self._copied = InStore(store)
        self._home = home

    def together(self) -> AbstractContextManager[None]:
        """Read and write as one."""
        return nullcontext()

    def home_id(self) -> str | None:
        """Return the id; None for a home that has none yet."""
        kept = self._kept()
        return None if kept is None else kept.id

    def place(self) -> Place | None:
        """Return the place, if it was kept."""
        kept = self._kept()
        return None if kept is None else kept.place

    def keep(self, home_id: str, place: Place) -> None:
        """Keep both."""
        text = msgspec.json.encode(_Kept(home_id, place)).decode()
        write_private(os.path.join(self._home, HOST_RECORD), text + "\n")

    def _kept(self) -> _Kept | None:
        try:
            with open(os.path.join(self._home, HOST_RECORD), "rb") as file:
                return msgspec.json.decode(file.read(), type=_Kept)
        except FileNotFoundError:
            return self._as_copied()

    def _as_copied(self) -> _Kept | None:
        """Return what the store in this home knew, if this is where the store was copied from."""
        home_id, place = self._copied.home_id(), self._copied.place()
        if home_id is None or place is None or place.path != place_of(self._home).path:
            return None
        return _Kept(home_id, place)


def carry_identity(database: Database, home: str) -> None:
    """Write into the file of a home who it was while its store was elsewhere."""
    store = TableStore(database)
    kept = InHome(store, home)
    home_id = kept.home_id()
    if home_id is not None:
        with store.transaction():
            InStore(store).keep(home_id, place_of(home))

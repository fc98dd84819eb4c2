"""Who a home is: its id, and where it was last seen.

With a store in the home both are facts of the store, so that a backup that is put into another directory is the same
home. On PostgreSQL several homes share a store: there each keeps its own in a file. A home whose store was copied to
PostgreSQL finds its id among the copied facts, and is who it was.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from rota.config.place import Place, decode_place, encode_place
from rota.ports import Store
from rota.wiring.stores import address_of

HOME_FACT, PLACE_FACT = "home", "place"


class Identity(Protocol):
    """Where a home's id and place are kept."""

    def together(self) -> AbstractContextManager[None]:
        """Read and write as one."""

    def home_id(self) -> str | None:
        """Return the id; None for a home that has none yet."""

    def place(self) -> Place | None:
        """Return the place, if it was kept."""

    def keep(self, home_id: str, place: Place) -> None:
        """Keep both."""


class InStore:
    """In the store, which is in the home as well."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def together(self) -> AbstractContextManager[None]:
        """Read and write as one."""
        return self._store.transaction()

    def home_id(self) -> str | None:
        """Return the id; None for a home that has none yet."""
        return self._store.upkeep.fact(HOME_FACT)

    def place(self) -> Place | None:
        """Return the place, if it was kept."""
        fact = self._store.upkeep.fact(PLACE_FACT)
        return None if fact is None else decode_place(fact)

    def keep(self, home_id: str, place: Place) -> None:
        """Keep both."""
        self._store.upkeep.put_fact(HOME_FACT, home_id)
        self._store.upkeep.put_fact(PLACE_FACT, encode_place(place))


def identity_of(store: Store, home: str) -> Identity:
    """Return where a home keeps who it is."""
    if address_of(home) is None:
        return InStore(store)
    from rota.wiring.host_record import InHome

    return InHome(store, home)

"""What hosts are called: a run carries the id of the home that has it, and people want the name of a host."""

from __future__ import annotations

from collections.abc import Mapping

from rota.control.hosts import host_named
from rota.errors import NoSuchHost
from rota.ids import is_home_id
from rota.ports import Store

HostNames = Mapping[str, str]
"""Names by id."""


def host_names(store: Store) -> HostNames:
    """Return what the hosts that are known are called."""
    return {host.id: host.name for host in store.hosts.all()}


def called(host_id: str | None, names: HostNames) -> str | None:
    """Return what a run's host is called; one that was forgotten has only its id left."""
    return None if host_id is None else names.get(host_id, host_id)


def host_id_of(store: Store, name: str) -> str:
    """Return the id of a host that is named; of one that was forgotten the id itself is all that names it."""
    try:
        return host_named(store, name).id
    except NoSuchHost:
        if is_home_id(name):
            return name
        raise

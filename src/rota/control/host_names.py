"""What hosts are called: a run carries the id of the home that has it, and people want the name of a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rota.errors import NoSuchHost, did_you_mean
from rota.ids import is_home_id
from rota.model.host import Host
from rota.ports import Store

HostNames = Mapping[str, str]
"""Names by id."""
_NAMED = 10


def host_named(store: Store, name: str) -> Host:
    """Return one host, by its name or its id."""
    found = store.hosts.find(name)
    if found is None:
        near = did_you_mean(name, [host.name for host in store.hosts.all()])
        raise NoSuchHost(f"no host named {name!r}{near or '; `rota hosts` lists them'}")
    return found


def a_few(names: Sequence[str]) -> str:
    """Return names in a row; of many the first ones, and how many more there are."""
    left = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {left:,} more" if left > 0 else "")


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

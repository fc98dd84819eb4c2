"""A host in words: what it does, whether it plans, and when it was there last."""

from __future__ import annotations

from datetime import datetime

import msgspec

from rota.control.hosts import HostView
from rota.control.times import rough
from rota.control.words import Said


class HostRow(msgspec.Struct, frozen=True):
    """A host, ready for a page."""

    view: HostView
    does: Said
    is_here: bool
    """It is the one of several whose web process makes this page."""
    is_seen: bool
    """It is known to be there at this moment: of the only host of a store nobody writes down when it was seen."""
    labels: list[str]

    @property
    def name(self) -> str:
        """Return what it is called."""
        return self.view.host.name


def row_of(view: HostView, here: str, now: datetime, *, is_shared: bool) -> HostRow:
    """Return a host in words; the one that is here is given by its id."""
    host = view.host
    labels = [f"{key}={value}" for key, value in sorted(host.labels.items())]
    return HostRow(
        view,
        does_of(view, now, is_shared=is_shared),
        is_here=is_shared and host.id == here,
        is_seen=not is_shared and view.state == "up",
        labels=labels,
    )


def does_of(view: HostView, now: datetime, *, is_shared: bool) -> Said:
    """Say what a host does."""
    if view.state == "stopped":
        return Said(f"stopped {rough(now - view.host.seen_at)} ago", "paused")
    if view.state == "gone" and not is_shared:
        return Said("its engine does not run", "failed")
    if view.state == "gone":
        return Said(f"silent for {rough(now - view.host.seen_at)}", "failed")
    if view.state == "draining":
        how = "handing over" if view.host.hands_over else "draining"
        return Said(f"{how}, {view.running} still running", "late")
    if view.state == "drained":
        return Said("drained", "paused")
    return Said("up", "succeeded")


def capacity_of(view: HostView) -> str:
    """Say how many of its places are taken."""
    return f"{view.running} of {view.host.capacity}"

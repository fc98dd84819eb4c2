"""What decides who gets in besides the store: whose home it is, and what the process was told when it was started."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network

import msgspec
from fastapi import Request

from rota.api.throttle import Throttle
from rota.control.desk import Desks
from rota.model.access import Signing


class Owner(msgspec.Struct, frozen=True):
    """Whose home it is: who gets in as long as nobody can sign in."""

    uid: int
    name: str


class Door(msgspec.Struct, frozen=True):
    """What was said when the process was started."""

    owner: Owner
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """From where it is believed for whom a request was passed on."""
    signing: Signing | None = None
    """What signed requests are signed with; None when there are none."""
    link: str = ""
    """The secret of the link that lets the owner in where the system does not say whose connection it is."""
    key: Callable[[], bytes] = bytes
    """Returns what access tokens are signed with; it is read, or made, when the first one is."""
    throttle: Throttle = msgspec.field(default_factory=Throttle)


def door_of(request: Request) -> Door:
    """Return the door that a request came through."""
    door: Door = request.app.state.door
    return door


def desks_of(request: Request) -> Desks:
    """Return where a request borrows its desk."""
    desks: Desks = request.app.state.desks
    return desks

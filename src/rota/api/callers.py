"""From where a request comes, and how: what the connection says, and what a proxy says that was named as trusted.

Anybody can write `X-Forwarded-For`. It is believed only from an address that `--trusted-proxy` names, and of it only
the nearest hop that is no trusted proxy itself: everything before that was written by whoever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec
from starlette.requests import HTTPConnection

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
SOCKET = "socket"
"""The address of who comes through the Unix socket in the home."""
PEER = "peer_uid"
"""Where the server leaves, in the state of a connection, whose process is at the other end."""
_PREFIX_V6 = 64
"""An IPv6 address is cheap; a network of this size is what somebody is given."""


class Caller(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str
    https: bool = False
    passed_on: bool = False
    """Whether a proxy stands in between, so that the connection is the proxy's."""
    uid: int | None = None
    """Whose process is at the other end of the connection, where the kernel says so; not who a trusted proxy is."""


def caller_of(request: HTTPConnection, proxies: Sequence[IPv4Network | IPv6Network]) -> Caller:
    """Return who is at the other end, as far as that can be believed."""
    peer = request.client.host if request.client is not None and request.client.host else SOCKET
    https = request.url.scheme == "https"
    if not is_in(peer, proxies):
        uid = request.scope.get("state", {}).get(PEER)
        return Caller(peer, https, any(name in request.headers for name in _PASSED_ON), uid)
    hops = [hop.strip() for value in request.headers.getlist("x-forwarded-for") for hop in value.split(",")]
    address = _read(next((hop for hop in reversed(hops) if not is_in(hop, proxies)), peer))
    proto = ",".join(request.headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
    return Caller(peer if address is None else str(address), https or proto == "https", passed_on=True)


def party_of(address: str, uid: int | None) -> str:
    """Return who is counted together: a user of this machine, an address, or a network that is given to somebody."""
    if uid is not None:
        return f"uid {uid}"
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found.packed, _PREFIX_V6), strict=False))
    return address if found is None else str(found)


def is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Tell whether an address is in one of these networks."""
    found = _read(address)
    return found is not None and any(found in network for network in networks)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found

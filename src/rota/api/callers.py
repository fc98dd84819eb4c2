"""From where a request comes, and how: what the connection says, and what a proxy says that was named as trusted.

Anybody can write `X-Forwarded-For`. It is believed only from an address that `--trusted-proxy` names, and of it only
the nearest hop that is no trusted proxy itself: everything before that was written by whoever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import msgspec
from starlette.requests import HTTPConnection

_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
SOCKET = "socket"
"""The address of who comes through the Unix socket in the home."""


class Caller(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str
    https: bool = False
    passed_on: bool = False
    """Whether a proxy stands in between, so that the connection is the proxy's."""


def caller_of(request: HTTPConnection, proxies: Sequence[IPv4Network | IPv6Network]) -> Caller:
    """Return who is at the other end, as far as that can be believed."""
    peer = request.client.host if request.client is not None and request.client.host else SOCKET
    https = request.url.scheme == "https"
    if not _is_in(peer, proxies):
        return Caller(peer, https, any(name in request.headers for name in _PASSED_ON))
    hops = [hop.strip() for value in request.headers.getlist("x-forwarded-for") for hop in value.split(",")]
    address = next((hop for hop in reversed(hops) if not _is_in(hop, proxies)), peer)
    proto = ",".join(request.headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
    return Caller(address if _read(address) is not None else peer, https or proto == "https", passed_on=True)


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    found = _read(address)
    return found is not None and any(found in network for network in networks)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found

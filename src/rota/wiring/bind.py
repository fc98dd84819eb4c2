"""Addresses: which of them are this machine's alone, and which networks they belong to."""

from __future__ import annotations

import socket
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what is served at an address; a name is looked up."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False  # nobody knows what it will be
    return all(ip_address(address.partition("%")[0]).is_loopback for address in found)


def read_network(text: str) -> IPv4Network | IPv6Network:
    """Read an address, or a network of them; raises ValueError."""
    return ip_network(text)

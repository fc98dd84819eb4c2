"""Whose process is at the other end of a local connection: the kernel knows.

Over a Unix socket it says so. Over loopback it lists every TCP socket of the machine with its owner's uid. A socket
that is being closed has no owner any more and is listed with uid 0, so only an established one with an inode counts.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from ipaddress import ip_address

_TABLES = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}
_ESTABLISHED = "01"
_CREDENTIALS = struct.Struct("3i")


def uid_of_peer(connection: socket.socket) -> int | None:
    """Return the uid of the process at the other end; None where that cannot be told, or it is on another machine."""
    if connection.family == socket.AF_UNIX:
        return _uid_of_unix_peer(connection)
    if connection.family not in _TABLES:
        return None
    try:
        ours, theirs = connection.getsockname()[:2], connection.getpeername()[:2]
    except OSError:
        return None  # it is gone already
    if not ip_address(theirs[0].partition("%")[0]).is_loopback:
        return None
    return _uid_in_table(socket.AddressFamily(connection.family), _shown(theirs), _shown(ours))


def can_tell_peers() -> bool:
    """Tell whether this system says whose connections over loopback are."""
    return os.access(_TABLES[socket.AF_INET], os.R_OK)


def _uid_of_unix_peer(connection: socket.socket) -> int | None:
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    _, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(uid)


def _uid_in_table(family: socket.AddressFamily, local: str, remote: str) -> int | None:
    try:
        with open(_TABLES[family], encoding="ascii") as table:
            for line in table:
                fields = line.split()
                if fields[1] == local and fields[2] == remote and fields[3] == _ESTABLISHED and fields[9] != "0":
                    return int(fields[7])
    except OSError:
        return None
    return None


def _shown(address: tuple[str, int]) -> str:
    """Return an address as the kernel's table has it: words of four bytes in the machine's own order."""
    packed = ip_address(address[0].partition("%")[0]).packed
    words = [packed[start : start + 4] for start in range(0, len(packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return f"{b''.join(words).hex().upper()}:{address[1]:04X}"

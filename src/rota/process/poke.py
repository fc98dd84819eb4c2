"""Pokes: datagrams that tell an engine to look at the store now. They are hints; it also looks once a second."""

from __future__ import annotations

import contextlib
import os
import socket
from zlib import crc32

_LONGEST_SOCKET_PATH = 100


def socket_path(home: str) -> str:
    """Return where a home's engine listens: in the home, or in the runtime directory where that path is too long."""
    path = os.path.join(home, "poke.sock")
    if len(path.encode()) <= _LONGEST_SOCKET_PATH:
        return path
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/rota-{os.geteuid()}"  # noqa: S108 -- mode 0700 and checked below
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    return os.path.join(runtime, f"rota-{crc32(home.encode()):08x}-{len(home)}.sock")


class PokeListener:
    """The engine's end."""

    def __init__(self, home: str) -> None:
        self._path = socket_path(home)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # The engine's lock is held: whoever made a socket there is gone. One that cannot be made costs a second, not
        # the engine.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        with contextlib.suppress(OSError):
            self._socket.bind(self._path)
            os.chmod(self._path, 0o600)
        self._socket.setblocking(False)
        self.fd = self._socket.fileno()

    def drain(self) -> bool:
        """Take all pokes, and tell whether there was one."""
        poked = False
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.recv(16)
                poked = True
        return poked

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


def poke(home: str) -> None:
    """Tell a home's engine to look now; without one nothing happens."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
        contextlib.suppress(FileNotFoundError, ConnectionRefusedError, BlockingIOError, PermissionError),
    ):
        sender.setblocking(False)
        sender.sendto(b".", socket_path(home))

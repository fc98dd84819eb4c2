"""Pokes: datagrams that tell an engine to look at the store now. They are hints; it also looks once a second."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from zlib import crc32

_LONGEST_SOCKET_PATH = 100
_OWN = f"/tmp/rota-{os.geteuid()}"  # noqa: S108 -- its owner and mode are checked


def socket_path(home: str) -> str | None:
    """Return where a home's engine listens, or None where that is nowhere: then it only looks once a second.

    In the home; where that path is too long, in the user's runtime directory, or one in /tmp that is the user's alone.
    """
    path = os.path.join(home, "poke.sock")
    if _fits(path):
        return path
    name = f"rota-{crc32(home.encode()):08x}-{len(home)}.sock"
    runtime = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), name)
    if os.path.isabs(runtime) and _fits(runtime) and os.path.isdir(os.path.dirname(runtime)):
        return runtime
    return os.path.join(_OWN, name) if _is_private(_OWN) else None


def _fits(path: str) -> bool:
    return len(path.encode()) <= _LONGEST_SOCKET_PATH


def _is_private(directory: str) -> bool:
    """Tell whether a directory, made if it is not there, is ours alone: anybody may put something else in its place."""
    with contextlib.suppress(OSError):
        os.mkdir(directory, 0o700)
    try:
        found = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


class PokeListener:
    """The engine's end. One that cannot be made costs a second, not the engine; `problem` says why."""

    def __init__(self, home: str) -> None:
        self._path = socket_path(home)
        self._inode = 0
        self.problem = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if self._path is None:
            self.problem = "the path of the home is too long for a socket, and there is no private place for one"
        else:
            self._bind(self._path)
        self._socket.setblocking(False)
        self.fd = self._socket.fileno()

    def _bind(self, path: str) -> None:
        try:
            # The engine's lock is held: whoever made a socket there is gone.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            self._socket.bind(path)
            os.chmod(path, 0o600)
            self._inode = os.stat(path).st_ino
        except OSError as error:
            self.problem = f"no socket can be made at {path}: {error.strerror or error}"

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
        with contextlib.suppress(OSError):
            if self._path is not None and os.stat(self._path).st_ino == self._inode:
                os.unlink(self._path)


def poke(home: str) -> None:
    """Tell a home's engine to look now; without one, or without a way to it, nothing happens: it looks by itself."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        path = socket_path(home)
        if path is not None:
            sender.setblocking(False)
            sender.sendto(b".", path)

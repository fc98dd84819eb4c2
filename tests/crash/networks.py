"""Links between hosts and a database that can be cut one by one, and a real PostgreSQL at their other end.

Where it is allowed, each host has a network of its own: a namespace with one veth, whose other end is a port of a
bridge in the server's namespace. Nothing of the machine's own network is touched or reached. A namespace lives as long
as a process that holds it, and that one ends with its parent: nothing is left even when everything is killed.

Elsewhere each host has a forwarder on the loopback in front of the server's socket. To an engine that is a link, too.
"""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from typing import Protocol

from tests.servers.postgres import Server, own_server

_SERVER = "10.213.0.1"
_FIRST = 11
_RESET = struct.pack("ii", 1, 0)


class Cut(StrEnum):
    """How a link is cut."""

    UNPLUGGED = "unplugged"
    """Both ends notice."""
    SILENT = "silent"
    """Nothing arrives, and nobody is told."""
    DEAF = "deaf"
    """What the host asks arrives and is done; what it is answered does not."""


class Links(Protocol):
    """The links of some hosts to one server."""

    kind: str

    def prefix(self, name: str) -> tuple[str, ...]:
        """Return what is put before a command that runs on a host; it becomes the command, and keeps its pid."""

    def netloc(self, name: str) -> str:
        """Return where the server is for a host, as it stands in a URL."""

    def cut(self, name: str, how: Cut) -> None:
        """Cut a host's link."""

    def restore(self, name: str) -> None:
        """Mend it."""


@contextmanager
def wired_server(names: Sequence[str]) -> Iterator[tuple[Server, Links]]:
    """Yield a server of one's own and the links that hosts have to it: namespaces if they are allowed."""
    with ExitStack() as stack:
        if may_have_namespaces():
            namespaces = stack.enter_context(Namespaces(names))
            yield stack.enter_context(own_server(_SERVER, namespaces.within)), namespaces
        else:
            server = stack.enter_context(own_server())
            yield server, stack.enter_context(Forwarders(names, f"{server.folder}/.s.PGSQL.5432"))


def may_have_namespaces() -> bool:
    """Tell whether namespaces, bridges and veths can be made here."""
    if os.environ.get("ROTA_TEST_NO_NAMESPACES") or os.geteuid() != 0:
        return False
    if not all(shutil.which(program) for program in ("ip", "unshare", "nsenter")):
        return False
    try:
        with Namespaces(("trial",)):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


class _Namespace:
    """A network namespace, held by a process that ends when its standard input does."""

    def __init__(self) -> None:
        words = ["unshare", "--net", "sh", "-c", "echo ready; exec cat"]
        self._holder = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        self.pid = self._holder.pid
        # What is done "within" must never be done to the machine's own network.
        if said != b"ready\n" or os.readlink(f"/proc/{self.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            self.close()
            raise OSError("a network namespace is not allowed here")
        self.within = ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    def ip(self, line: str) -> None:
        """Run a command of ip(8) within."""
        subprocess.run([*self.within, "ip", *line.split()], check=True, capture_output=True, timeout=30)

    def close(self) -> None:
        """Let it go; it is gone when its last process is."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()


class Namespaces:
    """A network for each host, and one for the server, joined by a bridge in the latter."""

    kind = "network namespaces"

    def __init__(self, names: Sequence[str]) -> None:
        self._stack = ExitStack()
        self._addresses = {name: f"10.213.0.{number}" for number, name in enumerate(names, _FIRST)}
        self._ports = {name: f"port{number}" for number, name in enumerate(names)}
        self._hosts: dict[str, _Namespace] = {}
        self._cuts: dict[str, Cut] = {}
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise

    def _build(self) -> None:
        self._server = self._add()
        for line in ("link add hub type bridge", f"addr add {_SERVER}/24 dev hub", "link set hub up", "link set lo up"):
            self._server.ip(line)
        for name, address in self._addresses.items():
            host, port = self._add(), self._ports[name]
            self._server.ip(f"link add {port} type veth peer name eth0 netns {host.pid}")
            self._server.ip(f"link set {port} master hub up")
            for line in (f"addr add {address}/24 dev eth0", "link set eth0 up", "link set lo up"):
                host.ip(line)
            self._hosts[name] = host

    def _add(self) -> _Namespace:
        made = _Namespace()
        self._stack.callback(made.close)
        return made

    @property
    def within(self) -> tuple[str, ...]:
        """What is put before the server's commands."""
        return self._server.within

    def prefix(self, name: str) -> tuple[str, ...]:
        """Return what is put before a command that runs on a host."""
        return self._hosts[name].within

    def netloc(self, name: str) -> str:
        """Return where the server is."""
        return _SERVER

    def cut(self, name: str, how: Cut) -> None:
        """Cut a host's link."""
        self._cuts[name] = how
        port = self._ports[name]
        match how:
            case Cut.UNPLUGGED:
                self._server.ip(f"link set {port} down")
            case Cut.SILENT:
                self._server.ip(f"link set {port} nomaster")
            case Cut.DEAF:
                self._server.ip(f"route add blackhole {self._addresses[name]}")

    def restore(self, name: str) -> None:
        """Mend it."""
        how = self._cuts.pop(name, None)
        port = self._ports[name]
        match how:
            case Cut.UNPLUGGED:
                self._server.ip(f"link set {port} up")
            case Cut.SILENT:
                self._server.ip(f"link set {port} master hub")
            case Cut.DEAF:
                self._server.ip(f"route del blackhole {self._addresses[name]}")

    def __enter__(self) -> Namespaces:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class Forwarders:
    """A forwarder on the loopback for each host."""

    kind = "forwarders, because network namespaces are not allowed here"

    def __init__(self, names: Sequence[str], path: str) -> None:
        self._forwarders = {name: _Forwarder(path) for name in names}

    def prefix(self, name: str) -> tuple[str, ...]:
        """Return nothing: a host's commands are commands of this machine."""
        return ()

    def netloc(self, name: str) -> str:
        """Return where the server is for a host."""
        return f"127.0.0.1:{self._forwarders[name].port}"

    def cut(self, name: str, how: Cut) -> None:
        """Cut a host's link."""
        self._forwarders[name].set(how)

    def restore(self, name: str) -> None:
        """Mend it."""
        self._forwarders[name].set(None)

    def __enter__(self) -> Forwarders:
        return self

    def __exit__(self, *_: object) -> None:
        for forwarder in self._forwarders.values():
            forwarder.close()


class _Forwarder:
    """Passes bytes between a port of the loopback and a server's socket, in a thread, for as long as it may."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._how: Cut | None = None
        self._stopping = False
        self._others: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._told, self._tells = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"forwarder {self.port}", daemon=True)
        self._thread.start()

    def set(self, how: Cut | None) -> None:
        """Cut, or mend."""
        self._how = how
        self._tells.send(b".")

    def close(self) -> None:
        """End it, and every connection."""
        self._stopping = True
        self._tells.send(b".")
        for each in list(self._others):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # it may be waiting for this one to take something
        self._thread.join()
        for each in (*self._others, self._listener, self._told, self._tells):
            each.close()

    def _run(self) -> None:
        while not self._stopping:
            with selectors.DefaultSelector() as selector:
                for each in self._heard():
                    selector.register(each, selectors.EVENT_READ)
                for key, _ in selector.select():
                    self._handle(key.fileobj)  # type: ignore[arg-type]

    def _heard(self) -> list[socket.socket]:
        """Return what is listened to: whatever is not cut."""
        ends = [end for end in self._others if self._how is None or (self._how is Cut.DEAF and end in self._clients)]
        return [self._told, self._listener, *ends]

    def _handle(self, end: socket.socket) -> None:
        if end is self._told:
            self._told.recv(4096)
            if self._how is Cut.UNPLUGGED:
                for client in list(self._clients):
                    self._drop(client)
        elif end is self._listener:
            self._accept()
        elif end in self._others:
            self._pass_on(end)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        self._others |= {client: server, server: client}
        self._clients.add(client)
        try:
            server.connect(self._path)
        except OSError:  # there is no server now
            self._drop(client)
        if self._how is Cut.UNPLUGGED:
            self._drop(client)

    def _pass_on(self, end: socket.socket) -> None:
        try:
            content = end.recv(65_536)
            if content:
                self._others[end].sendall(content)
                return
        except OSError:
            pass  # one end is gone: so will be the other
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        """Close both ends of a connection; a client is told at once, as by a machine that knows nothing of it."""
        other = self._others.pop(end, None)
        if other is None:
            return
        del self._others[other]
        for each in (end, other):
            if each in self._clients:
                self._clients.discard(each)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            each.close()

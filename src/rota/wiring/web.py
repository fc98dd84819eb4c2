"""`rota web`, put together: the REST API and the pages on a port of this machine and on a socket in the home.

It is a process of its own. It reads the store and calls verbs; its load, or its death, holds up nothing. A port that is
taken is said once, and tried again until it is free. Where nobody has chosen a port and the usual one is taken, by
another home of this machine for example, it takes a free one, and the same again the next time if it can. Where it is
found is a fact in the store.
"""

from __future__ import annotations

import logging
import os
import pwd
import resource
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import msgspec
import uvicorn

from rota.api.door import Door, Owner
from rota.api.gate import Gate
from rota.api.link import LinkDoor
from rota.errors import PortTaken, StoreUnavailable
from rota.ids import new_secret
from rota.model.access import Signing
from rota.process.leash import Leash
from rota.process.peers import can_tell_peers
from rota.web.site import Site
from rota.wiring.bind import is_loopback, read_network
from rota.wiring.desks import ClientDesks
from rota.wiring.homes import WEB_SOCKET, web_fact
from rota.wiring.stores import address_of
from rota.wiring.web_connection import MOST, Connection
from rota.wiring.web_files import KeyFile, remove_link, write_link
from rota.wiring.web_key import KeyInStore
from rota.wiring.web_mistakes import Mistakes

USUAL_PORT = 7682
_MOST_FILES = 4_096
"""A connection has one, and so has each store that is open, a few."""
_BACKLOG = 256
_SECONDS_TO_CLOSE = 3
_LOOK = 0.5
_AGAIN = 5.0
_LOCAL = ("localhost", "127.0.0.1", "::1")


class WebPlace(msgspec.Struct, frozen=True):
    """Where the pages are served, and for whom."""

    home: str
    host: str
    port: int | None = None
    """None: the usual one, or any that is free."""
    allowed: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    signing: Signing | None = None
    link: bool = False
    """Whether the owner comes by a link even where the system says whose connections are."""


def serve_web(place: WebPlace, say: Callable[[str], None]) -> None:
    """Serve until the engine that started this has gone, or somebody asks."""
    desks = ClientDesks(place.home)
    with Leash() as leash:
        port = _listen_in_time(place, desks, say, leash)
        if port is not None:
            _serve(place, port, desks, say, leash)
    desks.close()


def _serve(place: WebPlace, port: socket.socket, desks: ClientDesks, say: Callable[[str], None], leash: Leash) -> None:
    listening = [port]
    with suppress(OSError):  # a path that is too long for a socket: then there is the port
        listening.append(_listen_at(os.path.join(place.home, WEB_SOCKET)))
    _allow_files()
    uid = os.stat(place.home).st_uid
    door = Door(
        owner=Owner(uid, _name_of(uid)),
        proxies=tuple(map(read_network, place.proxies)),
        signing=place.signing,
        link=new_secret() if place.link or not can_tell_peers() else "",
        key=(KeyFile(place.home) if address_of(place.home) is None else KeyInStore(desks)).key,
    )
    site = Site(desks, door)
    gate = Gate(LinkDoor(site, door), {*_LOCAL, place.host, *place.allowed})
    server = uvicorn.Server(
        uvicorn.Config(
            gate,
            http=partial(Connection, proxies=door.proxies),  # type: ignore[arg-type]  # it is only called
            log_config=None,
            access_log=False,
            log_level="error",  # what strangers send is no line in our log: they could fill the disk with it
            ws="none",
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST,
            timeout_graceful_shutdown=_SECONDS_TO_CLOSE,
        )
    )
    # Only what the server itself logs: everything else has a log of its own, or is in the store.
    logging.getLogger("uvicorn.error").addHandler(Mistakes(say))
    thread = threading.Thread(target=server.run, args=(listening,), name="web")
    thread.start()
    address = f"http://{_shown(place.host)}:{port.getsockname()[1]}"
    _tell(place, address, door, desks, say)
    while thread.is_alive() and not leash.wait(_LOOK):
        pass
    server.should_exit = True
    site.streams.close()  # an open stream would hold the server up
    thread.join()
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(place.home, WEB_SOCKET))
    remove_link(place.home)


def _tell(place: WebPlace, address: str, door: Door, desks: ClientDesks, say: Callable[[str], None]) -> None:
    """Say where the pages are, and leave it in the store for those who ask later."""
    say(f"note: pages and REST on {address}")
    if door.link:
        path = write_link(place.home, f"{address}/?token={door.link}")
        say(f"note: it cannot be told here whose connections are; you get in by the link in {path}")
    if not is_loopback(place.host):
        say("note: passwords and tokens go over the network in clear there; put a proxy with TLS before it")
    with suppress(StoreUnavailable), desks.borrow() as desk:  # it is only a convenience
        fact = web_fact(desk.store, desk.home_id)
        if desk.store.upkeep.fact(fact) != address:
            desk.store.upkeep.put_fact(fact, address)


def _listen_in_time(
    place: WebPlace, desks: ClientDesks, say: Callable[[str], None], leash: Leash
) -> socket.socket | None:
    """Return where to listen, as soon as that is possible; None when it is time to end before that."""
    said = ""
    while True:
        try:
            return _listen_somewhere(place, desks)
        except PortTaken as taken:
            if str(taken) != said:
                said = str(taken)
                say(f"{said}; there are no pages until that is over. Choose another one with --port")
        if leash.wait(_AGAIN):
            return None


def _listen_somewhere(place: WebPlace, desks: ClientDesks) -> socket.socket:
    if place.port is not None:
        return _listen(place.host, place.port)
    for port in (_port_before(desks), USUAL_PORT):
        with suppress(PortTaken):
            return _listen(place.host, port)
    return _listen(place.host, 0)


def _port_before(desks: ClientDesks) -> int:
    with suppress(StoreUnavailable, ValueError), desks.borrow() as desk:
        return urlsplit(desk.store.upkeep.fact(web_fact(desk.store, desk.home_id)) or "").port or USUAL_PORT
    return USUAL_PORT


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)  # asyncio sends at once (TCP_NODELAY) only where this says TCP
    except OSError as error:
        raise PortTaken(f"nobody can be heard on {_shown(host)}:{port}: {error.strerror or error}") from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise PortTaken(f"nobody can be heard on {_shown(host)}:{port}: {error.strerror or error}") from error
    return made


def _listen_at(path: str) -> socket.socket:
    """Listen at a path that only its owner can open; the one of a process that was killed is in its place no more."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        made.bind(path)
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    made.listen(_BACKLOG)
    return made


def _allow_files() -> None:
    """Let this process have as many files as it may need, where the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

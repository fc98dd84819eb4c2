"""Whose process is at the other end: what the kernel says, and what it says of connections that nobody has any more."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from rota.process import peers

UID = os.getuid()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
        with ours, theirs:
            yield ours, theirs


def test_the_kernel_says_whose_a_connection_over_loopback_is(pair):
    assert (UID, UID) == tuple(map(peers.uid_of_peer, pair))


def test_the_kernel_says_whose_a_unix_connection_is():
    one, other = socket.socketpair()
    with one, other:
        assert UID == peers.uid_of_peer(one)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_it_says_so_over_ipv6_as_well():
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("there is no ::1 here")
    with listening, socket.create_connection(listening.getsockname()[:2]) as _ours:
        theirs, _ = listening.accept()
        with theirs:
            assert UID == peers.uid_of_peer(theirs)


@pytest.mark.parametrize(
    ("state", "uid", "inode", "found"),
    [
        ("01", 1000, 77, 1000),
        ("01", 0, 77, 0),
        ("06", 0, 0, None),  # TIME_WAIT: listed with uid 0, whoever it was
        ("05", 0, 0, None),  # FIN_WAIT2, the same
        ("04", 1000, 0, None),
        ("01", 0, 0, None),  # established, and its process has gone
        ("08", 1000, 77, None),
    ],
)
def test_only_a_connection_that_somebody_still_has_is_somebody_s(pair, tmp_path, monkeypatch, state, uid, inode, found):
    ours, theirs = pair
    local, remote = (peers._shown(end.getsockname()) for end in (ours, theirs))
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        f"   0: {remote} {local} 01 00000000:00000000 00:00000000 00000000 4 0 78 1\n"
        f"   1: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid} 0 {inode} 1\n"
    )
    monkeypatch.setitem(peers._TABLES, socket.AF_INET, str(table))
    assert found == peers.uid_of_peer(theirs)


def test_a_system_without_the_table_says_nothing(pair, monkeypatch):
    monkeypatch.setitem(peers._TABLES, socket.AF_INET, "/nowhere/tcp")
    assert peers.uid_of_peer(pair[1]) is None
    assert not peers.can_tell_peers()

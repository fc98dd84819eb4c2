"""From where a request comes: what a proxy says is believed only from where it is trusted, and only the last word."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from rota.api.callers import caller_of, party_of

PROXIES = [ip_network("10.0.0.0/24"), ip_network("::1")]


def caller(peer: str | None, proxies=PROXIES, **headers: str):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw, "scheme": "http"}
    return caller_of(Request(scope | {"client": (peer, 1) if peer else None, "server": ("h", 80)}), proxies)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "<script>", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%\x1b[31m", "fe80::1"),
        ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        (None, "203.0.113.9", "socket"),
    ],
)
def test_an_address_is_believed_as_far_as_a_trusted_proxy_has_seen_it(peer, forwarded, address):
    assert address == caller(peer, x_forwarded_for=forwarded).address


def test_https_is_believed_from_there_only():
    assert caller("10.0.0.1", x_forwarded_proto="https").https
    assert not caller("10.0.0.1", x_forwarded_proto="https, http").https
    assert not caller("198.51.100.1", x_forwarded_proto="https").https


def test_whatever_a_trusted_proxy_says_it_is_not_the_person_itself():
    assert caller("10.0.0.1").passed_on
    assert not caller("198.51.100.1").passed_on
    assert caller("198.51.100.1", via="1.1 x").passed_on


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (("127.0.0.1", 1000), ("127.0.0.1", 1001), False),
        (("127.0.0.1", 1000), ("::1", 1000), True),
        (("203.0.113.9", None), ("::ffff:203.0.113.9", None), True),
        (("203.0.113.9", None), ("203.0.113.8", None), False),
        (("2001:db8::1", None), ("2001:db8::ffff", None), True),
        (("2001:db8::1", None), ("2001:db8:0:1::1", None), False),
    ],
)
def test_users_of_this_machine_are_counted_apart_and_a_network_of_ipv6_as_one(one, other, together):
    assert together == (party_of(*one) == party_of(*other))

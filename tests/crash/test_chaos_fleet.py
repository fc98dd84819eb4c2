"""The fleet in trouble, in small; `make chaos-fleet` performs it for minutes. And what that stands on."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections import Counter

import psycopg
import pytest

from .chaos_fleet import perform
from .fleet_script import HOSTS, LONG_OUTAGE, script
from .harness import LONG, require, wait_for
from .networks import Cut, Namespaces, may_have_namespaces, wired_server

SOON = {"connect_timeout": 3, "tcp_user_timeout": 3000, "keepalives_idle": 1, "keepalives_interval": 1,
        "keepalives_count": 2}  # fmt: skip
KINDS = {"kill", "stop", "cut", "clock", "disk", "outage", "restart", "trigger", "cancel"}


@pytest.mark.timeout(900)
def test_a_fleet_in_trouble_loses_doubles_and_leaves_nothing(tmp_path):
    seed = random.randrange(1_000_000)
    faults, summary = perform(seed, 180 if LONG else 22, tmp_path)
    assert faults == [], f"seed {seed}: {summary}"


def test_what_happens_is_drawn_from_the_seed_alone_and_nothing_is_left_out():
    assert script(7, 180) == script(7, 180) != script(8, 180)
    for seed in range(20):
        deeds = script(seed, 180)
        assert KINDS == {deed.kind for deed in deeds}
        assert [LONG_OUTAGE] == [deed.lasts for deed in deeds if deed.kind == "outage"]
        for host in HOSTS:
            assert {"kill", "stop", "cut"} <= Counter(deed.kind for deed in deeds if deed.target == host).keys()


@pytest.fixture(params=["namespaces", "forwarders"])
def wired(request, monkeypatch):
    if request.param == "forwarders":
        monkeypatch.setenv("ROTA_TEST_NO_NAMESPACES", "1")
    else:
        there = all(map(shutil.which, ("ip", "unshare", "nsenter"))) and may_have_namespaces()
        require("root, iproute2 and util-linux, to make network namespaces", there=there)
    with wired_server(["one", "two"]) as (server, links):
        assert isinstance(links, Namespaces) == (request.param == "namespaces")
        yield server, links


def _asks(links, name) -> str:
    """Ask the server something from a host, in a process of that host; return the answer, or nothing."""
    url = f"postgresql://postgres@{links.netloc(name)}/postgres"
    program = f"import psycopg; print(psycopg.connect({url!r}, **{SOON!r}).execute('SELECT 42').fetchone()[0])"
    asked = subprocess.run([*links.prefix(name), sys.executable, "-c", program], capture_output=True, timeout=30)
    return asked.stdout.decode().strip()


def _done(server) -> list[int]:
    with psycopg.connect(server.url) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM done").fetchall()]


@pytest.mark.parametrize("how", [Cut.UNPLUGGED, Cut.SILENT])
def test_a_link_that_is_cut_carries_nothing_and_does_when_it_is_mended(wired, how):
    _, links = wired
    assert ["42", "42"] == [_asks(links, "one"), _asks(links, "two")]
    links.cut("one", how)
    assert ["", "42"] == [_asks(links, "one"), _asks(links, "two")]
    links.restore("one")
    wait_for(lambda: _asks(links, "one") == "42", "it carries again", 60)


def test_a_host_that_is_deaf_is_heard(wired):
    server, links = wired
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE done (number int)")
    url = f"postgresql://postgres@{links.netloc('one')}/postgres"
    program = (
        f"import psycopg; connection = psycopg.connect({url!r}, autocommit=True, **{SOON!r})\n"
        "print('ready', flush=True); input()\n"
        "connection.execute('INSERT INTO done VALUES (1)'); print('answered')"
    )
    command = [*links.prefix("one"), sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asks:
        try:
            assert asks.stdout.readline() == b"ready\n"
            links.cut("one", Cut.DEAF)
            asks.stdin.write(b"\n")
            asks.stdin.flush()
            wait_for(lambda: _done(server) == [1], "what it asked is done", 60)
            assert asks.poll() is None
        finally:
            asks.kill()

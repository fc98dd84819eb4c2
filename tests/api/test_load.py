"""Requests that are too large or too slow, and far too many connections: each ends, and others are served meanwhile."""

from __future__ import annotations

import select
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from process.waiting import wait_for

from .webs import NOBODY, Web, needs_root

IMPATIENT = """
import sys
import rota.api.gate, rota.wiring.web_connection
rota.api.gate._SECONDS_FOR_A_BODY = rota.wiring.web_connection._SECONDS_FOR_A_HEAD = 0.5
rota.wiring.web_connection._SECONDS_FOR_A_READER = 0.5
from rota.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
CROWD = """
import encodings.idna, os, socket, sys
os.setgroups([])
os.setuid(int(sys.argv[2]))
opened = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20) for _ in range(260)]
refused = [each.recv(12) for each in opened[250:]]
print(refused.count(b"HTTP/1.1 503"), flush=True)
sys.stdin.read()
"""
LOGIN = "/api/v1/auth/login"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    """The same process, with less time for a request."""
    made = Web(tmp_path_factory.mktemp("impatient"))
    yield made.start(program=[sys.executable, "-P", "-c", IMPATIENT])
    made.close()


def connect(web: Web, text: str = "") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", web.port), timeout=20)
    made.sendall(text.encode())
    return made


def everything(made: socket.socket) -> str:
    """Return what comes until the other side closes; it must do that by itself."""
    with made, made.makefile("rb") as file:
        return file.read().decode("latin-1")


@pytest.mark.parametrize("text", ["", "GET /heal", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_head_that_does_not_come_ends_the_connection(impatient, text):
    assert "200 OK" not in everything(connect(impatient, text))


def test_a_head_that_comes_a_letter_at_a_time_ends_it_as_well(impatient):
    made = connect(impatient, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ")

    def drip() -> bool:
        try:
            made.sendall(b"a")
        except ConnectionError:
            return True
        return False

    with made:
        wait_for(drip)


def test_a_body_that_does_not_come_is_told_so(impatient):
    head = f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    answer = everything(connect(impatient, head + "{"))
    assert answer.startswith("HTTP/1.1 408 ")
    assert "urn:rota:problem:too-slow" in answer


def test_a_body_that_comes_a_letter_at_a_time_is_told_so_as_well(impatient):
    head = f"POST {LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
    with connect(impatient, head) as made:
        made.setblocking(False)

        def drip() -> bytes:
            try:
                made.sendall(b" ")
                return made.recv(12)
            except BlockingIOError:
                return b""

        assert b"HTTP/1.1 408" == wait_for(drip)


def test_a_large_body_is_refused_by_what_it_says_of_itself_and_by_what_comes(alone):
    answer = alone.ask("POST", LOGIN, content=b"x" * (1 << 20) + b"x")
    assert (413, "urn:rota:problem:too-large") == (answer.status_code, answer.json()["type"])

    def pieces():
        for _ in range(40):
            yield b"x" * 65_536

    answer = alone.ask("POST", LOGIN, content=pieces())
    assert 413 == answer.status_code


@pytest.mark.parametrize(
    "head",
    [
        "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + "a" * 200_000 + "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "\x00\x01\x02\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=["path", "header", "two hosts", "no host", "negative", "two lengths", "bytes", "tls"],
)
def test_what_is_no_sound_request_is_refused(impatient, head):
    try:
        answer = everything(connect(impatient, head))
    except ConnectionError:  # it was closed while more was on its way
        answer = ""
    assert answer == "" or answer.startswith("HTTP/1.1 4"), answer[:200]


def test_strangers_cannot_fill_the_log(web):
    web.start()
    for _ in range(20):
        everything(connect(web, "nonsense\r\n\r\n"))
    web.stop()
    assert "" == web.said


def test_five_hundred_open_connections_hold_up_nobody(alone):
    with ExitStack() as open_ones:
        for _ in range(500):
            open_ones.enter_context(connect(alone, "GET /healthz HTTP/1.1\r\n"))
        for _ in range(5):
            assert 200 == alone.ask(path="/api/v1/jobs").status_code
    wait_for(lambda: 200 == alone.ask().status_code)


def test_one_other_user_of_the_machine_has_some_connections_and_the_owner_any_number(alone):
    needs_root()
    crowd = [sys.executable, "-I", "-c", CROWD, str(alone.port), str(NOBODY)]
    with subprocess.Popen(crowd, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as others, ExitStack() as open_ones:
        assert b"10\n" == others.stdout.readline()
        for _ in range(500):
            open_ones.enter_context(connect(alone, "GET /healthz HTTP/1.1\r\n"))
        assert 200 == alone.ask().status_code
        others.stdin.close()


def test_who_does_not_take_the_answer_is_let_go(impatient):
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect(("127.0.0.1", impatient.port))
        request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        made.sendall(request.encode() * 20)  # more than the kernel's own buffers take
        gone = select.poll()
        gone.register(made, 0)  # what cannot be asked for is always told: that the other side has gone
        wait_for(lambda: gone.poll(0))

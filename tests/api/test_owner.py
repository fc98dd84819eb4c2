"""As long as nobody can sign in, the owner gets in without a password, and nobody else does."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

from process.waiting import wait_for

from .webs import NOBODY, PASSWORD, needs_root

_ASK = """
import encodings.idna, os, socket, sys
port, path, method, uid = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[5])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
with socket.create_connection(("127.0.0.1", port)) as made:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0", "Connection: close", "", ""]
    made.sendall("\\r\\n".join(lines).encode())
    if sys.argv[4] == "wait":
        print(made.makefile("rb").read().decode())
"""


def ask_as(uid: int, port: int, path: str, method: str = "GET", then: str = "wait") -> str:
    """Ask as another user of this machine."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _ASK, str(port), path, method, then, str(uid)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def test_the_owner_gets_in_over_loopback_and_may_do_everything(alone):
    me = alone.ask().json()
    assert ("local", ["admin", "read", "run", "write"]) == (me["how"], me["scopes"])


def test_the_owner_gets_in_over_the_socket_in_the_home(alone):
    transport = httpx.HTTPTransport(uds=str(alone.home / "web.sock"))
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        assert "local" == client.get("/api/v1/me").json()["how"]
    assert 0 == (alone.home / "web.sock").stat().st_mode & 0o177


def test_another_user_of_the_machine_gets_nothing(alone):
    needs_root()
    for path in ("/api/v1/me", "/api/v1/jobs", "/metrics"):
        answer = ask_as(NOBODY, alone.port, path)
        assert answer.startswith("HTTP/1.1 403 "), answer
        assert "rota user add" in answer


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto"])
def test_what_a_proxy_passes_on_is_not_the_owner_s(alone, name):
    assert 403 == alone.ask(headers={name: "127.0.0.1"}).status_code


def test_a_connection_that_its_owner_has_left_is_nobody_s(web):
    """What is left of a socket is listed with the uid 0; the request was in the buffers when its sender ended."""
    needs_root()
    web.start()
    web.process.send_signal(signal.SIGSTOP)
    ask_as(NOBODY, web.port, "/api/v1/jobs/backup/run", "POST", "leave")
    web.process.send_signal(signal.SIGCONT)
    wait_for(lambda: web.ask().status_code == 200)
    assert 0 == web.runs()


def test_once_somebody_can_sign_in_the_owner_signs_in_as_well(web):
    web.start()
    assert 200 == web.ask().status_code
    answer = web.post("/api/v1/users", {"name": "ann", "role": "admin", "password": PASSWORD})
    assert 201 == answer.status_code, answer.text
    assert "password" not in answer.text
    assert 401 == web.ask().status_code
    assert "ann" == web.sign_in("ann").http.get("/api/v1/me").json()["name"]


def test_where_connections_do_not_tell_whose_they_are_a_link_lets_the_owner_in(web):
    web.start("--link")
    assert "web.link" in web.line()
    file = web.home / "web.link"
    assert 0o600 == file.stat().st_mode & 0o777
    link = file.read_text().strip()
    with httpx.Client(trust_env=False) as browser:
        sent_on = browser.get(link + "&next=1")
        assert (303, "/?next=1") == (sent_on.status_code, sent_on.headers["location"])
        me = browser.get(web.url + "/api/v1/me").json()
        assert "link" == me["how"]
        body = {"name": "ann", "role": "admin", "password": PASSWORD}
        assert 403 == browser.post(web.url + "/api/v1/users", json=body).status_code
        shown = {"X-CSRF-Token": me["csrf_token"]}
        assert 201 == browser.post(web.url + "/api/v1/users", json=body, headers=shown).status_code
        assert 401 == browser.get(web.url + "/api/v1/me").status_code
    token = link.partition("token=")[2]
    assert token not in sent_on.headers["set-cookie"]
    web.stop()
    assert not file.exists()
    assert token not in web.said


def test_a_wrong_link_opens_nothing(web):
    web.start("--link")
    answer = web.ask(path="/nowhere?token=wrong")
    assert 404 == answer.status_code
    assert "set-cookie" not in answer.headers

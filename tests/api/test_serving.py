"""`rota serve` keeps the pages alive beside the engine; neither's end, nor a port that is taken, hurts the other."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from process.waiting import wait_for

from .webs import DEADLINE, PASSWORD, ROTA

_ON = re.compile(r"pages and REST on (http://\S+)")


class Served:
    """A home whose engine serves pages."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / ".rota"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.env |= {"HOME": str(folder), "TZ": "UTC", "ROTA_HOME": str(self.home)}
        self.engine: subprocess.Popen[bytes] | None = None

    def call(self, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ROTA, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=DEADLINE, **given
        )

    def serve(self, *words: str, **environment: str) -> Served:
        self.engine = subprocess.Popen(
            [*ROTA, "serve", "-q", "--on-stop", "kill", *words], cwd=self.folder, env=self.env | environment
        )
        return self

    @property
    def log(self) -> str:
        path = self.home / "rota.log"
        return path.read_text() if path.exists() else ""

    def url(self, nth: int = 1) -> str:
        """Return where the pages are, once that has been said so often."""
        return wait_for(lambda: _ON.findall(self.log)[nth - 1 :])[0]

    def webs(self) -> list[int]:
        """Return the pids of the processes that serve this home's pages."""
        words = f"web\0--home\0{self.home}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += [int(path.parent.name)] if words in path.read_bytes() else []
            except OSError:
                continue
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.engine is not None and self.engine.poll() is None:
            self.engine.send_signal(number)
            self.engine.wait(DEADLINE)


@pytest.fixture
def served(tmp_path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    made.stop()
    wait_for(lambda: not made.webs())


@pytest.fixture(scope="module")
def lasting(tmp_path_factory) -> Iterator[Served]:
    """A home whose engine tests leave as they have found it."""
    made = Served(tmp_path_factory.mktemp("lasting")).serve("--port", "0")
    yield made
    made.stop()
    wait_for(lambda: not made.webs())


def ok(url: str) -> bool:
    try:
        return 200 == httpx.get(url + "/readyz", trust_env=False).status_code
    except httpx.TransportError:
        return False


def test_the_engine_serves_the_pages_says_where_and_takes_them_along(served):
    served.serve("--port", "0")
    url = served.url()
    assert ok(url)
    assert f"on {url}" in served.call("doctor").stdout
    assert " INFO: pages and REST on" in served.log
    served.stop()
    wait_for(lambda: not served.webs())
    assert not ok(url)
    assert "not served" in served.call("doctor").stdout


def test_pages_that_are_killed_come_back_at_the_same_place_and_nothing_is_late(served):
    served.serve()
    url = served.url()
    served.call("add", "often", "--every", "1s", "--", "true")
    [pid] = served.webs()
    os.kill(pid, signal.SIGKILL)
    assert url == served.url(2)
    assert ok(url)
    assert "rota web has ended" in served.log
    assert "missed" not in served.log


def test_an_engine_that_was_stopped_is_not_ready_even_when_nothing_is_due(lasting):
    url = lasting.url()
    assert ok(url)
    lasting.engine.send_signal(signal.SIGSTOP)
    wait_for(lambda: not ok(url))
    assert "the engine was stopped" in httpx.get(url + "/readyz", trust_env=False).json()["status"]
    told = httpx.get(url + "/api/v1/summary", trust_env=False).json()["engine"]
    assert (True, False, 0.0) == (told["running"], told["scheduling"], told["late"])
    lasting.engine.send_signal(signal.SIGCONT)
    wait_for(lambda: ok(url))


def test_the_pages_go_behind_the_engine_and_its_jobs_with_all_of_their_threads(lasting):
    assert ok(lasting.url())
    [pid] = lasting.webs()
    behind = min(19, max(0, os.nice(0)) + 10)
    assert {behind} == {os.getpriority(os.PRIO_PROCESS, int(thread)) for thread in os.listdir(f"/proc/{pid}/task")}
    assert pid == os.getsid(pid)


def test_what_is_answered_is_sent_at_once():
    """Of a socket that does not say that it is TCP, asyncio holds small pieces back, each for some 40 ms."""
    from rota.wiring.web import _listen

    with _listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert socket.IPPROTO_TCP == accepted.proto


def test_pages_end_with_an_engine_that_is_killed(served):
    served.serve("--port", "0")
    assert ok(served.url())
    served.stop(signal.SIGKILL)
    wait_for(lambda: not served.webs())


def test_a_port_that_is_taken_is_said_once_and_the_engine_goes_on(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        served.serve("--port", str(port))
        wait_for(lambda: f"nobody can be heard on 127.0.0.1:{port}" in served.log)
        served.call("add", "job", "--", "true")
        assert 0 == served.call("run", "job", "--wait").returncode
    assert f"http://127.0.0.1:{port}" == served.url()
    assert 1 == served.log.count("nobody can be heard")


def test_where_nobody_has_chosen_a_port_a_second_home_takes_a_free_one(served, tmp_path):
    (tmp_path / "second").mkdir()
    second = Served(tmp_path / "second")
    served.serve()
    first = served.url()
    second.serve()
    other = second.url()
    try:
        assert first != other
        assert ok(first)
        assert ok(other)
        assert "nobody can be heard" not in second.log
    finally:
        second.stop()
        wait_for(lambda: not second.webs())


@pytest.mark.parametrize(("words", "environment"), [(["--no-web"], {}), ([], {"ROTA_NO_WEB": "1"})])
def test_pages_are_left_out_when_that_is_said(served, words, environment):
    served.serve(*words, **environment)
    wait_for(lambda: "serving" in served.log)
    served.call("add", "job", "--", "true")
    assert 0 == served.call("run", "job", "--wait").returncode
    assert [] == served.webs()


def test_a_file_says_whether_there_are_pages_and_may_change_its_mind(served):
    file = served.folder / "rota.yaml"
    file.write_text("engine: {web: false}\njobs: {a: {run: 'true'}}\n")
    served.serve("-f", str(file), "--port", "0")
    wait_for(lambda: "serving" in served.log)
    file.write_text("jobs: {a: {run: 'true'}}\n")
    assert ok(served.url())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "rota.invalid"])
def test_nobody_beyond_this_machine_is_served_as_long_as_nobody_can_sign_in(served, host):
    for verb in ("serve", "web"):
        done = served.call(verb, "--host", host)
        assert (2, True) == (done.returncode, "make a user first: rota user add NAME" in done.stderr), done.stderr


def test_with_users_others_are_served_and_it_is_said_that_it_is_in_clear(served):
    done = served.call("user", "add", "ann", "--password-file", "-", input=PASSWORD)
    assert 0 == done.returncode, done.stderr
    served.serve("--host", "0.0.0.0", "--port", "0")
    port = httpx.URL(served.url()).port
    wait_for(lambda: "over the network in clear" in served.log)
    for address, host, code in (
        ("127.0.0.1", "127.0.0.1", 401),
        ("127.0.0.2", "127.0.0.2", 401),
        ("127.0.0.2", "evil.example", 421),
        ("127.0.0.2", "127.0.0.3", 421),
    ):
        asked = httpx.get(f"http://{address}:{port}/api/v1/me", headers={"Host": host}, trust_env=False)
        assert code == asked.status_code


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--port", "70000"], {}, "70000 is not in the range"),
        ([], {"ROTA_PORT": "many"}, "ROTA_PORT=many: it must be a number"),
        ([], {"ROTA_NO_WEB": "perhaps"}, "ROTA_NO_WEB=perhaps: it must be one of"),
        (["--trusted-proxy", "proxy"], {}, "--trusted-proxy proxy: "),
        (["--trusted-proxy", "10.0.0.1/8"], {}, "10.0.0.1/8 has host bits set"),
        ([], {"ROTA_HMAC_SECRET": "short"}, "has 5 characters; 32 or more"),
        ([], {"ROTA_HMAC_SECRET": "x" * 32}, "name a user in ROTA_HMAC_USER"),
        ([], {"ROTA_HMAC_SECRET": "x" * 32, "ROTA_HMAC_SECRET_FILE": "y"}, "are both set"),
        ([], {"ROTA_HMAC_SECRET_FILE": "/nowhere"}, "it cannot be read: No such file"),
        (
            [],
            {"ROTA_HMAC_SECRET": "x" * 32, "ROTA_HMAC_USER": "a", "ROTA_HMAC_SCOPES": "raed"},
            "did you mean 'read'?",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_starts(served, words, environment, said):
    served.env |= environment
    for verb in ("serve", "web"):
        if verb == "web" and "ROTA_NO_WEB" in environment:
            continue
        done = served.call(verb, *words)
        assert (2, True) == (done.returncode, said in done.stderr), done.stderr
        assert "x" * 32 not in done.stderr

"""REST as it is served: the installed `rota`, an engine and a web process, over loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.conftest import ROTA, Home
from process.waiting import wait_for

DEADLINE = 30


class Web:
    """A home with an engine, and a web process beside it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.home.path.mkdir(mode=0o700)
        self.home.serve("--no-web")
        words = [ROTA, "--home", str(self.home.path), "web", "--port", "0"]
        self.process = subprocess.Popen(
            words, cwd=folder, env=self.home.env, stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self.process.stderr is not None
        found = re.search(rb"http://[\d.]+:(\d+)", self.process.stderr.readline())
        assert found
        self.port = int(found[1])
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=DEADLINE)
        self._drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._drain.start()

    def run(self, name: str, line: str) -> str:
        """Make a job and ask for a run of it."""
        self.client.post("/jobs", json={"name": name, "run": line}).raise_for_status()
        return str(self.client.post(f"/jobs/{name}/run").raise_for_status().json()["id"])

    def state(self, run: str) -> str:
        return str(self.client.get(f"/runs/{run}").json()["state"])

    def ended(self, run: str) -> dict[str, Any]:
        return wait_for(lambda: (found := self.client.get(f"/runs/{run}").json())["ended_at"] and found, DEADLINE)

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(DEADLINE)
        self._drain.join(DEADLINE)
        for stream in (self.process.stdin, self.process.stderr):
            assert stream is not None
            stream.close()
        self.home.stop()


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    made = Web(tmp_path_factory.mktemp("web"))
    yield made
    made.close()


def messages(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield a stream's messages."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            key, _, value = line.partition(": ")
            fields[key] = value
        elif "data" in fields:
            yield {"event": ""} | fields | {"data": json.loads(fields["data"])}
            fields = {}


def test_a_job_that_was_made_over_rest_runs_and_its_output_is_read(web):
    run = web.run("hello", "echo hello; echo oops >&2; exit 3")
    ended = web.ended(run)
    assert ("failed", 3) == (ended["state"], ended["exit_code"])
    assert "hello\n" == web.client.get(f"/runs/{run}/output").text
    assert "oops\n" == web.client.get(f"/runs/{run}/output?stream=stderr").text
    summary = web.client.get("/summary").json()
    assert summary["engine"]["scheduling"]
    assert run in [each["id"] for each in summary["trouble"]]


def test_a_running_jobs_output_is_read_and_streamed_live_and_the_job_is_cancelled(web):
    run = web.run("ticking", "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done")
    wait_for(lambda: "tick 1\n" in web.client.get(f"/runs/{run}/output").text)
    with web.client.stream("GET", f"/runs/{run}/output/live") as response:
        assert "text/event-stream" == response.headers["content-type"].partition(";")[0]
        seen, text, last = [], "", ""
        for message in messages(response):
            seen.append(message["event"])
            if message["event"] == "output":
                text, last = text + message["data"]["text"], message["id"]
            if "tick 9\n" in text:
                break
    assert {"state", "attempt", "output"} <= set(seen)
    with web.client.stream("GET", f"/runs/{run}/output/live", headers={"Last-Event-ID": last}) as response:
        for message in messages(response):
            if message["event"] == "output":
                text += message["data"]["text"]
                if "tick 15\n" in text:
                    break
    numbers = [int(line.split()[1]) for line in text.splitlines()[:15]]
    assert list(range(1, 16)) == numbers
    web.client.post(f"/runs/{run}/cancel").raise_for_status()
    assert "cancelled" == web.ended(run)["state"]


def test_facts_are_streamed_as_the_engine_writes_them(web):
    with web.client.stream("GET", "/events") as response:
        found = messages(response)
        run = web.run("fact", "true")
        kinds = []
        for message in found:
            if message["data"]["run"] == run:
                kinds.append(message["data"]["kind"])
            if kinds[-1:] == ["run.succeeded"]:
                break
    assert ["run.queued", "run.running", "run.succeeded"] == kinds


def test_twenty_clients_at_once_with_one_key_make_one_run(web):
    web.client.post("/jobs", json={"name": "once", "run": "true", "overlap": "allow"}).raise_for_status()
    answers: list[httpx.Response] = []
    start = threading.Barrier(20)

    def ask() -> None:
        with httpx.Client(base_url=web.client.base_url, timeout=DEADLINE) as client:
            start.wait(DEADLINE)
            answers.append(client.post("/jobs/once/run", headers={"Idempotency-Key": "one"}))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert [200] * 19 + [202] == sorted(answer.status_code for answer in answers)
    assert 1 == len(web.client.get("/runs?job=once").json()["items"])


def test_a_slash_in_a_name_reaches_the_job_through_the_server(web):
    place = web.client.post("/jobs", json={"name": "a/b", "run": "true"}).headers["location"]
    assert "/api/v1/jobs/a%2Fb" == place
    assert "a/b" == web.client.get("/jobs/a%2Fb").json()["name"]


def open_streams(web: Web, count: int) -> list[socket.socket]:
    """Open streams of events, and return them when each has begun."""
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n".encode()
    opened = []
    for _ in range(count):
        opened.append(socket.create_connection(("127.0.0.1", web.port), DEADLINE))
        opened[-1].sendall(request)
    for connection in opened:
        seen = read_until(connection, b"retry: ")
        assert seen.startswith(b"HTTP/1.1 200"), seen
    return opened


def read_until(connection: socket.socket, end: bytes) -> bytes:
    """Return what comes, up to something."""
    seen = b""
    while end not in seen:
        piece = connection.recv(1 << 16)
        assert piece, seen
        seen += piece
    return seen


def test_five_hundred_open_streams_have_each_fact_leave_room_for_others_and_add_one_thread(web):
    before, descriptors = threads_of(web.process.pid), descriptors_of(web.process.pid)
    opened = open_streams(web, 500)
    try:
        run = web.run("seen", "true")
        for connection in opened:
            read_until(connection, run.encode())
        assert 200 == web.client.get("/summary").status_code
        # Requests themselves are served by a pool of forty threads, which may have grown meanwhile.
        assert threads_of(web.process.pid) <= max(before, 42) + 1
    finally:
        for connection in opened:
            connection.close()
    # Stores that the pool has opened stay open, three descriptors each.
    wait_for(lambda: descriptors_of(web.process.pid) <= descriptors + 3 * 42, DEADLINE)
    for connection in open_streams(web, 500):  # there were only a hundred places left
        connection.close()


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def test_streams_end_when_the_process_is_asked_to_and_many_do_not_hold_it_up(tmp_path):
    made = Web(tmp_path)
    opened = []
    try:
        opened = open_streams(made, 500)
        with made.client.stream("GET", "/events") as response:
            lines = response.iter_lines()
            assert next(lines).startswith("retry")
            made.process.send_signal(signal.SIGTERM)
            with suppress(httpx.RemoteProtocolError, httpx.ReadError):  # a stream may be cut as well as ended
                list(lines)
        assert 0 == made.process.wait(DEADLINE)
    finally:
        for connection in opened:
            connection.close()
        made.close()

"""Real `rota web` processes over loopback, on homes of their own, and people who ask them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from rota.model.access import Kind, Role
from rota.model.action import Shell
from rota.model.job import Job
from rota.wiring.client import Client

DEADLINE = 30
PASSWORD = "seven small green frogs"
NOBODY = 65534
ROTA = [sys.executable, "-P", "-m", "rota"]


def needs_root() -> None:
    """Skip what only root can try; fail where everything must be there."""
    if os.geteuid() == 0:
        return
    if os.environ.get("ROTA_TEST_REQUIRE") == "all":
        pytest.fail("this is to be tested as root, and ROTA_TEST_REQUIRE=all")
    pytest.skip("needs root")


class Web:
    """A home with a job, and the process that serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / ".rota"
        self.home.mkdir(mode=0o700, parents=True)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.env |= {"HOME": str(folder), "TZ": "UTC", "ROTA_HOME": str(self.home)}
        self.client = Client(str(self.home))
        self.client.verbs.add(Job("backup", Shell("true"), ()))
        self.process: subprocess.Popen[str] | None = None
        self.url, self.said = "", ""
        self.browsers: list[Browser] = []

    # -- the process --------------------------------------------------------------------------------------------------

    def start(self, *words: str, program: list[str] = ROTA, **environment: str) -> Web:
        """Start it, and return when it has said where it is."""
        command = [*program, "web", "--port", "0", *words]
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env | environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert "pages and REST on http://" in line, line + self.process.stderr.read()
        self.url = line.split()[-1]
        return self

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 0

    def line(self) -> str:
        """Return the next line that it says."""
        assert self.process is not None
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def stop(self) -> None:
        """End it as its engine's end would, and remember what it has said."""
        while self.browsers:
            self.browsers.pop().http.close()
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            _, self.said = self.process.communicate(timeout=DEADLINE)
            self.process = None

    def close(self) -> None:
        self.stop()
        self.client.close()

    # -- people -------------------------------------------------------------------------------------------------------

    def add_user(self, name: str, role: str = "admin") -> str:
        """Let somebody in who has the usual password, whatever there was of them before."""
        accounts = self.client.accounts
        if any(user.name == name for user in accounts.users()):
            accounts.remove_user(name, last=True)
        accounts.add_user(name, Role(role), PASSWORD)
        return name

    def token(self, user: str, **given: Any) -> str:
        return self.client.accounts.issue(user, Kind.TOKEN, "test", **given).secret

    def audit(self) -> list[tuple[str, str, str, str]]:
        """Return who did what to what and how it went, newest first."""
        return [(line.who, line.action, line.target, line.outcome) for line in self.client.accounts.audit()]

    def runs(self) -> int:
        from rota.model.settlement import RunFilter

        return len(self.client.store.runs.page(RunFilter(None), None, 1000))

    # -- asking -------------------------------------------------------------------------------------------------------

    def ask(self, method: str = "GET", path: str = "/api/v1/me", **given: Any) -> httpx.Response:
        """Ask once, over a connection of its own."""
        return httpx.request(method, self.url + path, timeout=DEADLINE, trust_env=False, **given)

    def post(self, path: str, body: Any = None, **given: Any) -> httpx.Response:
        return self.ask("POST", path, json=body, **given)

    def with_token(self, token: str, method: str = "GET", path: str = "/api/v1/me", **given: Any) -> httpx.Response:
        return self.ask(method, path, headers={"Authorization": f"Bearer {token}"} | given.pop("headers", {}), **given)

    def sign_in(self, name: str) -> Browser:
        self.browsers.append(Browser(self, name))
        return self.browsers[-1]


class Browser:
    """Somebody who is signed in with a browser."""

    def __init__(self, web: Web, name: str) -> None:
        self.web = web
        self.http = httpx.Client(base_url=web.url, timeout=DEADLINE, trust_env=False)
        answer = self.http.post("/api/v1/auth/login", json={"name": name, "password": PASSWORD})
        assert 200 == answer.status_code, answer.text
        self.set_cookie = answer.headers["set-cookie"]
        self.csrf = {"X-CSRF-Token": answer.json()["csrf_token"]}

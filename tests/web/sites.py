"""Real `rota serve` processes with their pages, and a real browser that looks at them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import BrowserContext

from rota.control.accounts import SESSION_LASTS
from rota.model.access import Kind, Role
from rota.model.action import Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.wiring.client import Client

DEADLINE = 30
PASSWORD = "seven small green frogs"
ROTA = [sys.executable, "-P", "-m", "rota"]
_OF_JOB = ("tags", "enabled", "timezone", "description", "secrets")
_ADDRESS = re.compile(r"pages and REST on (http://\S+)")


class Site:
    """A home, its engine, and the web process that the engine keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / ".rota"
        self.home.mkdir(mode=0o700, parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.env = kept | {"HOME": str(folder), "TZ": "UTC", "ROTA_HOME": str(self.home)}
        self.client = Client(str(self.home))
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, *words: str) -> Site:
        """Serve it, and return as soon as it says where."""
        log = self.folder / "serve.log"
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [*ROTA, "serve", "--port", "0", "--stop-grace", "0", *words],
                cwd=self.folder,
                env=self.env,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + DEADLINE
        while not (found := _ADDRESS.search(log.read_text())):
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        self.url = found[1]
        return self

    def stop(self) -> None:
        """End the engine and what it keeps."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(DEADLINE)
            self.process = None

    def close(self) -> None:
        self.stop()
        self.client.close()

    def add(self, name: str, command: str = "true", *schedules: tuple[str, str], **given: Any) -> None:
        """Make a job by hand."""
        fields = {key: given.pop(key) for key in _OF_JOB if key in given}
        specs = tuple(ScheduleSpec(kind, text) for kind, text in schedules)
        self.client.verbs.add(Job(name, Shell(command), specs, policy=Policy(**given), **fields), "hand")

    def run(self, name: str) -> str:
        """Run a job to its end, and return the run's id."""
        run_id = self.client.verbs.trigger(name)
        deadline = time.monotonic() + DEADLINE
        while (run := self.client.store.runs.find(run_id)) is None or run.ended_at is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return run_id

    def user(self, name: str, role: str = "admin") -> str:
        """Let somebody sign in with the usual password."""
        self.client.accounts.add_user(name, Role(role), PASSWORD)
        return name

    def get(self, path: str, status: int = 200, user: str = "", **given: Any) -> str:
        """Return a page as a browser without scripts has it."""
        headers = {"Accept": "text/html"}
        if user:
            headers["Authorization"] = f"Bearer {self.client.accounts.issue(user, Kind.TOKEN, 'test').secret}"
        answer = httpx.get(self.url + path, headers=headers, **given)
        assert status == answer.status_code, answer.text
        return answer.text


def sign_in(context: BrowserContext, site: Site, name: str = "ann") -> None:
    """Give a browser somebody's session, as if they had signed in."""
    issued = site.client.accounts.issue(name, Kind.SESSION, lasts=SESSION_LASTS)
    context.add_cookies([{"name": "rota_session", "value": issued.secret, "url": site.url}])

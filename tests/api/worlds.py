"""What the tests of REST share: a home, the application on it, and somebody who asks."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from rota.api.app import create_app
from rota.api.callers import PEER
from rota.api.door import Door, Owner
from rota.model.action import Command, Shell
from rota.model.job import Job, ScheduleSpec
from rota.model.policy import Policy
from rota.model.run import State
from rota.model.settlement import Ended
from rota.wiring.client import Client
from rota.wiring.desks import ClientDesks

API = "/api/v1"
HOST, BOOT = "host-one", "boot-one"


class Local:
    """The application as the owner of the home reaches it: the server says whose process is at the other end."""

    def __init__(self, app: ASGIApp, uid: int) -> None:
        self._app = app
        self.uid = uid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "state": {PEER: self.uid}}, receive, send)


class World:
    """A home, its application, and what an engine would do to the store."""

    def __init__(self, folder: Path) -> None:
        self.home = str(folder / ".rota")
        self.client = Client(self.home)
        self.store = self.client.store
        self.desks = ClientDesks(self.home)
        self.api = create_app(self.desks, Door(owner=Owner(os.getuid(), "somebody")))
        self.app = Local(self.api, os.getuid())
        self._places = 0

    # -- asking -------------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Send one request, and return the answer."""
        return self.ask_all([(method, path, given)])[0]

    def ask_all(self, requests: list[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Send requests at once, and return the answers in their order."""

        async def all_of_them() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await asyncio.gather(*(client.request(method, path, **more) for method, path, more in requests))

        return asyncio.run(all_of_them())

    def get(self, path: str, status: int = 200, **given: Any) -> Any:
        return self._json(status, "GET", path, **given)

    def post(self, path: str, status: int = 200, **given: Any) -> Any:
        return self._json(status, "POST", path, **given)

    def put(self, path: str, status: int = 200, **given: Any) -> Any:
        return self._json(status, "PUT", path, **given)

    def delete(self, path: str, status: int = 200, **given: Any) -> Any:
        return self._json(status, "DELETE", path, **given)

    def _json(self, status: int, method: str, path: str, **given: Any) -> Any:
        answer = self.ask(method, API + path, **given)
        assert status == answer.status_code, answer.text
        if status >= 400:
            assert "application/problem+json" == answer.headers["content-type"]
        return answer.json()

    # -- what is there ------------------------------------------------------------------------------------------------

    def add(self, name: str = "backup", *schedules: tuple[str, str], origin: str = "hand", **given: Any) -> None:
        fields = {key: given.pop(key) for key in ("tags", "enabled", "timezone", "action") if key in given}
        specs = tuple(ScheduleSpec(kind, text) for kind, text in schedules)
        fields = {"timezone": "UTC", "action": Shell("true")} | fields
        self.client.verbs.add(Job(name=name, schedules=specs, policy=Policy(**given), **fields), origin)

    def run(self, name: str = "backup", state: State = State.SUCCEEDED, code: int | None = 0, reason: str = "") -> str:
        """Let a job run and end."""
        run_id = self.client.verbs.trigger(name)
        self.begin()
        self.end(run_id, state, code, reason)
        return run_id

    def begin(self) -> None:
        """Start all runs that are ready."""
        self._places += 1
        spools = [f"journal-1/{self._places:03}{number:03}" for number in range(100)]
        with self.store.transaction():
            self.store.runs.claim_ready(HOST, BOOT, self.client.clock.now(), spools, None)

    def end(self, run_id: str, state: State = State.SUCCEEDED, code: int | None = 0, reason: str = "") -> None:
        run = self.store.runs.find(run_id)
        assert run is not None
        now = self.client.clock.now()
        with self.store.transaction():
            ended = Ended(run_id, run.attempt, state, run.started_at, now, code, reason)
            assert self.store.runs.settle_if_running(ended, HOST, now)

    def close(self) -> None:
        self.api.state.streams.close()
        self.desks.close()
        self.client.close()


TRUE = Command(("/bin/true",))

"""A directory with job files, and engines that serve it: real processes of the installed `rota`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rota.model.run import State
from rota.model.settlement import RunFilter
from rota.wiring.client import Client

from .harness import wait_for

ROTA = str(Path(sys.executable).parent / "rota")
NOTICED = 2.0
"""Within so many seconds a change is noticed and applied."""
SLACK = 3.0
"""What a busy machine may add in a test."""


class Served:
    """A directory with job files, and an engine that serves them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / ".rota"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.env |= {"HOME": str(folder), "TZ": "UTC", "ROTA_NO_WEB": "1"}
        self.engines: list[subprocess.Popen[bytes]] = []

    def write(self, text: str, name: str = "rota.yaml") -> Path:
        """Write a file as careful editors do: aside, and renamed over the old one."""
        path = self.folder / name
        aside = path.with_name(f".{path.name}.new")
        aside.write_text(text)
        aside.rename(path)
        return path

    def serve(self, *words: str) -> subprocess.Popen[bytes]:
        """Start an engine on the files, and return when it serves."""
        said = self.log
        command = [ROTA, "serve", "-q", *words]
        engine = subprocess.Popen(command, cwd=self.folder, env=self.env, stderr=subprocess.PIPE)
        self.engines.append(engine)
        wait_for(lambda: "serving" in self.log.removeprefix(said) or engine.poll() is not None, "the engine serves")
        return engine

    @property
    def log(self) -> str:
        path = self.home / "rota.log"
        return path.read_text() if path.exists() else ""

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([ROTA, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=30)

    def ask(self, question: Callable[[Client], object]) -> object:
        client = Client(str(self.home))
        try:
            return question(client)
        finally:
            client.close()

    def names(self) -> list[str]:
        return self.ask(lambda client: client.store.jobs.names())  # type: ignore[return-value]

    def line(self, name: str) -> str:
        return self.ask(lambda client: client.store.jobs.get(name).job.action.describe())  # type: ignore[return-value]

    def states(self, name: str) -> list[State]:
        def look(client: Client) -> list[State]:
            stored = client.store.jobs.find(name)
            return [run.state for run in client.store.runs.page(RunFilter(stored.id), None, 1000)] if stored else []

        return self.ask(look)  # type: ignore[return-value]

    def wait_for_log(self, words: str, seconds: float = NOTICED + SLACK) -> None:
        wait_for(lambda: words in self.log, f"the log says {words!r}", seconds)

    def close(self) -> None:
        for engine in self.engines:
            if engine.poll() is None:
                engine.kill()
            engine.wait()
            assert engine.stderr is not None
            engine.stderr.close()


def jobs(**lines: str) -> str:
    return "jobs:\n" + "".join(f"  {name}: {{{line}}}\n" for name, line in lines.items())

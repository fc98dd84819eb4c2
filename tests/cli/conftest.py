"""The installed `rota` in processes of its own, on homes of its own; engines are ended by their pids."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROTA = str(Path(sys.executable).parent / "rota")
DEADLINE = 30


class Shown(NamedTuple):
    """What a terminal showed, and how the command ended."""

    text: str
    code: int


class Home:
    """A directory with a home in it, and a person who types there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / ".rota"
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ROTA_", "XDG_", "_ROTA", "COLUMNS"))
        }
        self.env |= {"HOME": str(folder), "TZ": "UTC", "TERM": "xterm-256color"}
        self.env["ROTA_NO_WEB"] = "1"  # what the pages are tested by starts them
        self.env.pop("NO_COLOR", None)
        self.engines: list[subprocess.Popen[bytes]] = []

    def call(self, *words: str, env: dict[str, str] | None = None, **given: Any) -> subprocess.CompletedProcess[bytes]:
        """Run a verb, and return what came of it, as bytes."""
        environment = self.env | (env or {})
        given.setdefault("cwd", self.folder)
        return subprocess.run([ROTA, *words], capture_output=True, env=environment, timeout=DEADLINE, **given)

    def ok(self, *words: str, **given: Any) -> str:
        """Run a verb that must do well, and return its standard output."""
        done = self.call(*words, **given)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def fails(self, code: int, *words: str, **given: Any) -> str:
        """Run a verb that must end with a code, and return its standard error: never a traceback."""
        done = self.call(*words, **given)
        errors = done.stderr.decode()
        assert code == done.returncode, errors
        assert "Traceback" not in errors
        return errors

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def serve(self, *words: str, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        """Start an engine, and return when it has said that it serves."""
        command = [ROTA, "serve", "--on-stop", "kill", *words]
        engine = subprocess.Popen(command, cwd=cwd or self.folder, env=self.env, stderr=subprocess.PIPE)
        self.engines.append(engine)
        assert engine.stderr is not None
        assert b"serving" in engine.stderr.readline()
        return engine

    def start(self, *words: str, **given: Any) -> subprocess.Popen[bytes]:
        """Start a verb that goes on."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | given
        return subprocess.Popen([ROTA, *words], cwd=self.folder, env=self.env, **pipes)

    def stop(self) -> None:
        """End the engines: once kindly, then not."""
        for engine in self.engines:
            if engine.poll() is None:
                engine.send_signal(signal.SIGTERM)
            try:
                engine.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()
            if engine.stderr is not None:
                engine.stderr.close()

    def at_terminal(
        self,
        *words: str,
        columns: int = 100,
        act: Callable[[int, bytes], bool] | None = None,
        env: dict[str, str] | None = None,
    ) -> Shown:
        """Run a verb at a terminal; `act` sees what was shown so far, and may type. It returns True when it is done."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (50, columns))
        process = subprocess.Popen(
            [ROTA, *words],
            cwd=self.folder,
            env=self.env | (env or {}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            preexec_fn=_own_terminal,  # noqa: PLW1509 -- the test has one thread
        )
        os.close(slave)
        shown, acted = b"", act is None
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
            if not acted and act is not None:
                acted = act(master, shown)
        os.close(master)
        return Shown(shown.decode().replace("\r\n", "\n"), process.wait(DEADLINE))


def _own_terminal() -> None:
    import fcntl

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs the tests may ignore it, as a shell's background does
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    made = Home(tmp_path)
    made.path.mkdir(mode=0o700)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def quiet_home(tmp_path_factory) -> Home:
    """A home with one job, for tests that change nothing."""
    made = Home(tmp_path_factory.mktemp("quiet"))
    made.path.mkdir(mode=0o700)
    made.ok("add", "backup", "--", "true")
    return made


@pytest.fixture
def served(home) -> Home:
    home.serve()
    return home


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Home]:
    """A home with an engine, for tests that look at jobs of their own only."""
    made = Home(tmp_path_factory.mktemp("shared"))
    made.path.mkdir(mode=0o700)
    made.serve()
    yield made
    made.stop()

"""Distributions with plug-ins, as an installer leaves them: a module and its metadata in a directory on the path."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROTA = str(Path(sys.executable).parent / "rota")
SUNS = """
from dataclasses import dataclass
from datetime import timedelta

import rota


class Sunset(rota.Schedule):
    name = "sunset"

    def __init__(self, text):
        if text not in ("Berlin", "Rome"):
            raise ValueError(f"nobody knows where {text} is")
        self.text = text

    def next_after(self, instant):
        return instant.replace(microsecond=0) + timedelta(seconds=1)

    def explain(self):
        return f"at sunset in {self.text}"


@dataclass
class Fetch(rota.Action):
    name = "fetch"
    url: str
    times: int = 1

    def argv(self):
        if self.times < 0:
            raise ValueError("nothing is fetched less than never")
        return ["echo", "fetching", self.url, str(self.times)]


class Say(rota.Action):
    def __init__(self, words):
        self.words = words

    def argv(self):
        return f"echo said {self.words}"
"""
NAMES = {
    "rota.schedules": {"sunset": "suns:Sunset"},
    "rota.actions": {"fetch": "suns:Fetch", "say": "suns:Say", "odd": "suns:SUNRISE", "none": "os:getcwd"},
}


class Site:
    """A directory that distributions are installed into, and a person who uses rota with it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.folder = folder / "site", folder / "work"
        self.path.mkdir()
        self.folder.mkdir()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("ROTA_", "XDG_"))}
        self.env |= {"HOME": str(folder), "TZ": "UTC", "PYTHONPATH": str(self.path), "PYTHONDONTWRITEBYTECODE": "1"}
        self.engines: list[subprocess.Popen[str]] = []

    def install(self, name: str = "suns", code: str = SUNS, names: dict[str, dict[str, str]] = NAMES) -> None:
        (self.path / f"{name}.py").write_text(textwrap.dedent(code))
        about = self.path / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        groups = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in each.items()) for group, each in names.items())
        (about / "entry_points.txt").write_text("\n".join(groups))

    def uninstall(self, name: str = "suns") -> None:
        for path in (self.path / f"{name}-1.0.dist-info").iterdir():
            path.unlink()
        (self.path / f"{name}-1.0.dist-info").rmdir()
        (self.path / f"{name}.py").unlink()

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([ROTA, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)

    def ok(self, *words: str) -> str:
        done = self.call(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, code: str) -> str:
        (self.folder / "program.py").write_text(textwrap.dedent(code))
        done = subprocess.run(
            [sys.executable, "program.py"], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self, *words: str) -> subprocess.Popen[str]:
        command = [ROTA, "serve", "--on-stop", "kill", *words]
        engine = subprocess.Popen(command, cwd=self.folder, env=self.env, stderr=subprocess.PIPE, text=True)
        self.engines.append(engine)
        assert engine.stderr is not None
        assert "serving" in engine.stderr.readline()
        return engine

    def close(self) -> None:
        for engine in self.engines:
            if engine.poll() is None:
                engine.kill()
            engine.wait()
            if engine.stderr is not None:
                engine.stderr.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        yield made
    finally:
        made.close()

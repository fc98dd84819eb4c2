"""Processes of rota's own beside the engine, such as `rota apply`: started, and met again when they end.

What a helper says goes into a file of the home, so that nobody has to read while it runs, and a helper that says a lot
fills no pipe. It can be read there line by line meanwhile; the rest is read at its end.

Its standard input is a pipe that nothing is ever written to: the engine holds the other end, and when the engine has
gone, however it went, the helper reads the end of its input, and ends as well.

It leads a session of its own, and goes behind the engine and its jobs wherever they want the same core (priority.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

import msgspec

from rota.process.watch import Watcher

LEASH = "ROTA_LEASH"
"""In a helper's environment: its standard input is the pipe that ends when the engine has gone."""
_KEY = "helper:"
_LONGEST = 64 * 1024


class HelperEnd(msgspec.Struct, frozen=True):
    """How a helper ended, and what it said."""

    code: int | None
    lines: list[str]


class Helpers:
    """Starts helpers and tells how they ended."""

    def __init__(self, home: str, watcher: Watcher, environment: Mapping[str, str]) -> None:
        self._home = home
        self._watcher = watcher
        self._environment = {**environment, LEASH: "1"}
        self._leashes: dict[str, int] = {}
        self._ended: dict[str, int | None] = {}
        self._heard: dict[str, int] = {}
        """Up to which byte of what a helper says it was passed on."""

    def start(self, name: str, words: Sequence[str]) -> None:
        """Start `rota WORDS` as the helper of a name; raises OSError when the system refuses."""
        # -P: a file that happens to lie in the current directory must not be taken for a module of ours.
        argv = [sys.executable, "-P", "-m", "rota", *words]
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        reader, self._leashes[name] = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, reader, 0),
            (os.POSIX_SPAWN_OPEN, 1, self._said(name), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        try:
            pid = os.posix_spawn(
                argv[0],
                argv,
                self._environment,
                file_actions=actions,
                setsid=True,  # Ctrl-C at the engine's terminal is for the engine; and see priority.py
                setsigmask=(),
                setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
            )
        except OSError:
            self.let_go(name)
            raise
        finally:
            os.close(reader)
        self._heard[name] = 0
        self._watcher.watch_pid(_KEY + name, pid, ours=True)

    def let_go(self, name: str) -> None:
        """Let a helper end by itself, as it does when the engine has gone."""
        leash = self._leashes.pop(name, None)
        if leash is not None:
            os.close(leash)

    def note_end(self, key: str, status: int | None) -> None:
        """Remember an end that the watcher has seen; what is no helper's is nobody's."""
        if key.startswith(_KEY):
            self._ended[key.removeprefix(_KEY)] = status

    def new_lines(self, name: str) -> list[str]:
        """Return the whole lines that a helper has said since the last time, once."""
        content = self._read(name)
        whole = content[: content.rfind(b"\n") + 1] if len(content) < _LONGEST else content
        self._heard[name] = self._heard.get(name, 0) + len(whole)
        return _lines(whole)

    def take_end(self, name: str) -> HelperEnd | None:
        """Return how a helper ended and what it said that was not passed on, once; None while it runs."""
        if name not in self._ended:
            return None
        code = self._ended.pop(name)
        self.let_go(name)
        lines = _lines(self._read(name))
        self._heard.pop(name, None)
        with contextlib.suppress(OSError):
            os.unlink(self._said(name))
        return HelperEnd(code, lines)

    def _read(self, name: str) -> bytes:
        with contextlib.suppress(OSError), open(self._said(name), "rb") as file:
            file.seek(self._heard.get(name, 0))
            return file.read(_LONGEST)
        return b""

    def _said(self, name: str) -> str:
        return os.path.join(self._home, f"{name}.out")


def _lines(content: bytes) -> list[str]:
    return [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]

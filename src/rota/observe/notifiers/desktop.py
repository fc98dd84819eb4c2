"""Telling whoever sits at this machine: a notification on the desktop.

apprise does it where it can: on Linux with `dbus-python`, on macOS with `terminal-notifier`, on Windows with `pywin32`.
None of these comes with apprise. Where they are missing, the system's own program does: notify-send or osascript.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from html import escape
from importlib.util import find_spec
from typing import Any, NamedTuple

from rota.errors import BadNotifier, NotTold
from rota.observe.notifiers.notifier import Notifier
from rota.observe.notifiers.through_apprise import INSTALL, channel, send

_PATIENCE = 10.0
_APPLESCRIPT = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"


class _System(NamedTuple):
    """How one system is told."""

    url: str
    """apprise's."""
    program: tuple[str, ...]
    """Its own; the title and the message follow as two words."""
    advice: str


_SYSTEMS = {
    "linux": _System(
        "dbus://",
        ("notify-send", "--app-name=rota", "--"),
        f"install notify-send (Debian: apt install libnotify-bin), or try: {INSTALL} dbus-python",
    ),
    "darwin": _System("macosx://", ("osascript", "-e", _APPLESCRIPT), f"try: {INSTALL}"),
    "win32": _System("windows://", (), f"try: {INSTALL} pywin32"),
}


class Desktop(Notifier):
    """Shows a notification on the desktop of who runs the program."""

    def __init__(self) -> None:
        if sys.platform not in _SYSTEMS:
            raise BadNotifier(f"there is no way to a desktop on {sys.platform}; choose another notifier")
        self._system = _SYSTEMS[sys.platform]
        self._channel: Any = channel(self._system.url) if find_spec("apprise") is not None else None
        program = self._system.program
        if self._channel is None and (not program or shutil.which(program[0]) is None):
            raise BadNotifier(f"nothing here can show a notification on the desktop; {self._system.advice}")

    def __repr__(self) -> str:
        return "Desktop()"

    def notify(self, message: str, title: str = "") -> None:
        """Show the message."""
        if self._system.url == "dbus://":
            message = escape(message, quote=False)  # such a daemon reads the body as markup
        if self._channel is not None:
            send(self._channel, message, title)
        else:
            _run([*self._system.program, title or "rota", message])


def _run(argv: list[str]) -> None:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise NotTold(f"{argv[0]} did not end within {_PATIENCE:g}s") from None
    except OSError as error:
        raise NotTold(f"{argv[0]} cannot be started: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise NotTold(f"{argv[0]}: {said[0]}")

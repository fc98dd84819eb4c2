"""What all channels of apprise have in common: it is there or it is not, and why a message did not arrive.

apprise says yes or no, and the reason only to its log. So that is listened to while a message is under way: warnings
for all channels, and for mail the debug line with the server's answer. Other debug lines may hold a token, and are
never looked at.
"""

from __future__ import annotations

import logging
import threading
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from rota.errors import BadNotifier, NotTold

INSTALL = "pip install 'rota[notify]'"
_OLDEST = 2
_LOGGER = "apprise"
ANSWER = "Socket Exception: "
"""How apprise's debug line begins that has a mail server's answer, or why there was none."""


def require_apprise(what: str) -> None:
    """Raise BadNotifier where apprise is not installed, or is one that verifies no certificate of a mail server."""
    if find_spec("apprise") is None:
        raise BadNotifier(f"{what} needs apprise, which is not installed; try: {INSTALL}")
    found = version("apprise")
    if int(found.partition(".")[0]) < _OLDEST:
        raise BadNotifier(f"{what} needs apprise {_OLDEST}.0 or newer, and {found} is installed; try: {INSTALL}")


class _Ear(logging.Filter):
    """Hears what apprise says in this thread; lets nobody else hear more than before."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self.heard = threading.local()
        self._level = logger.level
        self._above = logger.parent
        logger.setLevel(logging.DEBUG)
        logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record for the thread that listens, and pass on what was passed on before."""
        lines = getattr(self.heard, "lines", None)
        if lines is not None:
            lines.append((record.levelno, record.getMessage()))
        least = self._level or (self._above.getEffectiveLevel() if self._above is not None else logging.WARNING)
        return record.levelno >= least


_LOCK = threading.Lock()
_EARS: list[_Ear] = []


def _ear() -> _Ear:
    with _LOCK:
        if not _EARS:
            _EARS.append(_Ear(logging.getLogger(_LOGGER)))
        return _EARS[0]


def channel(how: str | dict[str, Any]) -> Any | None:
    """Return apprise's channel for a URL or its parts; None where apprise does not know it, or cannot do it here."""
    import apprise

    ear = _ear()
    ear.heard.lines = []  # a wrong URL is said by who asked, in words of ours
    try:
        return apprise.Apprise.instantiate(how)
    finally:
        ear.heard.lines = None


def send(made: Any, message: str, title: str, *, answers: bool = False) -> None:
    """Send a message through a channel; NotTold has the reason, for mail with the server's own answer."""
    ear = _ear()
    lines: list[tuple[int, str]] = []
    ear.heard.lines = lines
    try:
        arrived = made.notify(body=message, title=title)
    finally:
        ear.heard.lines = None
    if not arrived:
        reasons = [text for level, text in lines if level >= logging.WARNING]
        if answers:
            reasons += [text.removeprefix(ANSWER) for _, text in lines if text.startswith(ANSWER)]
        raise NotTold("; ".join(dict.fromkeys(reasons)) or "apprise could not deliver it, and gave no reason")

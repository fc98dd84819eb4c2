"""Telling Python's own log, under the name `rota.notify`."""

from __future__ import annotations

import logging

from rota.observe.notifiers.notifier import Notifier

_LOG = logging.getLogger("rota.notify")


class Log(Notifier):
    """Writes a warning into the log; what becomes of it is the program's to say, as with any library."""

    def __repr__(self) -> str:
        return "Log()"

    def notify(self, message: str, title: str = "") -> None:
        """Write the message as one line."""
        _LOG.warning("%s", ": ".join(filter(None, (title, message))))

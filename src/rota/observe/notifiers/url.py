"""Telling whoever a URL of apprise names: chats, phones, web hooks, and a hundred others."""

from __future__ import annotations

from rota.errors import BadNotifier
from rota.observe.notifiers.notifier import Notifier
from rota.observe.notifiers.through_apprise import channel, require_apprise, send


class Url(Notifier):
    """Sends through apprise. The URL may hold a token, so it is shown without what follows its scheme."""

    def __init__(self, url: str) -> None:
        self._scheme = url.partition(":")[0].strip()
        require_apprise(f"a URL such as {self._scheme}://…")
        self._channel = channel(url)
        if self._channel is None:
            raise BadNotifier(
                f"apprise makes nothing of this {self._scheme}:// URL; see https://appriseit.com for how it is written"
            )

    def __repr__(self) -> str:
        return f"{self._scheme}://…"

    def notify(self, message: str, title: str = "") -> None:
        """Send the message."""
        send(self._channel, message, title, answers=self._scheme.lower() in ("mailto", "mailtos"))

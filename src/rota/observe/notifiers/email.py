"""Telling by mail, through apprise and a mail server of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rota.errors import BadNotifier, did_you_mean
from rota.observe.notifiers.notifier import Notifier
from rota.observe.notifiers.through_apprise import channel, require_apprise, send

_MODES = {"starttls": ("starttls", 587), "ssl": ("ssl", 465), "none": ("insecure", 25)}
"""apprise's word, and the usual port."""
_PATIENCE = 10.0


class Email(Notifier):
    """Sends mail through a server; the password is in memory only, and never shown.

    `security` is "starttls" (the usual one), "ssl" (from the first byte) or "none". Certificates are verified unless
    `verify` is False. A server that does not answer within `timeout` seconds is given up.
    """

    def __init__(
        self,
        server: str,
        *,
        to: str | Iterable[str],
        sender: str | None = None,
        user: str | None = None,
        password: str | None = None,
        port: int | None = None,
        security: str = "starttls",
        verify: bool = True,
        timeout: float = _PATIENCE,
    ) -> None:
        require_apprise("mail")
        if security not in _MODES:
            raise BadNotifier(
                f"mail: security is {security!r}; it may be {', '.join(_MODES)}{did_you_mean(security, _MODES)}"
            )
        mode, usual_port = _MODES[security]
        self.server, self.port = server, port or usual_port
        self.to = [to] if isinstance(to, str) else list(to)
        self.sender = sender or (user if user is not None and "@" in user else "")
        if not self.sender:
            raise BadNotifier("mail: there is no sender; say sender='rota@example.com'")
        if user is not None and password is None:
            raise BadNotifier(f"mail: there is no password for {user}; leave the user out where nobody logs in")
        if not f"{user}{password}".isascii():
            raise BadNotifier("mail: Python cannot log in with letters beyond ASCII in a user or a password")
        how: dict[str, Any] = {"schema": "mailto" if security == "none" else "mailtos", "host": server}
        how |= {"port": self.port, "smtp_host": server, "secure_mode": mode, "verify": verify}
        how |= {"from_addr": self.sender, "targets": self.to, "format": "text", "cto": timeout, "rto": timeout}
        if user is not None:
            how |= {"user": user, "password": password}
        self._channel = channel(how)

        def as_html() -> Any:
            return channel({**how, "format": "html"})

        self._as_html = as_html
        if self._channel is None or len(self._channel.targets) != len(self.to):
            to = ", ".join(self.to) or "nobody"
            raise BadNotifier(f"mail: apprise makes nothing of the addresses: from {self.sender!r} to {to}")

    def __repr__(self) -> str:
        return f"Email({self.server!r}, port={self.port}, to={self.to!r})"

    def notify(self, message: str, title: str = "") -> None:
        """Send the message as plain text."""
        send(self._channel, message, " ".join(title.split()), answers=True)

    def notify_html(self, message: str, title: str = "") -> None:
        """Send a message that is HTML; its text goes along for those who read no HTML."""
        send(self._as_html(), message, " ".join(title.split()), answers=True)

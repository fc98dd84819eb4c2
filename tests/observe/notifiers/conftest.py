"""Real parts: mail servers on loopback, and a notification daemon on a virtual screen."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from crash.harness import require, wait_for


class Mailbox:
    """A mail server, and what it was given."""

    def __init__(self, controller: Controller, letters: list[EmailMessage], logins: list[tuple[str, str]]) -> None:
        self.port: int = controller.server.sockets[0].getsockname()[1]
        self.letters, self.logins = letters, logins


class _Keeps:
    """Takes every letter, but for those whose receiver is not known here."""

    def __init__(self, letters: list[EmailMessage], unknown: str) -> None:
        self._letters, self._unknown = letters, unknown

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 -- aiosmtpd's name
        if address == self._unknown:
            return "550 5.1.1 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 -- aiosmtpd's name
        self._letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class _OnAnyPort(Controller):
    """Port 0: the system chooses, and nobody can take the port in between."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mail_server() -> Iterator[Callable[..., Mailbox]]:
    """Start a mail server on loopback."""
    with ExitStack() as stack:

        def start(*, login: tuple[str, str] | None = None, unknown: str = "", **how: Any) -> Mailbox:
            letters: list[EmailMessage] = []
            logins: list[tuple[str, str]] = []

            def check(_server, _session, _envelope, _mechanism, data) -> AuthResult:
                logins.append((data.login.decode(), data.password.decode()))
                return AuthResult(success=logins[-1] == login, handled=False)

            if login is not None:
                how |= {"authenticator": check, "auth_required": True}
            made = _OnAnyPort(_Keeps(letters, unknown), hostname="127.0.0.1", port=0, **how)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a login without TLS is dangerous, which is why it is tested
                made.start()
            stack.callback(made.stop)
            return Mailbox(made, letters, logins)

        yield start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # neither smtplib nor aiosmtpd closes after a bad handshake
        gc.collect()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate for 127.0.0.1, which this machine trusts for the length of a test."""
    require("openssl", there=shutil.which("openssl") is not None)
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(["openssl", *words, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Screen:
    """A virtual screen with a notification daemon, which writes down what it shows."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.environment = environment
        self._folder = folder

    def shown(self) -> list[tuple[str, str]]:
        """Return the titles and bodies, oldest first."""
        found = []
        for path in sorted(self._folder.glob("*.note"), key=lambda each: each.stat().st_mtime_ns):
            title, _, body = path.read_text().partition("\0")
            found.append((title, body))
        return found


_HOOK = """\
#!/bin/sh
printf '%s\\0%s' "$DUNST_SUMMARY" "$DUNST_BODY" > "{folder}/$DUNST_ID.part"
mv "{folder}/$DUNST_ID.part" "{folder}/$DUNST_ID.note"
"""
_RULES = '[global]\n  format="%s %b"\n[log]\n  summary="*"\n  script={hook}\n'


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    for program in ("Xvfb", "dunst", "dbus-daemon", "notify-send"):
        require(program, there=shutil.which(program) is not None)
    folder = tmp_path / "screen"
    folder.mkdir()
    hook, rules = folder / "hook.sh", folder / "dunstrc"
    hook.write_text(_HOOK.format(folder=folder))
    hook.chmod(0o755)
    rules.write_text(_RULES.format(hook=hook))
    with ExitStack() as stack:
        display = _begin_screen(stack)
        bus = _begin_bus(stack, folder)
        made = {"DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": bus, "HOME": str(folder)}
        for name, value in made.items():
            monkeypatch.setenv(name, value)
        environment = {**os.environ, **made}
        _begin(stack, ["dunst", "-conf", str(rules)], env=environment)
        asked = [
            "dbus-send",
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
        ]
        asked += ["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.Notifications"]
        wait_for(
            lambda: b"true" in subprocess.run(asked, env=environment, capture_output=True).stdout,
            "the daemon on its bus",
        )
        yield Screen(folder, environment)


def _begin(stack: ExitStack, argv: list[str], **how: Any) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)

    def end() -> None:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    stack.callback(end)
    return process


def _begin_screen(stack: ExitStack) -> str:
    """Start the virtual screen on a number that is free; it tells which when it is ready."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as said:
        _begin(stack, ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=[writing])
        os.close(writing)
        return f":{said.readline().strip()}"


def _begin_bus(stack: ExitStack, folder: Path) -> str:
    """Start a session bus of the test's own, in the foreground: so it ends with the test."""
    words = ["--session", "--nofork", "--nopidfile", "--print-address", f"--address=unix:path={folder}/bus"]
    bus = _begin(stack, ["dbus-daemon", *words], stdout=subprocess.PIPE)
    assert bus.stdout is not None
    return bus.stdout.readline().decode().strip()


@pytest.fixture
def in_time() -> Iterator[threading.Event]:
    """An event that frees whoever hangs on it when the test is over."""
    event = threading.Event()
    yield event
    event.set()

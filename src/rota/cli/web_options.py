"""Where the pages and REST are served, and for whom: options of `rota serve` and `rota web`, and the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from rota.cli.environment import from_environment, one_of
from rota.cli.session import Session
from rota.errors import UsageError

if TYPE_CHECKING:
    from rota.model.access import Scope, Signing

_F = TypeVar("_F", bound=Callable[..., Any])
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_SHORTEST_SECRET = 32
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 7682


class WebOptions(NamedTuple):
    """What was said about the pages; None and nothing for what was not."""

    host: str
    port: int | None
    allowed: tuple[str, ...]
    proxies: tuple[str, ...]

    def words(self, home: str) -> list[str]:
        """Return the words after `rota` that serve them."""
        words = ["web", "--home", home, "--host", self.host]
        words += ["--port", str(self.port)] if self.port is not None else []
        words += [word for name in self.allowed for word in ("--allowed-host", name)]
        return words + [word for name in self.proxies for word in ("--trusted-proxy", name)]


def web_options(function: _F) -> _F:
    """Accept --host, --port, --allowed-host and --trusted-proxy."""
    for option in (
        click.option(
            "--trusted-proxy", multiple=True, metavar="ADDRESS", help="Believe what it says of whom it serves."
        ),
        click.option("--allowed-host", multiple=True, metavar="NAME", help="Another name that leads to the pages."),
        click.option(
            "--port",
            type=click.IntRange(0, 65_535),
            metavar="N",
            help=f"On which port  [{DEFAULT_PORT}, or a free one].",
        ),
        click.option("--host", metavar="ADDRESS", help=f"Where the pages are served  [{DEFAULT_HOST}]."),
    ):
        function = option(function)
    return function


def read_web_options(
    host: str | None, port: int | None, allowed: tuple[str, ...], proxies: tuple[str, ...]
) -> WebOptions:
    """Return what was said, with the environment for what the command line leaves open."""
    from rota.wiring.bind import read_network

    said = WebOptions(
        host=host or from_environment("ROTA_HOST", str) or DEFAULT_HOST,
        port=port if port is not None else from_environment("ROTA_PORT", _port),
        allowed=allowed or from_environment("ROTA_ALLOWED_HOSTS", _names) or (),
        proxies=proxies or from_environment("ROTA_TRUSTED_PROXIES", _names) or (),
    )
    for proxy in said.proxies:
        try:
            read_network(proxy)
        except ValueError as error:
            raise UsageError(
                f"--trusted-proxy {proxy}: {error}; it is an address, or a network such as 10.0.0.0/24"
            ) from None
    return said


def without_web(flag: bool) -> bool:
    """Tell whether somebody said that no pages are to be served."""
    return flag or from_environment("ROTA_NO_WEB", one_of(_YES + _NO)) in _YES


def refuse_open(session: Session, host: str) -> None:
    """Refuse to be heard beyond this machine as long as nobody can sign in: everybody would be a stranger."""
    from rota.wiring.bind import is_loopback

    if is_loopback(host) or (session.has_home and session.client().accounts.has_users):
        return
    raise UsageError(
        f"{host} can be reached from other machines, and nobody can sign in yet; make a user first: rota user add NAME"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ValueError("it must be a number, 0 to 65535")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def read_signing() -> Signing | None:
    """Return what signed requests are signed with, and as whom they act: from the environment, and never the store."""
    from rota.config.secrets import secret_setting
    from rota.model.access import Scope, Signing

    secret = secret_setting("ROTA_HMAC_SECRET")
    if secret is None:
        return None
    if len(secret) < _SHORTEST_SECRET:
        raise UsageError(
            f"ROTA_HMAC_SECRET has {len(secret)} characters; {_SHORTEST_SECRET} or more cannot be guessed: "
            "openssl rand -hex 32"
        )
    user = from_environment("ROTA_HMAC_USER", str)
    if user is None:
        raise UsageError("ROTA_HMAC_SECRET is set, but not as whom signed requests act; name a user in ROTA_HMAC_USER")
    scopes = from_environment("ROTA_HMAC_SCOPES", _scopes)
    return Signing(secret.encode(), user, frozenset(Scope) if scopes is None else scopes)


def _scopes(text: str) -> frozenset[Scope]:
    from rota.model.access import Scope

    known = tuple(scope.value for scope in Scope)
    return frozenset(Scope(one_of(known)(word)) for word in _names(text))

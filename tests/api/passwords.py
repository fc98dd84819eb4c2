"""People with the usual password, which is stretched once: that takes long, which is its purpose."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher

from rota.model.access import Role
from rota.wiring.client import Client

PASSWORD = "seven small green frogs"


@cache
def _usual_hash() -> str:
    return PasswordHasher().hash(PASSWORD)


def let_in(client: Client, name: str, role: str = "admin") -> None:
    """Let somebody in who is not there yet, as accounts do."""
    with client.store.transaction():
        assert client.store.access.add_user(name, Role(role), _usual_hash(), client.clock.now())

"""Who did what, for the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from rota.control.desk import Desk
from rota.model.access import Who

Note = Callable[[Desk, Who, str, str], None]


def _noting(request: Request) -> Note:
    address = request.client.host if request.client is not None else ""

    def note(desk: Desk, who: Who, action: str, target: str) -> None:
        desk.accounts.note(who, action, target, address=address)

    return note


Noted = Annotated[Note, Depends(_noting)]

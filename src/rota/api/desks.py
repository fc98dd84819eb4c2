"""A request's desk: borrowed when a route asks for it, and given back when it has answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from rota.api.door import desks_of
from rota.control.desk import Desk


def borrowed(request: Request) -> Iterator[Desk]:
    """Lend a desk to one request."""
    with desks_of(request).borrow() as desk:
        yield desk


AtDesk = Annotated[Desk, Depends(borrowed, scope="function")]

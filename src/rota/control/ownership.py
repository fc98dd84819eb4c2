"""Whose a job is: what was made by hand can be changed by hand, what a file or a program says is changed there."""

from __future__ import annotations

from shlex import quote

from rota.errors import NotByHand
from rota.model import origin
from rota.model.job import BY_HAND, StoredJob


def check_by_hand(stored: StoredJob) -> None:
    """Refuse to change or remove a job that somebody else says."""
    if stored.origin == BY_HAND:
        return
    if origin.is_applied(stored.origin):
        raise NotByHand(
            f"job {stored.name!r} is what {origin.shown(stored.origin)} says; change it there, and it is changed here "
            "as soon as that is applied"
        )
    raise NotByHand(
        f"job {stored.name!r} was made by {stored.origin}, which would make it so again; change it there, or remove it "
        f"with: rota remove {quote(stored.name)}"
    )

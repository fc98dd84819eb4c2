"""The audit: who did what; for admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse

from rota.api.queries import After
from rota.api.who import needs
from rota.control.auditing import audit_page
from rota.model.access import Entry, Scope
from rota.web.people_words import deed_in_words, outcome_in_words, way_in_words
from rota.web.rendering import AtPage

router = APIRouter(dependencies=[Depends(needs(Scope.ADMIN))])
_ROWS = 50
_TONES = {"ok": "succeeded", "refused": "failed"}


class Line(msgspec.Struct, frozen=True):
    """A line of the audit in words."""

    at: datetime
    who: str
    way: str
    deed: str
    target: str
    outcome: str
    tone: str
    address: str


@router.get("/audit")
def audit(page: AtPage, who: Annotated[str, Query(max_length=64)] = "", before: After = None) -> HTMLResponse:
    """Show what was done and what was refused, newest first."""
    wanted = who.strip()
    found = audit_page(page.desk.accounts, wanted, before or None, _ROWS)
    names = [user.name for user in page.desk.accounts.users()]
    lines = [_line(entry) for entry in found.items]
    return page.show("audit.html", lines=lines, next=found.next, who=wanted, names=names, is_first=not before)


def _line(entry: Entry) -> Line:
    return Line(
        at=entry.at,
        who=entry.who or "nobody who is known",
        way=way_in_words(entry.how),
        deed=deed_in_words(entry.action),
        target=_other(entry.who, entry.target),
        outcome=outcome_in_words(entry.outcome),
        tone=_TONES.get(entry.outcome, "late"),
        address=entry.address,
    )


def _other(who: str, target: str) -> str:
    """Return what was meant, without the name of whoever it was: that one stands before it."""
    return "" if target == who else target.removeprefix(f"{who} ")

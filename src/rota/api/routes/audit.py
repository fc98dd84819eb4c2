"""The audit: who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.queries import After, Limit
from rota.api.schemas.accounts import AuditLine, AuditPage
from rota.api.who import needs
from rota.control.auditing import audit_page
from rota.model.access import Scope

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[Depends(needs(Scope.ADMIN))])


@router.get("", summary="Read the audit")
def read_audit(
    desk: AtDesk,
    who: Annotated[str, Query(description="Only what this person did.", max_length=64)] = "",
    limit: Limit = 100,
    before: After = None,
) -> AuditPage:
    """Return what was done and what was refused, newest first."""
    page = audit_page(desk.accounts, who, before, limit)
    return AuditPage(items=[AuditLine.of(entry) for entry in page.items], next=page.next)

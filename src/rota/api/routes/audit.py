"""The audit: who did what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.queries import After, Limit
from rota.api.schemas.accounts import AuditLine, AuditPage
from rota.api.who import needs
from rota.control.pages import opened, sealed
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
    found = desk.accounts.audit(who, None if before is None else opened(before, _BeforeEntry).id, limit + 1)
    lines = [AuditLine.of(entry) for entry in found[:limit]]
    return AuditPage(items=lines, next=sealed(_BeforeEntry(lines[-1].id)) if len(found) > limit else None)


class _BeforeEntry(msgspec.Struct, frozen=True, tag="audit"):
    id: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]

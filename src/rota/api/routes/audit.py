"""The audit: who did what."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query

from rota.api.desks import AtDesk
from rota.api.schemas.accounts import AuditLine, AuditPage
from rota.api.who import needs
from rota.errors import UsageError
from rota.model.access import Scope

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[Depends(needs(Scope.ADMIN))])


@router.get("", summary="Read the audit")
def read_audit(
    desk: AtDesk,
    who: Annotated[str, Query(description="Only what this person did.", max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[str | None, Query(description="`next` of the page before.", max_length=100)] = None,
) -> AuditPage:
    """Return what was done and what was refused, newest first."""
    found = desk.accounts.audit(who, None if before is None else _read_cursor(before), limit + 1)
    lines = [AuditLine.of(entry) for entry in found[:limit]]
    return AuditPage(items=lines, next=_cursor(lines[-1].id) if len(found) > limit else None)


def _cursor(before: int) -> str:
    return urlsafe_b64encode(msgspec.json.encode({"id": before})).decode().rstrip("=")


def _read_cursor(text: str) -> int:
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Place).id
    except (binascii.Error, ValueError):
        raise UsageError("`before` is no cursor; take the `next` of the page before") from None


class _Place(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]

"""The audit in pages: who did what, newest first."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rota.control.accounts import Accounts
from rota.control.pages import Page, opened, sealed
from rota.model.access import Entry


def audit_page(accounts: Accounts, who: str, before: str | None, limit: int) -> Page[Entry]:
    """Return what was done, by everybody or by one person, from a place in the list on."""
    found = accounts.audit(who, None if before is None else opened(before, _BeforeEntry).id, limit + 1)
    entries = found[:limit]
    return Page(entries, sealed(_BeforeEntry(entries[-1].id)) if len(found) > limit else None)


class _BeforeEntry(msgspec.Struct, frozen=True, tag="audit"):
    id: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]

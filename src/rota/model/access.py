"""Who may do what: people, the credentials that they carry, and what was done by whom."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Scope(StrEnum):
    """A kind of thing that somebody may do."""

    READ = "read"
    """See jobs, runs, output and the ledger."""
    RUN = "run"
    """Run, cancel, retry, pause and resume; drain hosts."""
    WRITE = "write"
    """Make, change and remove jobs: whoever may do that may run anything on this machine."""
    ADMIN = "admin"
    """Manage people and credentials, and read the audit: whoever makes people may in the end do everything."""


class Role(StrEnum):
    """What a person is here."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return what somebody of this role may do."""
        return _SCOPES[self]


_SCOPES = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.RUN}),
    Role.ADMIN: frozenset(Scope),
}


class User(msgspec.Struct, frozen=True):
    """Somebody who may sign in."""

    name: str
    role: Role
    password: str
    """An argon2 hash."""
    created_at: datetime
    changed_at: datetime


class Kind(StrEnum):
    """What a credential is for."""

    TOKEN = "token"  # noqa: S105 -- the word, not one of them
    """A program's; it is made by hand and shown once."""
    SESSION = "session"
    """A browser's, in a cookie."""
    REFRESH = "refresh"
    """Gets a program its next short-lived access token."""


class Credential(msgspec.Struct, frozen=True):
    """Something that stands for a person; the store has only a digest of it."""

    id: str
    user: str
    kind: Kind
    name: str
    """What its owner calls it."""
    scopes: frozenset[Scope]
    """Never more than its owner's."""
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    family: str = ""
    """What the refresh tokens that come out of each other have in common."""
    spent_at: datetime | None = None
    """When a refresh token was exchanged for the next one."""


class Signing(msgspec.Struct, frozen=True):
    """What signed requests are signed with, and as whom they act."""

    secret: bytes
    user: str
    scopes: frozenset[Scope]
    """What they may do at most; never more than the user may."""


class Who(msgspec.Struct, frozen=True):
    """Who asks for something, and how that is known."""

    name: str
    scopes: frozenset[Scope]
    how: str
    """`local`, `link`, `session`, `token`, `access` or `signature`; `cli` at the command line.

    In the audit also `password` and `refresh`, for who tries to sign in.
    """
    credential: str = ""
    """The id of what was shown; the family of an access token."""
    address: str = ""
    """From where they ask."""

    def may(self, scope: Scope) -> bool:
        """Tell whether they may do such things."""
        return scope in self.scopes


class Entry(msgspec.Struct, frozen=True):
    """A line of the audit: who did what, and whether that was allowed and done."""

    id: int
    at: datetime
    who: str
    how: str
    action: str
    target: str
    outcome: str
    address: str

"""People, tokens and the audit, as REST reads and answers them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from rota.control.accounts import LONGEST_PASSWORD
from rota.control.views import instant_view
from rota.model.access import Credential, Entry, Role, Scope, User

_LONGEST_NAME = 64
_LONGEST_SECRET = 4096
_LONGEST_LIFE = 10 * 366 * 86_400

Instant = Annotated[
    datetime,
    PlainSerializer(instant_view, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2027-01-31T10:00:00.000Z"]}),
]
Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, examples=["ann"])]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD, examples=["four words in a row"])]
Secret = Annotated[str, Field(max_length=_LONGEST_SECRET)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope), examples=[["read", "run"]])]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_In):
    """A name and a password."""

    name: Name
    password: Password


class Refresh(_In):
    """What an access token came with."""

    refresh_token: Secret


class NewUser(_In):
    """Somebody who is to be let in."""

    name: Name
    role: Role
    password: Password


class UserChange(_In):
    """What is to be different about somebody; what is not said stays."""

    role: Role | None = None
    password: Password | None = None


class PasswordChange(_In):
    """One's own new password, and the old one as a proof."""

    old: Password
    new: Password


class NewToken(_In):
    """A token for a program."""

    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, examples=["deploy"])]
    scopes: Scopes | None = None
    """Everything that you may do, unless said."""
    lasts: Annotated[int, Field(ge=60, le=_LONGEST_LIFE, examples=[2_592_000])] | None = None
    """In seconds; for good, unless said."""
    user: Name | None = None
    """Whose it is, which only an admin may say."""


class Person(BaseModel):
    """Somebody who may sign in."""

    name: str
    role: Role
    created_at: Instant
    changed_at: Instant

    @classmethod
    def of(cls, user: User) -> Person:
        """Return what others may know: no hash of a password."""
        return cls(name=user.name, role=user.role, created_at=user.created_at, changed_at=user.changed_at)


class Me(BaseModel):
    """Who you are here."""

    name: str
    how: str
    role: Role | None
    scopes: list[Scope]
    csrf_token: str | None
    """What a session shows, in `X-CSRF-Token`, to change something."""


class Token(BaseModel):
    """A token, without its secret, which nobody has any more."""

    id: str
    user: str
    name: str
    scopes: list[Scope]
    created_at: Instant
    expires_at: Instant | None
    used_at: Instant | None

    @classmethod
    def of(cls, credential: Credential) -> Token:
        """Return what can be told of a token."""
        return cls(
            id=credential.id,
            user=credential.user,
            name=credential.name,
            scopes=sorted(credential.scopes),
            created_at=credential.created_at,
            expires_at=credential.expires_at,
            used_at=credential.used_at,
        )


class MadeToken(Token):
    """A new token, with its secret: this once."""

    secret: str


class Tokens(BaseModel):
    """What a program shows from now on, and what gets it the next."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 -- the word of RFC 6750
    expires_in: int


class AuditLine(BaseModel):
    """Who did what, and what came of it."""

    id: int
    at: Instant
    who: str
    how: str
    action: str
    target: str
    outcome: str
    address: str

    @classmethod
    def of(cls, entry: Entry) -> AuditLine:
        """Return a line of the audit."""
        return cls(
            id=entry.id,
            at=entry.at,
            who=entry.who,
            how=entry.how,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            address=entry.address,
        )


class People(BaseModel):
    """Everybody."""

    items: list[Person]


class TokenList(BaseModel):
    """Tokens that are good."""

    items: list[Token]


class AuditPage(BaseModel):
    """A page of the audit, newest first."""

    items: list[AuditLine]
    next: str | None
    """Where the next page begins."""

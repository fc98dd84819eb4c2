"""People, tokens and the audit, as REST reads and answers them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rota.api.schemas.base import Answer, Asked, Cursor, Instant
from rota.control.accounts import LONGEST_PASSWORD
from rota.control.views import instant_view
from rota.model.access import Credential, Entry, Role, Scope, User

_LONGEST_NAME = 64
_LONGEST_SECRET = 4096
_LONGEST_LIFE = 10 * 366 * 86_400

Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, examples=["ann"])]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD, examples=["four words in a row"])]
Secret = Annotated[str, Field(max_length=_LONGEST_SECRET, examples=["rota_r_…"])]
SomeScopes = Annotated[list[Scope], Field(examples=[["read", "run"]])]
TokenName = Annotated[str, Field(description="What its owner calls it.", examples=["deploy"])]


class SignIn(Asked):
    """A name and a password."""

    name: Name
    password: Password


class Refresh(Asked):
    """What an access token came with."""

    refresh_token: Secret


class NewUser(Asked):
    """Somebody who is to be let in."""

    name: Name
    role: Role = Field(examples=["operator"])
    password: Password


class UserChange(Asked):
    """What is to be different about somebody; what is not said stays."""

    role: Role | None = Field(default=None, examples=["viewer"])
    password: Password | None = Field(default=None, examples=[None])


class PasswordChange(Asked):
    """One's own new password, and the old one as a proof."""

    old: Password
    new: Annotated[Password, Field(examples=["four other words in a row"])]


class NewToken(Asked):
    """A token for a program."""

    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME, examples=["deploy"])]
    scopes: list[Scope] | None = Field(
        default=None,
        min_length=1,
        max_length=len(Scope),
        description="What it may do [all that you may].",
        examples=[["read", "run"]],
    )
    lasts: int | None = Field(
        default=None,
        ge=60,
        le=_LONGEST_LIFE,
        description="For how many seconds it is good [until it is revoked].",
        examples=[2_592_000],
    )
    user: Name | None = Field(default=None, description="Whose it is, which only an admin may say.", examples=[None])


class Person(Answer):
    """Somebody who may sign in."""

    name: Name
    role: Role = Field(examples=["operator"])
    created_at: Instant
    changed_at: Instant

    @classmethod
    def of(cls, user: User) -> Person:
        """Return what others may know: no hash of a password."""
        return cls(
            name=user.name,
            role=user.role,
            created_at=str(instant_view(user.created_at)),
            changed_at=str(instant_view(user.changed_at)),
        )


class Me(Answer):
    """Who you are here."""

    name: Name
    how: str = Field(
        description="How that is known: `local`, `link`, `session`, `token`, `access` or `signature`.",
        examples=["session"],
    )
    role: Role | None = Field(examples=["operator"])
    scopes: SomeScopes
    csrf_token: str | None = Field(
        description="What a session shows, in `X-CSRF-Token`, to change something.", examples=[None]
    )


class Token(Answer):
    """A token, without its secret, which nobody has any more."""

    id: str = Field(examples=["3288858e020f"])
    user: Name
    name: TokenName
    scopes: SomeScopes
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
            created_at=str(instant_view(credential.created_at)),
            expires_at=instant_view(credential.expires_at),
            used_at=instant_view(credential.used_at),
        )


class MadeToken(Token):
    """A new token, with its secret: this once."""

    secret: str = Field(examples=["rota_t_…"])


class Tokens(Answer):
    """What a program shows from now on, and what gets it the next."""

    access_token: str = Field(examples=["eyJ…"])
    refresh_token: str = Field(examples=["rota_r_…"])
    token_type: str = Field(default="bearer", examples=["bearer"])
    expires_in: int = Field(description="For how many seconds the access token is good.", examples=[900])


class AuditLine(Answer):
    """Who did what, and what came of it."""

    id: int = Field(examples=[42])
    at: Instant
    who: str = Field(description="Nobody, where a name was wrong.", examples=["ann"])
    how: str = Field(
        description="How that was known; `cli` is the command line, `password` and `refresh` are tries to sign in.",
        examples=["session"],
    )
    action: str = Field(examples=["job.run"])
    target: str = Field(examples=["backup"])
    outcome: str = Field(description="`ok`, `refused`, or the kind of what went wrong.", examples=["ok"])
    address: str = Field(examples=["203.0.113.9"])

    @classmethod
    def of(cls, entry: Entry) -> AuditLine:
        """Return a line of the audit."""
        return cls(
            id=entry.id,
            at=str(instant_view(entry.at)),
            who=entry.who,
            how=entry.how,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            address=entry.address,
        )


class People(Answer):
    """Everybody."""

    items: list[Person]


class TokenList(Answer):
    """Tokens that are good."""

    items: list[Token]


class AuditPage(Answer):
    """A page of the audit, newest first."""

    items: list[AuditLine]
    next: Cursor

"""Tokens for programs: one's own for everybody, anybody's for admins."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from rota.api.audit import Change, audited
from rota.api.desks import AtDesk
from rota.api.names import TokenId
from rota.api.problems import NotAllowed
from rota.api.schemas.accounts import MadeToken, NewToken, Token, TokenList
from rota.api.who import Known
from rota.errors import Conflict, NotFound
from rota.model.access import Kind, Scope, Who

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("", summary="List tokens")
def list_tokens(who: Known, desk: AtDesk) -> TokenList:
    """Return your tokens; everybody's for an admin. Never their secrets."""
    found = desk.accounts.credentials("" if who.may(Scope.ADMIN) else who.name)
    return TokenList(items=[Token.of(credential) for credential in found])


@router.post("", status_code=HTTPStatus.CREATED, summary="Make a token")
def add_token(
    given: Annotated[NewToken, Body()], desk: AtDesk, change: Annotated[Change, audited("token.add", Scope.READ)]
) -> MadeToken:
    """Make a token and return its secret, this once. It may do what you may, or less."""
    who = change.who
    owner = given.user or who.name
    change.target = f"{owner} {given.name}"
    _check_may_make(who, owner, bool(desk.accounts.has_users))
    # For somebody else it is bounded by what they may do, else by what was shown for this very request.
    scopes = given.scopes or (sorted(who.scopes) if owner == who.name else [])
    if owner == who.name and not frozenset(scopes) <= who.scopes:
        raise NotAllowed(HTTPStatus.FORBIDDEN, f"you may {', '.join(sorted(who.scopes))} here, and no token may more")
    lasts = None if given.lasts is None else timedelta(seconds=given.lasts)
    issued = desk.accounts.issue(owner, Kind.TOKEN, given.name, scopes, lasts)
    return MadeToken(**Token.of(issued.credential).model_dump(), secret=issued.secret)


@router.delete("/{token_id}", status_code=HTTPStatus.NO_CONTENT, summary="Revoke a token")
def remove_token(
    token_id: TokenId, desk: AtDesk, change: Annotated[Change, audited("token.remove", Scope.READ)]
) -> None:
    """Let a token be good for nothing from now on. A token revokes itself, and others only if it is an admin's."""
    found, who = desk.accounts.credential(token_id), change.who
    mine = found is not None and (found.user == who.name or who.may(Scope.ADMIN))
    if found is None or found.kind is not Kind.TOKEN or not mine:
        raise NotFound(f"you have no token with the id {token_id!r}")
    change.target = f"{found.user} {found.name}"
    if _is_a_programs(who) and not who.may(Scope.ADMIN) and found.id != who.credential:
        raise NotAllowed(HTTPStatus.FORBIDDEN, "a token revokes itself, and no others; sign in to revoke this one")
    desk.accounts.revoke(token_id)


def _check_may_make(who: Who, owner: str, has_users: bool) -> None:
    """Refuse to make a token for somebody else, or one that would outlive the token that was shown for it."""
    if not has_users:
        raise Conflict("nobody can sign in yet, and a token is always somebody's; make a user first: POST users")
    if who.may(Scope.ADMIN):
        return
    if owner != who.name:
        raise NotAllowed(HTTPStatus.FORBIDDEN, "only an admin makes tokens for somebody else")
    if _is_a_programs(who):
        raise NotAllowed(HTTPStatus.FORBIDDEN, "a token makes no tokens, unless it is an admin's; sign in to make one")


def _is_a_programs(who: Who) -> bool:
    """Tell whether what was shown may be less than a person is: they did not sign in for this."""
    return who.how in (Kind.TOKEN, "signature")

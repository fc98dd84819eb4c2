"""Tokens for programs: one's own for everybody, anybody's for admins."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body

from rota.api.audit import Change, audited
from rota.api.desks import AtDesk
from rota.api.names import TokenId
from rota.api.own_tokens import make_token, revoke_token
from rota.api.schemas.accounts import MadeToken, NewToken, Token, TokenList
from rota.api.who import Known
from rota.model.access import Scope

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
    lasts = None if given.lasts is None else timedelta(seconds=given.lasts)
    issued = make_token(desk.accounts, change, given.name, given.scopes, lasts, given.user or "")
    return MadeToken(**Token.of(issued.credential).model_dump(), secret=issued.secret)


@router.delete("/{token_id}", status_code=HTTPStatus.NO_CONTENT, summary="Revoke a token")
def remove_token(
    token_id: TokenId, desk: AtDesk, change: Annotated[Change, audited("token.remove", Scope.READ)]
) -> None:
    """Let a token be good for nothing from now on. A token revokes itself, and others only if it is an admin's."""
    revoke_token(desk.accounts, change, token_id)
